/** Makes or changes a funnel; it can be tried on the days that are chosen before it is saved. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {ask as askServer, at, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Skeleton, wordsOf} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';
import {Bars} from './Bars.jsx';
import {StepFields} from './StepFields.jsx';
import {STEPS_MOST, definitionOf, draftOf, isWhole, moved, newStep} from './steps.js';

const Window = ({draft, onType}) => (
  <div class="g-side-by-side">
    <Field
      label={t('funnels.window')}
      type="select"
      value={draft.within}
      help={t(`funnels.within_help.${draft.within}`)}
      onChange={({target}) => onType({within: target.value})}
    >
      {['visit', 'minutes', 'days'].map((within) => (
        <option key={within} value={within}>
          {t(`funnels.within.${within}`)}
        </option>
      ))}
    </Field>
    {draft.within !== 'visit' && (
      <Field
        label={t(`funnels.${draft.within}`)}
        type="number"
        min={1}
        max={draft.within === 'minutes' ? 1440 : 90}
        step={1}
        required
        value={draft[draft.within]}
        onInput={({target}) => onType({[draft.within]: target.value})}
      />
    )}
    <Field
      label={t('funnels.order')}
      type="select"
      value={draft.order}
      help={t(`funnels.order_help.${draft.order}`)}
      onChange={({target}) => onType({order: target.value})}
    >
      {['loose', 'strict'].map((order) => (
        <option key={order} value={order}>
          {t(`funnels.order.${order}`)}
        </option>
      ))}
    </Field>
  </div>
);

/** Focuses the buttons or the field of a step that was moved or added, once it stands where it shall. */
const useFocus = (list) => {
  const wanted = useRef('');
  useEffect(() => {
    if (!wanted.current) return;
    list.current?.querySelector(wanted.current)?.focus();
    wanted.current = '';
  });
  return (selector) => {
    wanted.current = selector;
  };
};

const Steps = ({steps, onChange, question}) => {
  const list = useRef(null);
  const focusLater = useFocus(list);
  const [said, setSaid] = useState('');
  const move = (from, by) => {
    const next = moved(steps, from, by);
    if (next === steps) return;
    focusLater(`[data-step="${steps[from].key}"] .step-move-${by < 0 ? 'up' : 'down'}`);
    setSaid(t('funnels.moved', {from: from + 1, to: from + by + 1}));
    onChange(next);
  };
  const add = () => {
    const step = newStep();
    focusLater(`[data-step="${step.key}"] select`);
    onChange([...steps, step]);
  };
  const remove = (place) => {
    focusLater('.step-add');
    onChange(steps.toSpliced(place, 1));
  };
  return (
    <fieldset class="g-steps" ref={list}>
      <legend>{t('funnels.steps')}</legend>
      <p class="g-note">{t('funnels.steps_help')}</p>
      <ol>
        {steps.map((step, place) => (
          <StepFields
            key={step.key}
            step={step}
            place={place}
            count={steps.length}
            question={question}
            onType={(more) => onChange(steps.with(place, {...step, ...more}))}
            onMove={(by) => move(place, by)}
            onRemove={() => remove(place)}
          />
        ))}
      </ol>
      <span class="unseen" role="status" aria-live="polite">
        {said}
      </span>
      {steps.length < STEPS_MOST && (
        <button type="button" class="button step-add" onClick={add}>
          <Icon name="plus" /> {t('funnels.add_step')}
        </button>
      )}
    </fieldset>
  );
};

const TryOut = ({tried}) => {
  if (!tried) return null;
  const {report, error, isLoading} = tried;
  return (
    <section class="g-check-box" aria-label={t('funnels.tried')} aria-live="polite" aria-busy={Boolean(isLoading)}>
      <strong>{t('funnels.tried')}</strong>
      {isLoading && <Skeleton rows={3} />}
      {error && <p class="trouble">{wordsOf(error).filter(Boolean).join(' ')}</p>}
      {report && <Bars report={{...report, steps: report.steps.map((step) => ({...step, sessions: null}))}} />}
    </section>
  );
};

/** Returns [what the try-out found, how to ask it]. */
const useTryOut = (draft) => {
  const question = useQuestion();
  const [tried, setTried] = useState(null);
  const ask = async () => {
    setTried({isLoading: true});
    try {
      const report = await askServer('/api/v1/stats/funnel', {...toReport(question), ...definitionOf(draft)});
      setTried({report});
    } catch (error) {
      setTried({error});
    }
  };
  return [tried, ask, question];
};

/** `funnel` null makes a new one; onDone(funnel) when it is saved. */
export const FunnelDialog = ({place, funnel, onClose, onDone}) => {
  const [draft, setDraft] = useState(() => draftOf(funnel));
  const [tried, tryOut, question] = useTryOut(draft);
  const type = (more) => setDraft((old) => ({...old, ...more}));
  const save = async () => {
    const body = {name: draft.name.trim(), ...definitionOf(draft)};
    const saved = funnel
      ? await send('PATCH', at`/api/v1/sites/${place.site}/funnels/${funnel.id}`, body)
      : await send('POST', at`/api/v1/sites/${place.site}/funnels`, body);
    say(t('funnels.saved', {name: saved.name}));
    onDone(saved);
  };
  return (
    <Dialog title={funnel ? t('funnels.edit_one', {name: funnel.name}) : t('funnels.make')} isWide onClose={onClose}>
      <Form
        onSend={save}
        submit={funnel ? t('state.save') : t('funnels.submit')}
        extra={
          <button
            type="button"
            class="button"
            aria-disabled={!isWhole(draft)}
            onClick={() => isWhole(draft) && tryOut()}
          >
            {t('funnels.try')}
          </button>
        }
      >
        <Field
          label={t('goals.name')}
          value={draft.name}
          required
          maxlength={80}
          autocomplete="off"
          onInput={({target}) => type({name: target.value})}
        />
        <Steps steps={draft.steps} onChange={(steps) => type({steps})} question={question} />
        <Window draft={draft} onType={type} />
        <TryOut tried={tried} />
      </Form>
    </Dialog>
  );
};
