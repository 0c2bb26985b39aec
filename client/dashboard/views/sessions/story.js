/** What happened in a session, told by pages: what was measured and how long it was read is told with the page. */

const OF_PAGES = new Set(['engagement', 'scroll', 'vital']);

const pageOf = (href) => String(href ?? '').split('#')[0];

const told = (event, start) => ({
  ...event,
  offset: Math.max(0, Date.parse(event.timestamp) - start),
  engaged: event.engaged_ms ?? 0,
  depth: event.scroll ?? 0,
  vitals: [],
});

/**
 * Returns the events to show, in order, each with `offset` (ms since the first). Views have `engaged` (ms), `depth` (percent)
 * and `vitals` of what was told of them later; what belongs to no view stands for itself.
 */
export const storyOf = (events) => {
  if (!events.length) return [];
  const start = Date.parse(events[0].timestamp);
  const views = new Map(); // the latest view of each page
  const story = [];
  for (const event of events) {
    const view = views.get(pageOf(event.href));
    if (!OF_PAGES.has(event.type) || !view) {
      const shown = told(event, start);
      story.push(shown);
      if (event.type === 'pageview') views.set(pageOf(event.href), shown);
      continue;
    }
    view.engaged += event.engaged_ms ?? 0;
    view.depth = Math.max(view.depth, event.scroll ?? 0);
    if (event.type === 'vital') view.vitals.push({name: event.name, value: event.value ?? 0});
  }
  return story;
};

/** Says whether a click had a mark: rage, dead. */
export const isMarked = (event, mark) => event.type === 'click' && event.data?.[mark] === true;

/** Returns where an element is, as a style sheet would name it: button#buy.large */
export const selectorOf = ({tag = '', id = '', class: classes = ''} = {}) => {
  const names = String(classes).split(/\s+/).filter(Boolean).slice(0, 3);
  const parts = [String(tag).toLowerCase(), id && `#${id}`, ...names.map((name) => `.${name}`)];
  return parts.filter(Boolean).join('');
};

/** 65000 → 1:05 */
export const clockOf = (ms) => {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const two = (number) => String(number).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};

/** Returns an address without what goes without saying. */
export const shortAddress = (address) => String(address ?? '').replace(/^https?:\/\//, '');
