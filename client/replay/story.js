/** The list of a session's events, as times of its recording. */
import {shortUrl} from './page.js';

const SLACK_MS = 60_000; // two clocks may differ that much and still tell of the same moment

const LABELS = {
  pageview: (event) => ['Viewed', shortUrl(event.href)],
  click: (event) => ['Clicked', event.text || event.target],
  outbound: (event) => ['Went to', shortUrl(event.target)],
  download: (event) => ['Downloaded', shortUrl(event.target)],
  form: (event) => ['Sent a form', event.name || shortUrl(event.target)],
  scroll: (event) => ['Scrolled to', event.scroll ? `${event.scroll} %` : ''],
  error: (event) => ['Error', event.name],
  vital: (event) => ['Measured', event.name],
  engagement: (event) => ['Stayed', event.engaged_ms ? `${Math.round(event.engaged_ms / 1000)} s` : ''],
  identify: () => ['Was identified', ''],
};

/** Returns [what happened, to what] of an event. */
export const label = (event) => {
  const words = Object.hasOwn(LABELS, event.type)
    ? LABELS[event.type](event)
    : [event.name || event.type, event.target];
  return words.map((word) => String(word ?? ''));
};

/**
 * Returns {event, offset} for each event of the recording's time, in order, offset in milliseconds from its begin. Events
 * bear the server's time and recordings the visitor's: where these are too far apart, the recording began when it `arrived`.
 */
export const placed = (events, {startTime, endTime, arrived}) => {
  const timed = events.map((event) => ({event, at: Date.parse(event.timestamp)})).filter(({at}) => at > 0);
  timed.sort((a, b) => a.at - b.at);
  const isNear = ({at}) => at >= startTime - SLACK_MS && at <= endTime + SLACK_MS;
  const near = timed.filter(isNear); // the visit may have begun before, on pages that were not recorded
  const zero = near.length ? startTime : arrived || timed[0]?.at;
  return (near.length ? near : timed).map(({event, at}) => ({
    event,
    offset: Math.min(Math.max(0, at - zero), endTime - startTime),
  }));
};
