/** Lays the links of journeys out as columns of pages with ribbons between them. */

export const COLUMN = 210; // pixels from column to column, at least
export const BAR = 12; // width of a page's bar
const GAP = 26; // between pages, so that a name fits under each other one
const TALLEST = 420; // of all visits together
const TOP = 4;
const LAST = ['(other)', '(exit)', '(entry)']; // below all pages, in this order

const idOf = (column, page) => `${column} ${page}`;

const collect = (links) => {
  const nodes = new Map();
  const nodeAt = (column, page) => {
    const id = idOf(column, page);
    if (!nodes.has(id)) nodes.set(id, {id, column, page, into: 0, out: 0});
    return nodes.get(id);
  };
  for (const {step, from, to, visits} of links) {
    nodeAt(step - 1, from).out += visits;
    nodeAt(step, to).into += visits;
  }
  return [...nodes.values()].map(({into, out, ...node}) => ({...node, visits: Math.max(into, out)}));
};

const order = (one, other) =>
  LAST.indexOf(one.page) - LAST.indexOf(other.page) || other.visits - one.visits || (one.page < other.page ? -1 : 1);

const place = (nodes, columns, {scale, isBackwards, column: width}) => {
  const placed = new Map();
  let height = 0;
  for (let column = 0; column < columns; column += 1) {
    let y = TOP;
    for (const node of nodes.filter((each) => each.column === column).sort(order)) {
      const x = (isBackwards ? columns - 1 - column : column) * width;
      const tall = Math.max(3, node.visits * scale);
      placed.set(node.id, {...node, x, y, height: tall, filledIn: 0, filledOut: 0});
      y += Math.max(tall, 10) + GAP;
    }
    height = Math.max(height, y);
  }
  return {placed, height};
};

/** The outline of a ribbon from (x1, y1) to (x2, y2), so high. */
const outline = (x1, y1, x2, y2, height) => {
  const middle = (x1 + x2) / 2;
  const curve = (fromY, toX, toY) => `C${middle},${fromY} ${middle},${toY} ${toX},${toY}`;
  return `M${x1},${y1} ${curve(y1, x2, y2)} V${y2 + height} ${curve(y2 + height, x1, y1 + height)} Z`;
};

const ribbonsOf = (links, placed, scale, isBackwards) => {
  const sorted = links.toSorted(
    (one, other) => placed.get(idOf(one.step, one.to)).y - placed.get(idOf(other.step, other.to)).y,
  );
  return sorted.map(({step, from, to, visits}) => {
    const source = placed.get(idOf(step - 1, from));
    const target = placed.get(idOf(step, to));
    const height = Math.max(1, visits * scale);
    const ends = isBackwards ? [source.x, target.x + BAR] : [source.x + BAR, target.x];
    const path = outline(ends[0], source.y + source.filledOut, ends[1], target.y + target.filledIn, height);
    source.filledOut += visits * scale;
    target.filledIn += visits * scale;
    return {id: `${source.id} ${to}`, from: source.id, to: target.id, visits, path};
  });
};

/**
 * Returns {nodes, ribbons, width, height} of the `links` of an answer of /api/v1/stats/journeys. A node is {id, column, page,
 * visits, x, y, height}, a ribbon {id, from, to, visits, path}. Journeys backwards run from the right to the left.
 * `room` is the width that there is; a drawing may need more.
 */
export const layout = (links, direction = 'next', room = 0) => {
  if (!links.length) return {nodes: [], ribbons: [], width: 0, height: 0, column: COLUMN};
  const isBackwards = direction === 'previous';
  const nodes = collect(links);
  const columns = Math.max(...nodes.map(({column}) => column)) + 1;
  const first = nodes.filter(({column}) => column === 0).reduce((sum, {visits}) => sum + visits, 0);
  const scale = TALLEST / Math.max(first, 1);
  const column = Math.max(COLUMN, Math.floor(room / columns));
  const {placed, height} = place(nodes, columns, {scale, isBackwards, column});
  const ribbons = ribbonsOf(links, placed, scale, isBackwards);
  return {nodes: [...placed.values()], ribbons, width: columns * column, height, column};
};

/** Is a node a page, and not one of (other), (exit) and (entry)? */
export const isPage = ({page}) => !LAST.includes(page);
