/** Keeps events until the server says that they are durable: in memory, and in localStorage for the next page. */
import {safe} from './safe.js';
import {base} from './settings.js';
import {shared} from './storage.js';
import {tracker} from './tracker.js';

const flying = Symbol();
let until = 0; // no retry before

/** Returns events that fit together; one that is too long for that is never sent. */
const fitting = (events, room = 2e4) =>
  events.filter(safe((event, length) => (length = JSON.stringify(event).length) < room && (room -= length)));

/** Writes what waits to localStorage; the newest, since overflow.js has taken the rest. */
tracker.keep = safe(() => {
  if (tracker.queue[0]) shared[tracker.key] = JSON.stringify(fitting(tracker.queue.slice(-50)));
  else delete shared[tracker.key];
});

/** Sends events and returns those that need not be sent again: durable, or refused for good. Never rejects. */
const send = async (events) => {
  try {
    const {headers, status} = await fetch(`${base}e`, {
      method: 'POST',
      // Ages, because many clocks are wrong; as text, which needs no CORS preflight.
      body: JSON.stringify(events.map((event) => ({...event, age_ms: Date.now() - event.t}))),
      keepalive: true,
      signal: AbortSignal.timeout?.(3e4),
    });
    // Something in between may answer 200 by itself, but never with this field.
    if (headers.get('X-Tracker')) return status < 429 && events;
  } catch {
    // no network, or a page that forbids requests
  }
  return tracker.single?.(events);
};

/** Sends what waits and is not on its way; with an argument without regard to a pause, as after `online`. */
export const flush = (tracker.flush = async (isSure) => {
  const batch = fitting(tracker.queue.filter((event) => !event[flying]));
  if (!batch[0] || (Date.now() < until && !isSure && !document.hidden)) return;
  batch.map((event) => (event[flying] = 1));
  if (document.hidden) flush(); // the rest too: there may be no later
  const done = (await send(batch)) || [];
  batch.map((event) => (event[flying] = 0));
  tracker.queue = tracker.queue.filter((event) => !done.includes(event));
  tracker.keep();
  if (done[0]) flush();
  else until = Date.now() + Math.random() * 2e4;
});

/** Queues events that have their ids and times. */
tracker.put = (events) => {
  tracker.queue.push(...fitting(events));
  tracker.keep();
};
