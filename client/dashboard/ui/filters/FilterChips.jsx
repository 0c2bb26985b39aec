/** The filters that hold, each with a button that takes it away. */
import {t} from '../../app/i18n.js';
import {changeFilter, clearFilters} from '../../app/question.js';
import {Icon} from '../icon.jsx';

export const FilterChips = ({question, isEmbedded}) => (
  <div class="chips">
    {question.filters.map(({operator, dimension, values}, place) => (
      <span key={`${operator}${dimension}`} class="chip">
        {t(`dimension.${dimension}`)} {t(`operator.${operator}`)} <strong>{values.join(', ')}</strong>
        {!isEmbedded && (
          <button type="button" aria-label={t('filters.remove', {name: dimension})} onClick={() => changeFilter(place)}>
            <Icon name="close" size={14} />
          </button>
        )}
      </span>
    ))}
    {question.filters.length > 1 && (
      <button type="button" class="button quiet" onClick={clearFilters}>
        {t('filters.clear')}
      </button>
    )}
  </div>
);
