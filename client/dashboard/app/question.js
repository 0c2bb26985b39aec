/** What all reports of a site are asked with: days, comparison, and filters, as they stand in the address. */
import {getPlace, go, usePlace, withParams} from './place.js';
import {getZone, useZone} from './zone.js';

/** Periods to choose from; any other is one day or FROM..TO. docs/reports.md says what they mean. */
export const PERIODS = ['today', 'yesterday', '24h', '7d', '30d', '90d', 'month', 'last_month', '12mo', 'year', 'all'];
export const DEFAULT_PERIOD = '30d';
export const OPERATORS = [
  'is',
  'is_not',
  'contains',
  'not_contains',
  'matches',
  'not_matches',
  'gt',
  'gte',
  'lt',
  'lte',
];

const escaped = (text) => text.replace(/[\\,]/g, '\\$&');
const parts = (text) =>
  (text.match(/(?:\\.|[^\\,])+|(?<=,|^)(?=,|$)/g) ?? []).map((part) => part.replace(/\\(.)/g, '$1'));

/** A filter is {operator, dimension, values}; in the address f=is,country,DE,FR with commas of values escaped. */
export const writeFilter = ({operator, dimension, values}) => [operator, dimension, ...values].map(escaped).join(',');

/** A filter that is none stays one, so that the server refuses it: without it there would be other numbers than were asked for. */
const readFilter = (text) => {
  const [operator = '', dimension = '', ...values] = parts(text);
  return {operator, dimension, values};
};

const asText = ({period}) => (/^\d{4}-/.test(period) ? period.replace('..', ',') : period);

const asTree = (filters) => {
  const conditions = filters.map(({operator, dimension, values}) => [
    operator,
    dimension,
    /^[gl]te?$/.test(operator) ? values.map(Number) : values,
  ]);
  return conditions.length ? JSON.stringify(conditions.length === 1 ? conditions[0] : {and: conditions}) : '';
};

/** Returns the question of an address: {site, period, compare, interval, filters, segment}. */
export const questionOf = ({site, params}) => ({
  site,
  period: params.get('period') || DEFAULT_PERIOD,
  compare: params.get('compare') || '',
  interval: params.get('interval') || '',
  filters: params.getAll('f').filter(Boolean).map(readFilter),
  segment: params.get('segment') || '',
});

/** Renders again when the address changes, and when somebody chooses the days of another time zone. */
export const useQuestion = () => {
  useZone();
  return questionOf(usePlace());
};

/** Returns the parameters of GET /api/v1/stats/query for a question, and more: {metrics: 'visitors', dimensions: 'page'}. */
export const toQuery = (question, more = {}) => ({
  site: question.site,
  date_range: asText(question),
  compare: question.compare,
  filters: asTree(question.filters),
  segment: question.segment,
  timezone: getZone(),
  ...more,
});

/** Returns the parameters of the other reports (goals, funnel, vitals …), which say period= and filter= as text. */
export const toReport = (question, more = {}) => ({
  site: question.site,
  period: question.period,
  filter: filterText(question.filters),
  segment: question.segment,
  ...more,
});

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
const conditionText = ({operator, dimension, values}) =>
  `${named(dimension)} ${WORDS[operator] ?? operator} ${values.map(quoted).join(',')}`;

/** Returns filters as the text that segments are saved by, and that the command line takes (docs/reports.md). */
export const filterText = (filters) => filters.map(conditionText).join(' and ');

const isSame = (one, other) => one.dimension === other.dimension && one.operator === other.operator;

const show = (filters) => go(withParams({f: filters.map(writeFilter)}));

/** Filters by one more value: of the same dimension and operator it joins the others (or), elsewhere it is one more condition. */
export const addFilter = (dimension, value, operator = 'is') => {
  const {filters} = questionOf(getPlace());
  const old = filters.find((filter) => isSame(filter, {dimension, operator}));
  if (old?.values.includes(value)) return;
  const next = {operator, dimension, values: [...(old?.values ?? []), value]};
  show([...filters.filter((filter) => filter !== old), next]);
};

/** Puts a filter in the place of another; without `next` takes the other away. */
export const changeFilter = (place, next) => {
  const {filters} = questionOf(getPlace());
  show(next ? filters.with(place, next) : filters.toSpliced(place, 1));
};

export const appendFilter = (filter) => show([...questionOf(getPlace()).filters, filter]);
export const clearFilters = () => go(withParams({f: null, segment: null}));

/** Is there such a filter already? */
export const hasFilter = (question, dimension, value) =>
  question.filters.some(
    (filter) => filter.dimension === dimension && filter.operator === 'is' && filter.values.includes(value),
  );
