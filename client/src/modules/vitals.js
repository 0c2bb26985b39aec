/** Tells how quickly the page came up, moved and answered: Web Vitals, each once a page, when it is left. */
import {onCLS, onFCP, onINP, onLCP, onTTFB} from 'web-vitals';

import {quietly} from './parts/quietly.js';

const DIGITS = 4; // CLS is a small number, times need no more than one

export const start = (tracker) => {
  let waiting = new Map();
  let url = tracker.page(); // that was loaded: routers may show others later
  const told = new Set();
  const note = quietly((metric) => {
    if (!told.has(metric.id)) waiting.set(metric.id, metric);
  });
  for (const watch of [onTTFB, onFCP, onLCP, onCLS, onINP]) quietly(watch)(note);
  tracker.onLeave.push(() => {
    if (document.visibilityState !== 'hidden') return; // web-vitals has its last values when it is
    for (const [id, {name, value, rating, navigationType}] of waiting) {
      told.add(id);
      const properties = {rating, navigationType};
      tracker.add('vital', {name, value: +value.toFixed(DIGITS), url, properties, interactive: false});
    }
    waiting = new Map();
  });
  addEventListener('pageshow', (event) => event.persisted && (url = tracker.page()));
};
