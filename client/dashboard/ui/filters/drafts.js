/** Conditions as they are being made: a property's name stands apart from its dimension. */
import {PROPERTY, isNumeric, operatorsOf} from './names.js';

export const NEW = {dimension: 'page', operator: 'is', values: [], property: ''};

const draftOf = (condition) => {
  const isProperty = condition.dimension.startsWith(PROPERTY);
  return {
    ...condition,
    dimension: isProperty ? 'prop' : condition.dimension,
    property: isProperty ? condition.dimension.slice(PROPERTY.length) : '',
  };
};

/** Returns the drafts of a filter: one, or those of its group; without a filter a new one. */
export const draftsOf = (filter) => {
  if (!filter) return [NEW];
  return (filter.filters ?? [filter]).map(draftOf);
};

export const dimensionOf = ({dimension, property}) =>
  dimension === 'prop' ? `${PROPERTY}${property.trim()}` : dimension;

/** Returns the operator of a draft: the first one where its dimension does not know the chosen one. */
export const operatorOf = (draft) => {
  const operators = operatorsOf(dimensionOf(draft));
  return operators.includes(draft.operator) ? draft.operator : operators[0];
};

/** Says whether a draft is compared with one number. */
export const isNumber = (draft) => /^[gl]te?$/.test(operatorOf(draft)) || isNumeric(dimensionOf(draft));

export const isReady = (draft) => draft.values.length > 0 && dimensionOf(draft) !== PROPERTY;

/** Returns the condition that a draft has become. */
export const conditionOf = (draft) => ({
  dimension: dimensionOf(draft),
  operator: operatorOf(draft),
  values: isNumber(draft) ? draft.values.slice(0, 1) : draft.values,
});

/** Returns the filter of drafts: of one a condition, unless it is to be kept out; of several a group. */
export const filterOf = (drafts, mode) => {
  const filters = drafts.map(conditionOf);
  return filters.length === 1 && mode === 'any' ? filters[0] : {operator: mode, dimension: '', values: [], filters};
};
