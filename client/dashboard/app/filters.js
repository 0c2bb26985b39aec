/**
 * Filters as they stand in the address, as the query API takes them, and as text. A filter is a condition {operator,
 * dimension, values}, or a group {operator: 'any' | 'none', filters} of conditions of which one, or none, must hold.
 */

const GROUPS = ['any', 'none'];

export const isGroup = ({operator}) => GROUPS.includes(operator);

const escaped = (text) => text.replace(/[\\,]/g, '\\$&');

/** Returns what stands between commas that are not escaped. */
const parts = (text) => {
  const found = [''];
  for (const [all, kept = all] of text.matchAll(/\\(.)|./gs)) {
    if (all === ',') found.push('');
    else found[found.length - 1] += kept;
  }
  return found;
};

/**
 * In the address a condition is f=is,country,DE,FR with commas of values escaped, and a group f=any,CONDITION,CONDITION
 * with those of the conditions escaped once more.
 */
export const writeFilter = ({operator, dimension, values, filters}) =>
  [operator, ...(filters ? filters.map(writeFilter) : [dimension, ...values])].map(escaped).join(',');

const readCondition = (text) => {
  const [operator = '', dimension = '', ...values] = parts(text);
  return {operator, dimension, values};
};

/** A filter that is none stays one, so that the server refuses it: without it there would be other numbers than were asked for. */
export const readFilter = (text) => {
  const [operator = '', ...conditions] = parts(text);
  if (!isGroup({operator}) || !conditions.length) return readCondition(text);
  return {operator, dimension: '', values: [], filters: conditions.map(readCondition)};
};

const isComparing = (operator) => /^[gl]te?$/.test(operator);

const treeOf = ({operator, dimension, values, filters}) => {
  if (!filters) return [operator, dimension, isComparing(operator) ? values.map(Number) : values];
  const any = filters.length === 1 ? treeOf(filters[0]) : {or: filters.map(treeOf)};
  return operator === 'none' ? {not: any} : any;
};

/** Returns filters that must all hold as the query API takes them, '' for none. */
export const asTree = (filters) => {
  if (!filters.length) return '';
  return JSON.stringify(filters.length === 1 ? treeOf(filters[0]) : {and: filters.map(treeOf)});
};

const WORDS = {
  is_not: 'is not',
  not_contains: 'not contains',
  matches: 'glob',
  not_matches: 'not glob',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
};
const KEYWORDS = /^(and|or|not|is|contains|glob)$/i;
const isPlain = (text) => /^[\w./:-]+$/.test(text) && !KEYWORDS.test(text);
const quoted = (text) => (isPlain(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);
const PROPERTY = 'prop:';
const named = (dimension) =>
  dimension.startsWith(PROPERTY) ? PROPERTY + quoted(dimension.slice(PROPERTY.length)) : quoted(dimension);

const textOf = ({operator, dimension, values, filters}) => {
  if (!filters) return `${named(dimension)} ${WORDS[operator] ?? operator} ${values.map(quoted).join(',')}`;
  return `${operator === 'none' ? 'not ' : ''}(${filters.map(textOf).join(' or ')})`;
};

/** Returns filters as the text that segments are saved by, and that the command line takes (docs/reports.md). */
export const filterText = (filters) => filters.map(textOf).join(' and ');
