/** What the tracker needs where sending is not easy: events of earlier pages, and pages that allow images only. */
import {quietly} from './quietly.js';
import {overflow} from './overflow.js';

const KEPT_MS = 6048e5; // 7 days; the server takes nothing older

/** Asks for an image that takes one event with it; true when it came. */
const byImage = (base, event) =>
  new Promise((done) => {
    const image = new Image();
    image.onload = () => done(true);
    image.onerror = () => done(false);
    const aged = {...event, age_ms: Date.now() - event.t};
    image.src = `${base}e?e=${encodeURIComponent(JSON.stringify(aged))}`;
  });

export const helpSending = (tracker) => {
  const {base, key, settings, shared} = tracker;
  const put = (events) => tracker.put(events.filter((event) => event.t > Date.now() - KEPT_MS));
  tracker.image = (event) => byImage(base, event);
  for (const other of Object.keys(shared)) {
    if (!other.startsWith('vt:') || other === key) continue;
    quietly(() => put(JSON.parse(shared[other])))();
    delete shared[other]; // a page that is still open has them in its memory too
  }
  if (!settings.memory) overflow(tracker, put);
  tracker.flush();
};
