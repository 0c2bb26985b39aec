/** What all reports of a site are asked with: days, comparison, and filters, as they stand in the address. */
import {asTree, filterText, readFilter, writeFilter} from './filters.js';
import {getPlace, go, usePlace, withParams} from './place.js';
import {getSession} from './session.js';
import {getWeekStart, useWeekStart} from './week.js';
import {getZone, useZone} from './zone.js';
import {addDays, dayIn, periodOf, rangeOf} from '../ui/period/days.js';

/** Periods to choose from; any other is one day or FROM..TO. docs/reports.md says what they mean. */
export const PERIODS = ['today', 'yesterday', '24h', '7d', 'week', 'last_week', '30d', '90d', 'month', 'last_month', '12mo', 'year', 'all']; // prettier-ignore
export const DEFAULT_PERIOD = '30d';

const asText = (period) => (/^\d{4}-/.test(period) ? period.replace('..', ',') : period);

const siteZone = (site) =>
  getSession()?.sites.find(({name, aliases}) => name === site || aliases?.includes(site))?.timezone ?? 'UTC';

/** Returns a week as its days, since it is the reader who knows when it begins; any other period as it is. */
const inDays = (period, zone) =>
  ['week', 'last_week'].includes(period) ? periodOf(...rangeOf(period, dayIn(zone), getWeekStart())) : period;

/** Returns what a question's days are compared with: those of the running week with the same of the week before. */
const comparedDays = ({period, compare}, zone) => {
  if (period !== 'week' || compare !== 'previous') return inDays(compare, zone);
  const [from, to] = rangeOf(period, dayIn(zone), getWeekStart());
  return periodOf(addDays(from, -7), addDays(to, -7));
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
  useWeekStart();
  return questionOf(usePlace());
};

/** Returns the parameters of GET /api/v1/stats/query for a question, and more: {metrics: 'visitors', dimensions: 'page'}. */
export const toQuery = (question, more = {}) => {
  const zone = getZone() || siteZone(question.site);
  return {
    site: question.site,
    date_range: asText(inDays(question.period, zone)),
    compare: comparedDays(question, zone),
    filters: asTree(question.filters),
    segment: question.segment,
    timezone: getZone(),
    week_start: getWeekStart(),
    ...more,
  };
};

/** Returns the days of the other reports, which are those of the site. */
export const reportPeriod = ({site, period}) => inDays(period, siteZone(site));

/** Returns the parameters of the other reports (goals, funnel, vitals …), which say period= and filter= as text. */
export const toReport = (question, more = {}) => ({
  site: question.site,
  period: reportPeriod(question),
  filter: filterText(question.filters),
  segment: question.segment,
  ...more,
});

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
