/** What is good and what is poor, by web.dev/articles/vitals. */
import {milliseconds, ratio} from '../../app/format.js';

export const VITALS = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'];

/** Up to `good` a value is good, above `poor` it is poor; ms, CLS without a unit. */
export const THRESHOLDS = {
  LCP: {good: 2500, poor: 4000},
  INP: {good: 200, poor: 500},
  CLS: {good: 0.1, poor: 0.25},
  FCP: {good: 1800, poor: 3000},
  TTFB: {good: 800, poor: 1800},
};

/** The sign of a rating, for whom colours say nothing. */
export const SIGNS = {good: '●', 'needs-improvement': '▲', poor: '■'};

export const vitalText = (name, value) => (name === 'CLS' ? ratio(value) : milliseconds(value));

/** The shares of a vital in the order in which they are drawn: [rating, share]. */
export const sharesOf = (vital) => [
  ['good', vital.good],
  ['needs-improvement', vital.needs_improvement],
  ['poor', vital.poor],
];
