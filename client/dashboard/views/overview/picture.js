/** Pictures of panels, drawn by ourselves: a title, bars with their numbers, or the lines of a chart. */
import {metric} from '../../app/format.js';
import {colours} from '../../ui/chart/drawing.js';
import {filterText} from '../../app/filters.js';

const WIDTH = 720;
const ROW = 34;
const EDGE = 24;
const HEAD = 76;
const SCALE = 2; // pixels of the picture by those of the page

const family = () => getComputedStyle(document.body).fontFamily;

const canvasOf = (width, height) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: width * SCALE, height: height * SCALE});
  const pen = canvas.getContext('2d');
  pen.scale(SCALE, SCALE);
  const colour = colours(document.documentElement);
  pen.fillStyle = colour('--card');
  pen.fillRect(0, 0, width, height);
  pen.textBaseline = 'middle';
  return {canvas, pen, colour};
};

/** Returns a text that is not wider than some pixels. */
const cut = (pen, text, most) => {
  if (pen.measureText(text).width <= most) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > most) end -= 1;
  return `${text.slice(0, end)}…`;
};

const subtitle = ({site, period, filters, segment}) =>
  [site, period, segment, filterText(filters)].filter(Boolean).join(' · ');

const head = ({pen, colour}, width, title, question) => {
  pen.fillStyle = colour('--ink');
  pen.font = `600 18px ${family()}`;
  pen.fillText(cut(pen, title, width - 2 * EDGE), EDGE, 30);
  pen.fillStyle = colour('--soft');
  pen.font = `13px ${family()}`;
  pen.fillText(cut(pen, subtitle(question), width - 2 * EDGE), EDGE, 54);
};

/** Draws a list: `rows` are [{name, part, values: [text]}], `columns` the names of the values. */
export const listPicture = ({title, columns, rows, question}) => {
  const height = HEAD + ROW * (rows.length + 1) + EDGE;
  const drawn = canvasOf(WIDTH, height);
  const {canvas, pen, colour} = drawn;
  head(drawn, WIDTH, title, question);
  const right = (place) => WIDTH - EDGE - (columns.length - 1 - place) * 96;
  const most = WIDTH - 2 * EDGE - columns.length * 96;
  const number = (text, place, y) => {
    pen.textAlign = 'right';
    pen.fillText(text, right(place), y);
    pen.textAlign = 'left';
  };
  columns.forEach((name, place) => number(name, place, HEAD + ROW / 2));
  rows.forEach(({name, part, values}, row) => {
    const y = HEAD + ROW * (row + 1.5);
    pen.fillStyle = colour('--bar');
    pen.fillRect(EDGE, y - ROW / 2 + 3, Math.max(2, most * part), ROW - 6);
    pen.fillStyle = colour('--ink');
    pen.font = `14px ${family()}`;
    pen.fillText(cut(pen, name, most - 16), EDGE + 10, y);
    values.forEach((text, place) => number(text, place, y));
  });
  return canvas;
};

/** Draws the chart that is shown inside of `box`. */
export const chartPicture = (box, title, question) => {
  const source = box.querySelector('canvas');
  const width = Math.max(WIDTH, source.clientWidth + 2 * EDGE);
  const height = HEAD + source.clientHeight + EDGE;
  const drawn = canvasOf(width, height);
  head(drawn, width, title, question);
  drawn.pen.drawImage(source, EDGE, HEAD, source.clientWidth, source.clientHeight);
  return drawn.canvas;
};

/** Returns what rows of a list are drawn from. */
export const pictureRows = (rows, metrics, nameOf) => {
  const highest = Math.max(1, ...rows.map((row) => row.metrics[metrics[0]] ?? 0));
  return rows.map((row) => ({
    name: nameOf(row),
    part: (row.metrics[metrics[0]] ?? 0) / highest,
    values: metrics.map((name) => metric(name, row.metrics[name])),
  }));
};
