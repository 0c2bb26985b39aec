/** Values of a dimension: typed, or chosen from those that the site has. */
import {useEffect, useId, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toQuery} from '../../app/question.js';
import {Icon} from '../icon.jsx';
import {PROPERTY, dimensionName, isCoded, isNumeric, valueName} from './names.js';

const MOST_SHOWN = 8;
const PAUSE_MS = 200;

/** Returns what was typed once nothing more was for a moment. */
export const usePaused = (text) => {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
};

const askedOf = (question, dimension, text) => {
  const filters = text && !isCoded(dimension) ? [{dimension, operator: 'contains', values: [text]}] : [];
  const more = {dimensions: dimension, metrics: dimension === 'kind' ? 'events' : 'visits'};
  return toQuery(
    {...question, compare: '', segment: '', filters},
    {...more, timezone: '', limit: isCoded(dimension) ? 300 : MOST_SHOWN * 2},
  );
};

/** Returns values of the site that fit what was typed: [{value, name, count}]. */
const useSuggested = (question, dimension, text) => {
  const isAsked = dimension !== PROPERTY && !isNumeric(dimension);
  const {data, isLoading} = useAnswer(isAsked ? '/api/v1/stats/query' : null, askedOf(question, dimension, text));
  if (!isAsked || data?.query?.dimensions[0] !== dimension) return {found: [], isLoading};
  const small = text.toLowerCase();
  const found = data.rows
    .map(({dimensions, metrics}) => ({value: dimensions[dimension], count: Object.values(metrics)[0]}))
    .map((row) => ({...row, name: valueName(dimension, row.value)}))
    .filter(({value, name}) => `${value} ${name}`.toLowerCase().includes(small));
  return {found, isLoading};
};

const Chosen = ({dimension, values, onRemove}) => (
  <ul class="chips">
    {values.map((value) => (
      <li key={value} class="chip">
        {valueName(dimension, value)}
        <button
          type="button"
          aria-label={t('filters.remove_value', {name: valueName(dimension, value)})}
          onClick={() => onRemove(value)}
        >
          <Icon name="close" size={14} />
        </button>
      </li>
    ))}
  </ul>
);

const Options = ({id, found, active, onPick}) => (
  <ul class="options" id={id} role="listbox" aria-label={t('filters.suggestions')}>
    {found.map(({value, name, count}, place) => (
      <li
        key={value}
        id={`${id}-${place}`}
        role="option"
        aria-selected={place === active}
        onPointerDown={(event) => {
          event.preventDefault(); // the focus stays where one types
          onPick(value);
        }}
      >
        <span>{name}</span>
        {count !== undefined && <small>{whole(count)}</small>}
      </li>
    ))}
  </ul>
);

/** Returns what Enter adds: the suggestion that is marked, the one of that name, or the text itself. */
const typedValue = (text, found, active) => {
  if (found[active]) return found[active].value;
  const small = text.trim().toLowerCase();
  const same = found.find(({value, name}) => value.toLowerCase() === small || name.toLowerCase() === small);
  return same?.value ?? text.trim();
};

export const ValuesField = ({question, dimension, values, help, onChange}) => {
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(-1);
  const {found: all, isLoading} = useSuggested(question, dimension, usePaused(text.trim()));
  const found = all.filter(({value}) => !values.includes(value)).slice(0, MOST_SHOWN);
  const add = (value) => {
    if (value && !values.includes(value)) onChange([...values, value]);
    setText('');
    setActive(-1);
  };
  const onKeyDown = (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step && found.length) {
      event.preventDefault();
      setActive((active + step + found.length + (active < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === 'Enter' && (text.trim() || found[active])) {
      event.preventDefault();
      add(typedValue(text, found, active));
    } else if (event.key === 'Backspace' && !text && values.length) {
      onChange(values.slice(0, -1));
    }
  };
  return (
    <div class="field values">
      <label for={id}>{t('filters.values', {name: dimensionName(dimension)})}</label>
      {values.length > 0 && (
        <Chosen
          dimension={dimension}
          values={values}
          onRemove={(gone) => onChange(values.filter((one) => one !== gone))}
        />
      )}
      <input
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        aria-autocomplete="list"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={active >= 0 ? `${id}-list-${active}` : undefined}
        aria-describedby={`${id}-help`}
        placeholder={t('filters.type')}
        value={text}
        onInput={({target}) => {
          setText(target.value);
          setActive(-1);
        }}
        onBlur={() => text.trim() && add(typedValue(text, found, -1))}
        onKeyDown={onKeyDown}
      />
      <small id={`${id}-help`}>{help || t('filters.help_values')}</small>
      {found.length > 0 && <Options id={`${id}-list`} found={found} active={active} onPick={add} />}
      {found.length === 0 && isLoading && <small role="status">{t('state.loading')}</small>}
    </div>
  );
};
