/** Dimensions and their values as people read them, and which there are to filter by. */
import {country, languageName} from '../../app/format.js';
import {hasText, t, textOr} from '../../app/i18n.js';

export const PROPERTY = 'prop:';

/** Dimensions to filter by, in groups. */
export const GROUPS = [
  ['pages', ['page', 'entry', 'exit', 'host', 'title']],
  ['sources', ['channel', 'source', 'referrer', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'click_id']], // prettier-ignore
  ['places', ['country', 'region', 'city', 'organisation', 'language']],
  ['devices', ['device', 'browser', 'browser_version', 'os', 'os_version', 'screen']],
  ['actions', ['event', 'prop', 'outbound', 'download', 'form', 'click', 'target', 'kind', 'currency', 'value', 'scroll']], // prettier-ignore
];

const NUMERIC = new Set(['value', 'scroll']);
const TEXTUAL = ['is', 'is_not', 'contains', 'not_contains', 'matches', 'not_matches'];
const COMPARING = ['gt', 'gte', 'lt', 'lte'];
/** Their values are codes that people know by names, so that parts of them mean nothing. */
const CODED = new Set(['country', 'language', 'channel', 'device', 'kind', 'currency', 'click_id']);

export const isCoded = (dimension) => CODED.has(dimension);
export const isNumeric = (dimension) => NUMERIC.has(dimension);

/** Returns the operators that a dimension may be asked with. */
export const operatorsOf = (dimension) => {
  if (isNumeric(dimension)) return [...COMPARING, 'is', 'is_not'];
  if (isCoded(dimension)) return ['is', 'is_not'];
  return dimension.startsWith(PROPERTY) ? [...TEXTUAL, ...COMPARING] : TEXTUAL;
};

export const dimensionName = (dimension) =>
  dimension.startsWith(PROPERTY)
    ? t('filters.property', {name: dimension.slice(PROPERTY.length)})
    : textOr(`dimension.${dimension}`, dimension);

const NAMES = {country, language: languageName};

/** Returns a value as text: DE of country → Germany. */
export const valueName = (dimension, value) => {
  if (value === '') return t('value.none');
  if (NAMES[dimension]) return NAMES[dimension](value);
  return hasText(`${dimension}.${value}`) ? t(`${dimension}.${value}`) : String(value);
};
