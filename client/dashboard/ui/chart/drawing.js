/** How uPlot draws a chart: its columns of numbers, its lines, its axes. x is the place of a point. */
import {shortMetric} from '../../app/format.js';
import {shortTime} from './times.js';

const COLOURS = ['--chart-1', '--chart-3', '--chart-4', '--chart-2'];
const TICK_PX = 84; // room for the text of a tick
const AXIS_PX = 58; // and for the numbers at the side

/** Returns the colours of now by the variables of base.css. */
export const colours = (element) => {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
};

const column = (points, name, part) => points.map((point) => point[part]?.[name] ?? null);

/** A point that is not over yet: the piece of the line that leads to it is drawn apart. */
const solid = (values, unfinished) => values.map((value, place) => (place < unfinished ? value : null));
const growing = (values, unfinished) =>
  values.map((value, place) => (place === unfinished || place === unfinished - 1 ? value : null));

/** Returns the lines of a chart: [{values, …series of uPlot}], those in front last. */
export const lines = ({points, series, band, hasCompared, unfinished}, colour) => {
  const found = [];
  const dots = points.length <= 40 ? {show: true, size: 5} : {show: false};
  if (band) {
    const edge = {stroke: 'transparent', points: {show: false}};
    found.push({values: band.upper, ...edge}, {values: band.lower, ...edge});
    if (band.forecast) {
      found.push({values: band.forecast, stroke: colour('--chart-4'), width: 1.5, dash: [5, 4], points: {show: false}});
    }
  }
  series.forEach(({name}, number) => {
    const stroke = colour(series.length === 1 ? COLOURS[0] : COLOURS[number % COLOURS.length]);
    if (hasCompared) {
      const values = column(points, name, 'compared');
      found.push({values, stroke: colour('--chart-2'), width: 1.5, dash: [5, 4], points: {show: false}});
    }
    const values = column(points, name, 'values');
    const fill = series.length === 1 ? `${stroke}1f` : undefined;
    const line = {stroke, fill, width: 2};
    const isGrowing = unfinished > 0;
    if (isGrowing) {
      const hollow = {...dots, fill: colour('--card')};
      found.push({...line, values: growing(values, unfinished), dash: [3, 4], points: hollow});
    }
    found.push({...line, values: isGrowing ? solid(values, unfinished) : values, points: {...dots, fill: stroke}});
  });
  return found;
};

const ticks = (count) => (chart) => {
  const most = Math.max(1, Math.floor((chart.width - AXIS_PX) / TICK_PX));
  const step = Math.ceil(count / most);
  return Array.from({length: Math.ceil(count / step)}, (_, place) => place * step);
};

const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18_000];
const COUNTS = Array.from({length: 10}, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const BROKEN = new Set(['bounce_rate', 'single_rate', 'share', 'conversion_rate', 'views_per_visit', 'revenue']);

/** Returns how far lines of the grid may lie apart: whole counts, round times; undefined leaves it to uPlot. */
const stepsOf = (kind) => {
  if (['engaged', 'duration'].includes(kind)) return SECONDS.map((seconds) => seconds * 1000);
  return BROKEN.has(kind) ? undefined : COUNTS;
};

const range = (chart, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1];

/** Returns the options of uPlot. `kind` is the metric of the axis; `hooks` are ours. */
export const optionsOf = ({points, interval, kind, width, height, found, band, canPick, hooks}, colour) => {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {stroke: colour('--soft'), font, ticks: {show: false}};
  const labels = points.map(({time}) => shortTime(time, interval, points.length));
  return {
    width,
    height,
    padding: [12, 22, 0, 0], // room for half of the last tick's text
    legend: {show: false},
    cursor: {
      x: true,
      y: false,
      drag: {x: canPick, y: false, setScale: false},
      points: {size: 8},
    },
    scales: {x: {time: false, range: [0, Math.max(1, points.length - 1)]}, y: {range}},
    axes: [
      {...axis, size: 32, grid: {show: false}, splits: ticks(points.length), values: (_, all) => all.map((place) => labels[place] ?? '')}, // prettier-ignore
      {
        ...axis,
        size: AXIS_PX,
        grid: {stroke: colour('--line'), width: 1},
        incrs: stepsOf(kind),
        values: (_, all) => all.map((value) => shortMetric(kind, value)),
      },
    ],
    series: [{}, ...found.map((line) => ({...line, values: undefined}))],
    bands: band ? [{series: [1, 2], fill: `${colour('--chart-4')}26`}] : undefined,
    hooks,
  };
};
