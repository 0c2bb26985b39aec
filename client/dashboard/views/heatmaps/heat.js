/** Heat of a page as things to draw: points, bands of depth, and the hottest places. */

/** Widths of screens that pages are drawn on where nobody recorded them. */
export const WIDTHS = {desktop: 1280, tablet: 820, mobile: 390};

const TALLEST_PX = 30_000;

/** Returns how high a page without a picture has to be, to have all of its heat. */
export const heightOf = ({cells, row_px: row}) =>
  Math.min(TALLEST_PX, Math.max(600, ...cells.map(([, y]) => (y + 2) * row)));

/** Returns [x, y, times] in pixels of a picture `width` wide on which a CSS pixel is `scale`. */
export const pointsOf = ({cells, columns, row_px: row}, width, scale) =>
  cells.map(([x, y, times]) => [((x + 0.5) / columns) * width, (y + 0.5) * row * scale, times]);

/** Returns what counts as hottest: few cells that are far above the others must not make these invisible. */
export const hottest = (cells) => {
  const times = cells.map(([, , each]) => each).sort((one, other) => one - other);
  return Math.max(1, times[Math.floor((times.length - 1) * 0.98)] ?? 1);
};

/** Returns the share of views that came to a depth or deeper; `cells` have the deepest row of each. */
const reachedOf = (cells, total, row) => {
  let reached = 0;
  for (const [, deepest, times] of cells) if (deepest >= row) reached += times;
  return total ? reached / total : 0;
};

/** Returns {top, height, share} of equal bands of a page `height` CSS pixels high: who saw a band's first row. */
export const bandsOf = ({cells, total, row_px: row}, height, count = 12) => {
  const step = Math.max(row, Math.ceil(height / count / row) * row);
  const bands = [];
  for (let top = 0; top < height; top += step) {
    bands.push({top, height: Math.min(step, height - top), share: reachedOf(cells, total, top / row)});
  }
  return bands;
};

/** Returns the cells with the most, as {x (share of the width), y (CSS pixels), times, share}. */
export const spotsOf = ({cells, columns, row_px: row, total}, count = 10) =>
  [...cells]
    .sort((one, other) => other[2] - one[2] || one[1] - other[1] || one[0] - other[0])
    .slice(0, count)
    .map(([x, y, times]) => ({
      near: `${x},${y}`,
      x: (x + 0.5) / columns,
      y: y * row,
      times,
      share: total ? times / total : 0,
    }));

/** Returns the cell at a place of a picture, {x, y} in parts of its width and in CSS pixels of the page, as COLUMN,ROW. */
export const cellAt = ({x, y}, {columns, row_px: row}) =>
  `${Math.max(0, Math.min(columns - 1, Math.floor(x * columns)))},${Math.max(0, Math.floor(y / row))}`;

/** Returns the middle of a cell: {x: part of the width, y: CSS pixels}, null for what is no cell. */
export const placeOf = (near, {columns, row_px: row}) => {
  const found = /^(\d{1,4}),(\d{1,4})$/.exec(near);
  return found && {x: (Number(found[1]) + 0.5) / columns, y: (Number(found[2]) + 0.5) * row};
};
