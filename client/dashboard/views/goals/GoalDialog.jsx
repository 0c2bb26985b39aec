/** Makes or changes a goal, and says how often it would have been reached before it is saved. */
import {useEffect, useId, useState} from 'preact/hooks';
import {ask, at, send} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Confirm, Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {wordsOf} from '../../ui/states.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';
import {Known} from './Known.jsx';
import {Revenue} from './parts.jsx';

const KINDS = ['page', 'event', 'revenue', 'scroll', 'engaged'];
const WAIT_MS = 600; // after the last key, before the check is asked

/** The fields of each kind, those that are needed first. */
const FIELDS = {
  page: {needs: ['page'], may: []},
  event: {needs: ['event'], may: ['where']},
  revenue: {needs: ['event'], may: ['where']},
  scroll: {needs: ['percent'], may: ['page']},
  engaged: {needs: ['seconds'], may: ['page']},
};

const NEW = {name: '', kind: 'page', page: '', event: '', where: '', percent: 75, engaged_ms: 60_000};

const startOf = (goal) => {
  const {name, kind, page, event, where, percent: part, engaged_ms: ms} = goal ?? NEW;
  return {name, kind, page, event, where, percent: part || NEW.percent, seconds: (ms || NEW.engaged_ms) / 1000};
};

/** Returns the goal as the server takes it: nothing but what its kind has. */
export const bodyOf = (draft) => {
  const {needs, may} = FIELDS[draft.kind];
  const body = {name: draft.name.trim(), kind: draft.kind};
  for (const field of [...needs, ...may]) {
    if (field === 'percent') body.percent = Math.round(Number(draft.percent));
    else if (field === 'seconds') body.engaged_ms = Math.round(Number(draft.seconds) * 1000);
    else if (draft[field].trim() || may.includes(field)) body[field] = draft[field].trim();
  }
  return body;
};

const isWhole = (draft) => FIELDS[draft.kind].needs.every((field) => String(draft[field]).trim());

/** Asks how often the draft was reached, a moment after the last change: {data, error, isLoading}. */
const useCheck = (draft, question) => {
  const goal = {...bodyOf(draft), name: undefined}; // a goal is tried before it has a name
  const key = isWhole(draft) ? JSON.stringify({...toReport(question), goal}) : '';
  const [state, setState] = useState({});
  useEffect(() => {
    if (!key) return setState({});
    const control = new AbortController();
    setState((old) => ({...old, isLoading: true}));
    const timer = setTimeout(
      () =>
        ask('/api/v1/stats/goals', JSON.parse(key), {signal: control.signal}).then(
          (data) => setState({data}),
          (error) => control.signal.aborted || setState({error}),
        ),
      WAIT_MS,
    );
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [key]);
  return state;
};

const Checked = ({data: {goals, visitors}}) => {
  const [{conversions, visitors: reached, rate, revenue}] = goals;
  if (!conversions) return <p>{t('goals.check_none')}</p>;
  return (
    <p>
      {t('goals.check_found', {count: conversions, number: whole(conversions), visitors: whole(reached)})}{' '}
      {t('goals.check_rate', {rate: percent(rate, 2), visitors: whole(visitors)})}{' '}
      {revenue.length > 0 && <Revenue revenue={revenue} />}
    </p>
  );
};

const Check = ({check}) => (
  <div class={check.isLoading ? 'g-check-box stale' : 'g-check-box'} role="status" aria-live="polite">
    <strong>{t('goals.check')}</strong>
    {check.error && <p class="trouble">{wordsOf(check.error).filter(Boolean).join(' ')}</p>}
    {check.data && <Checked data={check.data} />}
    {!check.error && !check.data && <p class="soft">{check.isLoading ? t('state.loading') : t('goals.check_waits')}</p>}
  </div>
);

const INPUTS = {
  page: {placeholder: '/thanks*', autocomplete: 'off'},
  event: {placeholder: 'signup', autocomplete: 'off'},
  where: {placeholder: 'prop:plan is pro and value > 10', autocomplete: 'off'},
  percent: {type: 'number', min: 1, max: 100, step: 1},
  seconds: {type: 'number', min: 1, max: 86_400, step: 'any'},
};

const KindFields = ({draft, onType, question}) => {
  const {needs, may} = FIELDS[draft.kind];
  const list = useId();
  const listed = [...needs, ...may].find((field) => ['page', 'event'].includes(field));
  return (
    <>
      {[...needs, ...may].map((field) => (
        <Field
          key={field}
          label={t(may.includes(field) ? `goals.field.${field}_maybe` : `goals.field.${field}`)}
          help={t(`goals.help.${field}`)}
          value={draft[field]}
          required={needs.includes(field)}
          list={field === listed ? list : undefined}
          onInput={({target}) => onType({[field]: target.value})}
          {...INPUTS[field]}
        />
      ))}
      {listed && <Known id={list} dimension={listed} question={question} />}
    </>
  );
};

/** `goal` null makes a new one. */
export const GoalDialog = ({place, goal, onClose, onDone}) => {
  const question = useQuestion();
  const [draft, setDraft] = useState(() => startOf(goal));
  const check = useCheck(draft, question);
  const type = (more) => setDraft((old) => ({...old, ...more}));
  const save = async () => {
    const body = bodyOf(draft);
    if (goal) await send('PATCH', at`/api/v1/sites/${place.site}/goals/${goal.id}`, body);
    else await send('POST', at`/api/v1/sites/${place.site}/goals`, body);
    say(t('goals.saved', {name: body.name}));
    onDone();
  };
  return (
    <Dialog title={goal ? t('goals.edit_one', {name: goal.name}) : t('goals.make')} onClose={onClose}>
      <Form onSend={save} submit={goal ? t('state.save') : t('goals.submit')}>
        <Field
          label={t('goals.name')}
          value={draft.name}
          required
          maxlength={80}
          autocomplete="off"
          onInput={({target}) => type({name: target.value})}
        />
        <Field
          label={t('goals.kind')}
          type="select"
          value={draft.kind}
          help={t(`goals.kind_help.${draft.kind}`)}
          onChange={({target}) => type({kind: target.value})}
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(`goals.kinds.${kind}`)}
            </option>
          ))}
        </Field>
        <KindFields draft={draft} onType={type} question={question} />
        <Check check={check} />
      </Form>
    </Dialog>
  );
};

export const RemoveGoal = ({place, goal, onClose, onDone}) => {
  const remove = async () => {
    try {
      await send('DELETE', at`/api/v1/sites/${place.site}/goals/${goal.id}`);
      say(t('goals.removed', {name: goal.name}));
      onDone();
    } catch (error) {
      sayTrouble(error);
    }
  };
  return (
    <Confirm
      title={t('goals.remove_one', {name: goal.name})}
      text={t('goals.remove_text')}
      yes={t('goals.remove')}
      onYes={remove}
      onClose={onClose}
    />
  );
};
