/** Rows of lists as people read them, and what a click on them does. */
import {flag} from '../../app/format.js';
import {valueName} from '../../ui/filters/names.js';
import {addFilter, hasFilter} from '../../app/question.js';

const PAGES = new Set(['page', 'entry', 'exit']);
const ADDRESSES = new Set(['outbound', 'download', 'target']);

/** Returns where a page is, if that is certain: on the site's first host that is one. */
const hrefOf = (dimension, value, site) => {
  if (ADDRESSES.has(dimension)) return value;
  const host = site?.hostnames.find((name) => !name.includes('*'));
  if (!PAGES.has(dimension) || !host || !value.startsWith('/')) return '';
  return `https://${host}${value}`;
};

/** Returns how rows of a dimension are shown: (row) → {value, name, mark, href}. */
export const itemsOf = (dimension, site) => (row) => {
  const value = row.dimensions[dimension];
  return {
    value,
    name: ADDRESSES.has(dimension) ? value.replace(/^https?:\/\//, '') : valueName(dimension, value),
    mark: dimension === 'country' ? flag(value) : '',
    href: hrefOf(dimension, value, site),
  };
};

/** Returns what a click on a row does: one more filter; with those that the list itself has. */
export const pickOf =
  (dimension, filters = []) =>
  (value) => {
    for (const {dimension: other, operator, values} of filters) {
      for (const one of values) addFilter(other, one, operator);
    }
    addFilter(dimension, value);
  };

export const chosenOf = (question, dimension) => (value) => hasFilter(question, dimension, value);
