/** The fields of an alert that depend on what it is about. */
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {Field} from '../../ui/form.jsx';
import {Choice} from '../admin/shared.jsx';
import {METRICS, PERIODS, SEVERITIES, metricName, unitOf} from './words.js';

const typed = (draft, onType, field) => ({
  value: draft[field],
  required: true,
  onInput: ({target}) => onType({[field]: target.value}),
});

const chosen = (draft, onType, field) => ({
  chosen: draft[field],
  onChange: ({target}) => onType({[field]: target.value}),
});

const Period = ({draft, onType}) => (
  <Choice
    label={t('alerts.period')}
    options={PERIODS.map((name) => [name, t(`alerts.in.${name}`)])}
    {...chosen(draft, onType, 'period')}
  />
);

const Anomaly = ({draft, onType}) => (
  <Choice
    label={t('alerts.severity')}
    options={SEVERITIES.map((name) => [name, t(`alerts.severity.${name}`)])}
    {...chosen(draft, onType, 'severity')}
  />
);

const MOST = {percent: 100};

const Threshold = ({draft, onType}) => {
  const unit = unitOf(draft.metric);
  return (
    <div class="field-columns">
      <Choice
        label={t('alerts.metric')}
        options={METRICS.map((name) => [name, metricName(name)])}
        {...chosen(draft, onType, 'metric')}
      />
      <Choice
        label={t('alerts.direction')}
        options={['above', 'below'].map((name) => [name, t(`alerts.direction.${name}`)])}
        {...chosen(draft, onType, 'direction')}
      />
      <Field
        label={t(`alerts.value.${unit}`)}
        type="number"
        min={0}
        max={MOST[unit] ?? 1_000_000_000}
        step="any"
        {...typed(draft, onType, 'value')}
      />
      <Period draft={draft} onType={onType} />
    </div>
  );
};

const Goal = ({draft, onType, goals}) => {
  if (!goals.length) {
    return (
      <p class="warn-text">
        {t('alerts.no_goal')} <a href={toView('goals')}>{t('goals.make')}</a>
      </p>
    );
  }
  return (
    <>
      <Choice
        label={t('alerts.goal')}
        required
        options={[['', t('alerts.choose')], ...goals.map(({id, name}) => [id, name])]}
        {...chosen(draft, onType, 'goal')}
      />
      <div class="field-columns">
        <Field label={t('alerts.times')} type="number" min={1} max={1_000_000_000} {...typed(draft, onType, 'times')} />
        <Period draft={draft} onType={onType} />
      </div>
    </>
  );
};

const number = (field, min, max) => {
  const NumberField = ({draft, onType}) => (
    <Field label={t(`alerts.${field}`)} type="number" min={min} max={max} {...typed(draft, onType, field)} />
  );
  return NumberField;
};

const FORMS = {
  anomaly: Anomaly,
  threshold: Threshold,
  goal: Goal,
  silent: number('minutes', 10, 10_080),
  lag: number('minutes', 1, 10_080),
  certificate: number('days', 1, 365),
};

export const KindFields = (props) => {
  const Fields = FORMS[props.draft.kind];
  return <Fields {...props} />;
};
