/** The plain <script>: counts the page's visit by itself unless its tag says data-auto="false". */
import {VisitorTracker} from './visitor-tracker.js';
import {whenActive} from './when-active.js';
import {whenParsed} from './when-parsed.js';

const show = ({visit_count: count}) => {
  if (count === null) return; // counted, but the number is not known yet
  for (const element of document.querySelectorAll('[data-visitor-count]')) {
    element.textContent = count.toLocaleString();
  }
};

const countVisit = async (tracker) => {
  const visit = await tracker.updateVisitorCount();
  if (visit) show(visit);
};

// A second copy of the script, by mistake or from an older page, must not count a second time.
if (!globalThis.VisitorTracker) {
  globalThis.VisitorTracker = VisitorTracker;
  const {apiUrl, auto} = document.currentScript?.dataset ?? {};
  if (auto !== 'false') {
    whenParsed(() => whenActive(() => countVisit(new VisitorTracker(apiUrl)).catch(() => {})));
  }
}
