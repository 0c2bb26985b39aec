/** Where rows of these views lead to. */
import {toView} from '../../app/place.js';
import {writeFilter} from '../../app/filters.js';

/** Returns the overview of a period, without the filters of elsewhere. */
export const toDays = (period, more = {}) =>
  toView('overview', {period, compare: '', interval: '', segment: '', f: '', ...more});

/** Returns where an alert of such anomalies is made; `value` is what a threshold would be. */
export const toAlert = ({kind, severity, metric, step, low, high}) =>
  toView('alerts', {
    new: 'anomaly',
    severity,
    metric,
    direction: kind === 'spike' ? 'above' : 'below',
    per: step,
    value: String(Math.round(kind === 'spike' ? high : Math.max(0, low))),
  });

/** Returns the overview of a period, filtered by one value. */
export const toValue = (period, dimension, value, more = {}) =>
  toDays(period, {f: writeFilter({operator: 'is', dimension, values: [value]}), ...more});
