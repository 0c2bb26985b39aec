/** What the chart shows of days and hours to come: whether anything can be foretold, how far, and where it is drawn. */
import {remember, remembered} from '../../app/kept.js';
import {createStore} from '../../app/store.js';
import {addDays} from '../../ui/period/days.js';

const KEY = 'vt.forecast';
const HOUR_MS = 3_600_000;
const HOURS = 24;
/** How far the days to come reach, by how many are shown: [days shown at most, days to come]. */
const DAYS = [
  [10, 3],
  [31, 7],
  [92, 14],
  [Infinity, 28],
];

/** Whether somebody wants to see it: kept by this browser. */
export const forecastWanted = createStore(remembered(KEY) !== 'off');

export const wantForecast = (isWanted) => {
  remember(KEY, isWanted ? 'on' : 'off');
  forecastWanted.set(isWanted);
};

/**
 * Says whether a forecast can follow on what is shown: on numbers of the whole site, by its own clock, up to now; and by
 * itself, as three lines and a band are none that anybody reads.
 */
export const isForetold = ({question, meta, isForeign, unfinished}) =>
  ['day', 'hour'].includes(meta.interval) &&
  !isForeign &&
  !question.compare &&
  !question.segment &&
  question.filters.length === 0 &&
  unfinished !== null;

/** Returns how many steps to ask for, the running one among them; those of `today` are there already. */
export const periodsOf = (points, unfinished, interval) => {
  const open = points.length - unfinished;
  if (interval === 'hour') return open > 1 ? open : HOURS + 1;
  return Math.max(open, 1 + DAYS.find(([most]) => points.length <= most)[1]);
};

const hourAfter = (time, hours) => {
  const wall = new Date(Date.parse(`${time.slice(0, 16)}:00Z`) + hours * HOUR_MS);
  return wall.toISOString().slice(0, 16) + time.slice(16);
};

/** Returns the times of the steps from one on; while the answer is on its way they keep its place. */
const timesFrom = (first, count, interval) =>
  Array.from({length: count}, (_, step) => (interval === 'hour' ? hourAfter(first, step) : addDays(first, step)));

/** Returns what is drawn: points with those to come behind them, and the band, undefined as long as there is none. */
export const withForecast = ({points, unfinished, interval, periods, prediction}) => {
  const foretold = prediction?.points.slice(0, periods);
  const times = foretold?.map(({start}) => start) ?? timesFrom(points[unfinished].time, periods, interval);
  const coming = times.slice(points.length - unfinished).map((time) => ({time, values: {}}));
  const drawn = [...points, ...coming];
  if (!foretold) return {points: drawn, band: undefined};
  const column = (name) => drawn.map((_, place) => foretold[place - unfinished]?.[name] ?? null);
  return {points: drawn, band: {lower: column('low'), upper: column('high'), forecast: column('expected')}};
};
