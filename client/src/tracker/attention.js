/** Measures how long the page is seen and in focus, and how far it was scrolled. */
import {safe} from './safe.js';
import {tracker} from './tracker.js';

let since = 0;
let engaged = 0;
let depth = 0;

/** Must be called whenever one of these may have changed. */
export const tick = safe(() => {
  const now = performance.now();
  if (since) {
    engaged += Math.min(now - since, 2e4);
    // Not when the page is new: it would have to be laid out just for this.
    depth = Math.max(depth, (100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight);
  }
  since = !document.hidden && document.hasFocus() && now;
});

/** Tells what is new since it was told last; each part has its own id and counts once. */
export const tell = () => {
  tick();
  if (engaged > 100) tracker.add('engagement', {engaged_ms: engaged | 0, scroll: depth | 0});
  engaged = depth = 0;
};
