/** What the overview asks: which metrics, by what buckets of time, and what rows of which dimension can tell. */
import {getWeekStart} from '../../app/week.js';
import {getZone} from '../../app/zone.js';
import {countDays, dayIn, intervalsOf, lengthOf} from '../../ui/period/days.js';
import {daysOfPoint} from '../../ui/chart/times.js';

/** The tiles, in their order; the last ones only where there is room. */
export const METRICS = ['visitors', 'visits', 'views', 'bounce_rate', 'engaged', 'views_per_visit', 'duration'];

/** Less of these is better. */
export const LESS_IS_BETTER = new Set(['bounce_rate', 'single_rate']);

const LOOKS = new Set(['page', 'host']);
const ACTS = new Set(['event', 'outbound', 'download', 'form', 'click', 'title', 'target']);

const isAct = (dimension) => ACTS.has(dimension) || dimension.startsWith('prop:');

/** Nobody can tell visitors by the days of another zone than the site's. */
const hasVisitors = (site) => !getZone() || getZone() === site?.timezone;

/** Returns the two metrics of a short list. */
export const metricsOf = (dimension, site) => {
  const first = hasVisitors(site) ? 'visitors' : 'visits';
  if (LOOKS.has(dimension)) return [first, 'views'];
  return isAct(dimension) ? [first, 'events'] : [first, 'share'];
};

/** Returns all metrics of the whole list. */
export const allMetricsOf = (dimension, site) => {
  const first = hasVisitors(site) ? ['visitors', 'visits'] : ['visits'];
  if (LOOKS.has(dimension)) return [...first, 'views', 'engaged', 'share'];
  if (isAct(dimension)) return [...first, 'events', 'share'];
  return [...first, 'views', 'bounce_rate', 'engaged', 'duration', 'share'];
};

const today = (site) => dayIn(getZone() || site?.timezone || 'UTC');

/** Returns the buckets of time to ask for, '' for what the server thinks best. */
export const intervalOf = ({period, interval}, site) =>
  intervalsOf(lengthOf(period, today(site), getWeekStart())).includes(interval) ? interval : '';

/** Returns the buckets to choose from; the answer knows how long `all` is. */
export const intervalChoices = ({period}, meta) => {
  const isDays = period !== '24h' && meta.from && meta.to;
  return ['hour', 'day', 'week', 'month'].filter((name) =>
    intervalsOf(isDays ? countDays(meta.from, meta.to) : 1).includes(name),
  );
};

/** Says where a point lies: -1 it is over, 0 it still grows, 1 it has not begun. */
const place = (time, {interval, timezone, as_of: now}) => {
  if (interval === 'hour') {
    const age = Date.parse(now) - Date.parse(time);
    if (age < 0) return 1;
    return age < 3_600_000 ? 0 : -1;
  }
  const day = dayIn(timezone, Date.parse(now));
  const [first, last] = daysOfPoint(time, interval);
  if (first > day) return 1;
  return last >= day ? 0 : -1;
};

/** Returns the points of an answer by time, and which of them still grows: {points, unfinished}. */
export const pointsOf = ({rows, meta}) => {
  const places = rows.map(({dimensions}) => place(dimensions.time, meta));
  const points = rows.map((row, number) => ({
    time: row.dimensions.time,
    values: places[number] > 0 ? {} : row.metrics,
    compared: row.compared ?? undefined,
    comparedTime: row.compared_time ?? undefined,
  }));
  return {points, unfinished: places.includes(0) ? places.indexOf(0) : null};
};
