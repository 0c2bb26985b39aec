/** Keeps events until the server says that they are durable: in memory, and in localStorage for the next page. */
import {safe} from './safe.js';
import {base} from './settings.js';
import {shared} from './storage.js';
import {tracker} from './tracker.js';

const LENGTH = 2e4; // characters of events that go together: at most 60 KB; all requests of a page that goes may have 64
const KEPT = 50; // events of a page, of the same length
const PAUSE_MS = 2e4; // before a retry, at most: not all browsers come back in one moment

const flying = Symbol();
let until = 0; // no retry before

/** Returns events that fit together; one that is too long for that is never sent. */
const fitting = safe((events, room = LENGTH) =>
  events.filter((event, length) => (length = JSON.stringify(event).length) < room && (room -= length)),
);

/** Writes what waits to localStorage; the newest, since more.js has taken the rest. */
tracker.keep = safe(() => (shared[tracker.key] = JSON.stringify(fitting(tracker.queue.slice(-KEPT)))));

/** Sends events and returns those that need not be sent again: durable, or refused for good. Never rejects. */
const send = async (events) => {
  // Ages, because many clocks are wrong.
  const body = JSON.stringify(events.map((event) => ({...event, age_ms: Date.now() - event.t})));
  try {
    // A text needs no CORS preflight.
    const {headers, status} = await fetch(`${base}e`, {method: 'POST', body, keepalive: true});
    // Something in between may answer 200 by itself, but never with this field.
    if (headers.get('X-Tracker') && status < 429) return events;
  } catch {
    // The answer to a beacon is not heard: these events are sent again, and counted once.
    if (document.hidden) navigator.sendBeacon(`${base}e`, body);
    else if (await tracker.image?.(events[0])) return [events[0]];
  }
  return [];
};

/** Sends what waits and is not on its way; with an argument without regard to a pause, as after `online`. */
export const flush = (tracker.flush = async (isSure) => {
  const batch = fitting(tracker.queue.filter((event) => !event[flying]));
  if (!batch?.[0] || (Date.now() < until && !isSure && !document.hidden)) return;
  batch.forEach((event) => (event[flying] = 1));
  if (document.hidden) flush(); // the rest too: there may be no later
  const done = await send(batch);
  batch.forEach((event) => (event[flying] = 0));
  tracker.queue = tracker.queue.filter((event) => !done.includes(event));
  tracker.keep();
  if (done[0]) flush();
  else until = Date.now() + Math.random() * PAUSE_MS;
});

/** Queues events that have their ids and times. */
export const put = (tracker.put = (events) => {
  tracker.queue.push(...events);
  tracker.keep();
});
