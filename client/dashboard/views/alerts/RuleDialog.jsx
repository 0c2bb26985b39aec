/** Makes or changes an alert: what it is about, who gets it, and when it keeps still. */
import {useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {minutes} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Check, Field, Form} from '../../ui/form.jsx';
import {say} from '../../ui/toast.jsx';
import {Choice} from '../admin/shared.jsx';
import {KindFields} from './KindFields.jsx';
import {bodyOf, startOf} from './draft.js';
import {COOLDOWNS, HAVE_END} from './words.js';

const Receivers = ({draft, channels, onType}) => {
  const change = (id, isOn) =>
    onType({channels: isOn ? [...draft.channels, id] : draft.channels.filter((one) => one !== id)});
  return (
    <fieldset class="boxed">
      <legend>{t('alerts.channels')}</legend>
      {channels.map(({id, name, place}) => (
        <Check
          key={id}
          label={name}
          help={place === name ? '' : place}
          checked={draft.channels.includes(id)}
          onChange={({target}) => change(id, target.checked)}
        />
      ))}
    </fieldset>
  );
};

const cooldowns = (chosen) =>
  [...new Set([...COOLDOWNS, chosen])]
    .sort((one, other) => one - other)
    .map((value) => [
      String(value),
      value ? t('alerts.cooldown_of', {time: minutes(value)}) : t('alerts.cooldown_none'),
    ]);

const Manners = ({draft, timezone, onType}) => (
  <details class="al-more" open={Boolean(draft.quiet_from || draft.cooldown_minutes)}>
    <summary>{t('alerts.manners')}</summary>
    <div class="field-columns">
      <Field
        label={t('alerts.quiet_from')}
        type="time"
        value={draft.quiet_from}
        onInput={({target}) => onType({quiet_from: target.value})}
      />
      <Field
        label={t('alerts.quiet_to')}
        type="time"
        value={draft.quiet_to}
        onInput={({target}) => onType({quiet_to: target.value})}
      />
    </div>
    <p class="soft">{t('alerts.quiet_help', {timezone})}</p>
    <Check
      label={t('alerts.urgent')}
      help={t('alerts.urgent_help')}
      checked={draft.urgent}
      onChange={({target}) => onType({urgent: target.checked})}
    />
    <Choice
      label={t('alerts.cooldown')}
      help={t('alerts.cooldown_help')}
      options={cooldowns(draft.cooldown_minutes)}
      chosen={String(draft.cooldown_minutes)}
      onChange={({target}) => onType({cooldown_minutes: Number(target.value)})}
    />
    {HAVE_END.includes(draft.kind) && (
      <Check
        label={t('alerts.tell_over')}
        help={t('alerts.tell_over_help')}
        checked={draft.tell_over}
        onChange={({target}) => onType({tell_over: target.checked})}
      />
    )}
  </details>
);

/** `rule` null makes a new one. */
export const RuleDialog = ({base, rule, kinds, goals, channels, first, given, timezone, onClose, onDone}) => {
  const [draft, setDraft] = useState(() => startOf(rule, {kinds, channels, first, given}));
  const type = (more) => setDraft((old) => ({...old, ...more}));
  const name = draft.name ?? t(`alerts.name.${draft.kind}`);
  const save = async () => {
    const body = bodyOf({...draft, name});
    if (!body.channels.length) throw new Error(t('alerts.no_channel'));
    const {kind, ...changes} = body;
    if (rule) await send('PATCH', `${base}/alerts/${rule.id}`, changes);
    else await send('POST', `${base}/alerts`, {kind, ...changes});
    say(t('alerts.saved', {name: body.name}));
    onDone();
  };
  return (
    <Dialog title={rule ? t('alerts.edit_one', {name: rule.name}) : t('alerts.make')} onClose={onClose}>
      <Form onSend={save} submit={rule ? t('state.save') : t('alerts.submit')}>
        {!rule && (
          <Choice
            label={t('alerts.kind')}
            options={kinds.map((kind) => [kind, t(`alerts.kinds.${kind}`)])}
            chosen={draft.kind}
            onChange={({target}) => type({kind: target.value})}
          />
        )}
        <p class="soft">{t(`alerts.kind_help.${draft.kind}`)}</p>
        <KindFields draft={draft} goals={goals} onType={type} />
        <Field
          label={t('alerts.name_field')}
          required
          maxLength={80}
          autocomplete="off"
          value={name}
          onInput={({target}) => type({name: target.value})}
        />
        <Receivers draft={draft} channels={channels} onType={type} />
        <Manners draft={draft} timezone={timezone} onType={type} />
      </Form>
    </Dialog>
  );
};
