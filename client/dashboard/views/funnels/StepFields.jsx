/** One step of a funnel while it is edited: what it looks for, and buttons that move it; Alt and the arrow keys move it too. */
import {useId} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {Field} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Known} from '../goals/Known.jsx';
import {KINDS, STEPS_LEAST} from './steps.js';

const PLACEHOLDERS = {page: '/checkout*', event: 'signup', filter: 'outbound contains pay'};

const Buttons = ({place, count, onMove, onRemove}) => {
  const number = place + 1;
  return (
    <span class="step-buttons">
      <button
        type="button"
        class="button quiet step-move-up"
        aria-label={t('funnels.up', {number})}
        aria-disabled={place === 0}
        onClick={() => onMove(-1)}
      >
        ↑
      </button>
      <button
        type="button"
        class="button quiet step-move-down"
        aria-label={t('funnels.down', {number})}
        aria-disabled={number === count}
        onClick={() => onMove(1)}
      >
        ↓
      </button>
      <button
        type="button"
        class="button quiet"
        aria-label={t('funnels.remove_step', {number})}
        disabled={count <= STEPS_LEAST}
        onClick={onRemove}
      >
        <Icon name="trash" />
      </button>
    </span>
  );
};

export const StepFields = ({step, place, count, question, onType, onMove, onRemove}) => {
  const list = useId();
  const number = place + 1;
  const onKeyDown = (event) => {
    const by = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (!by || !event.altKey) return;
    event.preventDefault();
    onMove(by);
  };
  return (
    <li data-step={step.key} class="step-edit" onKeyDown={onKeyDown} aria-label={t('funnels.step', {number})}>
      <span class="step-number" aria-hidden="true">
        {number}
      </span>
      <Field
        label={t('funnels.step_kind', {number})}
        type="select"
        value={step.kind}
        onChange={({target}) => onType({kind: target.value})}
      >
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {t(`funnels.kinds.${kind}`)}
          </option>
        ))}
      </Field>
      <Field
        label={t(`funnels.value.${step.kind}`, {number})}
        value={step.value}
        required
        autocomplete="off"
        placeholder={PLACEHOLDERS[step.kind]}
        list={step.kind === 'filter' ? undefined : list}
        onInput={({target}) => onType({value: target.value})}
      />
      <Field
        label={t('funnels.step_name', {number})}
        value={step.name}
        maxlength={80}
        autocomplete="off"
        onInput={({target}) => onType({name: target.value})}
      />
      {step.kind !== 'filter' && <Known id={list} dimension={step.kind} question={question} />}
      <Buttons place={place} count={count} onMove={onMove} onRemove={onRemove} />
    </li>
  );
};
