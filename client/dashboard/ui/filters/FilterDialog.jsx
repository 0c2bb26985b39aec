/** Makes a filter, or changes one: a condition, or several of which one is enough, or none may hold. */
import {useState} from 'preact/hooks';
import {isGroup} from '../../app/filters.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../dialog.jsx';
import {Field} from '../form.jsx';
import {Icon} from '../icon.jsx';
import {ConditionFields} from './ConditionFields.jsx';
import {Written, filterName} from './Written.jsx';
import {NEW, conditionOf, draftsOf, filterOf, isReady} from './drafts.js';

const MOST_CONDITIONS = 12;
const MODES = ['any', 'none'];

/** Returns the drafts, which of them is open, and what changes them; another one is made once the open one is ready. */
const useDrafts = (filter) => {
  const [{drafts, open, isMoved}, setState] = useState(() => ({drafts: draftsOf(filter), open: 0, isMoved: false}));
  const [isWarned, setWarned] = useState(false);
  const missing = drafts.findIndex((draft) => !isReady(draft));
  const move = (place, list = drafts) => {
    setState({drafts: list, open: place, isMoved: true});
    setWarned(false);
  };
  const warn = () => {
    setState({drafts, open: missing, isMoved});
    setWarned(true);
  };
  return {
    drafts,
    open,
    isMoved,
    isWarned: isWarned && missing >= 0,
    show: (place) => (missing >= 0 ? warn() : move(place)),
    add: () => (missing >= 0 ? warn() : move(drafts.length, [...drafts, NEW])),
    remove: (place) => {
      const left = drafts.toSpliced(place, 1);
      const kept = place < open ? open - 1 : open;
      move(Math.min(kept, left.length - 1), left);
    },
    change: (more) => setState((old) => ({...old, drafts: old.drafts.with(open, {...old.drafts[open], ...more})})),
    /** Calls back once every condition is whole, and shows the first that is not. */
    whenReady: (callback) => (missing >= 0 ? warn() : callback()),
  };
};

const Closed = ({draft, place, onShow, onRemove}) => {
  const condition = conditionOf(draft);
  return (
    <li class="chip">
      <button
        type="button"
        class="chip-text"
        title={t('filters.change', {name: filterName(condition)})}
        onClick={() => onShow(place)}
      >
        <Written filter={condition} />
      </button>
      <button
        type="button"
        aria-label={t('filters.remove', {name: filterName(condition)})}
        onClick={() => onRemove(place)}
      >
        <Icon name="close" size={14} />
      </button>
    </li>
  );
};

const Conditions = ({question, edited}) => {
  const {drafts, open} = edited;
  return (
    <ol class="conditions">
      {drafts.map((draft, place) =>
        place === open ? (
          <li key={place}>
            <ConditionFields
              key={place}
              question={question}
              draft={draft}
              isEntered={edited.isMoved}
              onChange={edited.change}
            />
            {drafts.length > 1 && (
              <button type="button" class="button quiet" onClick={() => edited.remove(place)}>
                {t('filters.remove_condition')}
              </button>
            )}
          </li>
        ) : (
          <Closed key={place} draft={draft} place={place} onShow={edited.show} onRemove={edited.remove} />
        ),
      )}
    </ol>
  );
};

/** Without `filter` it makes a new one; `onKeep` gets it. */
export const FilterDialog = ({question, filter, onKeep, onClose}) => {
  const [mode, setMode] = useState(filter && isGroup(filter) ? filter.operator : 'any');
  const edited = useDrafts(filter);
  const {drafts} = edited;
  const keep = (event) => {
    event.preventDefault();
    edited.whenReady(() => onKeep(filterOf(drafts, mode)));
  };
  return (
    <Dialog title={t(filter ? 'filters.edit' : 'filters.add')} onClose={onClose}>
      <form class="form" onSubmit={keep} noValidate>
        {(drafts.length > 1 || mode === 'none') && (
          <Field label={t('filters.mode')} type="select" value={mode} onChange={({target}) => setMode(target.value)}>
            {MODES.map((name) => (
              <option key={name} value={name}>
                {t(`filters.mode_${name}`)}
              </option>
            ))}
          </Field>
        )}
        <Conditions question={question} edited={edited} />
        {drafts.length < MOST_CONDITIONS && (
          <p>
            <button type="button" class="button quiet" onClick={edited.add}>
              <Icon name="plus" size={16} /> {t('filters.add_condition')}
            </button>
          </p>
        )}
        {edited.isWarned && (
          <p class="trouble" role="alert">
            {t('filters.no_value')}
          </p>
        )}
        <p class="actions">
          <button type="button" class="button" onClick={onClose}>
            {t('state.cancel')}
          </button>
          <button type="submit" class="button primary">
            {t('filters.keep')}
          </button>
        </p>
      </form>
    </Dialog>
  );
};
