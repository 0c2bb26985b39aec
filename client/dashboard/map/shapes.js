/** The countries of the world as shapes in a plane of WIDTH by HEIGHT; without Antarctica. */
import {received} from './receiver.js';
import 'jsvectormap/dist/maps/world.js';

delete globalThis.jsVectorMap;

export const WIDTH = 900;
export const HEIGHT = 415;

const CODES = {_1: 'XK'}; // what has no code of ISO 3166-1 is land without a name
const STEP = /([Ml])(-?[\d.]+),(-?[\d.]+)/g;

/** Returns the rings of a path of M, l and Z as lists of [x, y]. */
const ringsOf = (path) => {
  const rings = [];
  let [x, y] = [0, 0];
  for (const [, command, dx, dy] of path.matchAll(STEP)) {
    if (command === 'M') {
      [x, y] = [Number(dx), Number(dy)];
      rings.push([]);
    } else {
      [x, y] = [x + Number(dx), y + Number(dy)];
    }
    rings.at(-1).push([x, y]);
  }
  return rings;
};

/** Returns area and centre of a ring (the shoelace formula). */
const weigh = (ring) => {
  let [area, cx, cy] = [0, 0, 0];
  ring.forEach(([x, y], place) => {
    const [nextX, nextY] = ring[(place + 1) % ring.length];
    const cross = x * nextY - nextX * y;
    area += cross / 2;
    cx += (x + nextX) * cross;
    cy += (y + nextY) * cross;
  });
  return area
    ? {area: Math.abs(area), x: cx / (6 * area), y: cy / (6 * area)}
    : {area: 0, x: ring[0][0], y: ring[0][1]};
};

const shapeOf = ([code, {path}]) => {
  const [{x, y}] = ringsOf(path)
    .map(weigh)
    .sort((one, other) => other.area - one.area);
  return {code: CODES[code] ?? (code.startsWith('_') ? '' : code), path, x, y};
};

/** [{code, path, x, y}]: x and y are the middle of a country's largest part. */
export const SHAPES = Object.entries(received.paths).map(shapeOf);

export const shapeBy = new Map(SHAPES.filter(({code}) => code).map((shape) => [shape.code, shape]));
