/** Filters in words. */
import {t, textOr} from '../../app/i18n.js';
import {dimensionName, valueName} from './names.js';

const MOST_VALUES = 3;

const valuesText = (dimension, values) => {
  const names = values.map((value) => valueName(dimension, value));
  if (names.length <= MOST_VALUES) return names.join(` ${t('filters.or')} `);
  return t('filters.more', {names: names.slice(0, MOST_VALUES).join(', '), count: names.length - MOST_VALUES});
};

const Condition = ({condition: {operator, dimension, values}}) => (
  <>
    {dimensionName(dimension)} {textOr(`operator.${operator}`, operator)}{' '}
    <strong>{valuesText(dimension, values)}</strong>
  </>
);

/** A condition, or a group: Country is Germany or Page contains pricing. */
export const Written = ({filter}) => {
  if (!filter.filters) return <Condition condition={filter} />;
  return (
    <>
      {filter.operator === 'none' && <em>{t('filters.none_of')} </em>}
      {filter.filters.map((condition, place) => (
        <span key={place}>
          {place > 0 && <em> {t('filters.or')} </em>}
          <Condition condition={condition} />
        </span>
      ))}
    </>
  );
};

/** Returns what a filter is of, for labels: Country, Page. */
export const filterName = ({dimension, filters}) =>
  filters
    ? [...new Set(filters.map((one) => dimensionName(one.dimension)))].join(` ${t('filters.or')} `)
    : dimensionName(dimension);
