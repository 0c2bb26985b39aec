/** The filters that hold: each can be changed and taken away; more are added, or a saved segment is chosen. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {useShortcuts} from '../../app/keys.js';
import {go, withParams} from '../../app/place.js';
import {appendFilter, changeFilter, clearFilters} from '../../app/question.js';
import {Icon} from '../icon.jsx';
import {FilterDialog} from './FilterDialog.jsx';
import {Segments} from './Segments.jsx';
import {Written, filterName} from './Written.jsx';

const Chip = ({filter, place, isEmbedded, onEdit}) => {
  const text = <Written filter={filter} />;
  if (isEmbedded) return <span class="chip">{text}</span>;
  return (
    <span class="chip">
      <button
        type="button"
        class="chip-text"
        title={t('filters.change', {name: filterName(filter)})}
        onClick={() => onEdit({place, filter})}
      >
        {text}
      </button>
      <button
        type="button"
        aria-label={t('filters.remove', {name: filterName(filter)})}
        onClick={() => changeFilter(place)}
      >
        <Icon name="close" size={14} />
      </button>
    </span>
  );
};

const SegmentChip = ({name, isEmbedded}) => (
  <span class="chip">
    <Icon name="star" size={14} /> {t('segment.title')} <strong>{name}</strong>
    {!isEmbedded && (
      <button type="button" aria-label={t('segment.leave', {name})} onClick={() => go(withParams({segment: null}))}>
        <Icon name="close" size={14} />
      </button>
    )}
  </span>
);

export const FilterChips = ({question, isEmbedded}) => {
  const [edited, setEdited] = useState(null);
  const {filters, segment} = question;
  useShortcuts(isEmbedded ? {} : {f: [t('filters.add'), () => setEdited({})]}, [isEmbedded]);
  const keep = (filter) => {
    if (edited.filter) changeFilter(edited.place, filter);
    else appendFilter(filter);
    setEdited(null);
  };
  return (
    <div class="chips" role="group" aria-label={t('filters.title')}>
      {segment && <SegmentChip name={segment} isEmbedded={isEmbedded} />}
      {filters.map((filter, place) => (
        <Chip key={place} {...{filter, place, isEmbedded}} onEdit={setEdited} />
      ))}
      {!isEmbedded && (
        <>
          <button type="button" class="button quiet" onClick={() => setEdited({})}>
            <Icon name="filter" size={16} /> {t('filters.add')}
          </button>
          <Segments question={question} />
          {filters.length + (segment ? 1 : 0) > 1 && (
            <button type="button" class="button quiet" onClick={clearFilters}>
              {t('filters.clear')}
            </button>
          )}
        </>
      )}
      {edited && (
        <FilterDialog question={question} filter={edited.filter} onKeep={keep} onClose={() => setEdited(null)} />
      )}
    </div>
  );
};
