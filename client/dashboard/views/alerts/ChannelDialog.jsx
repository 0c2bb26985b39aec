/** Makes or changes a channel. What is secret is typed anew or stays as it is: nobody gets to see it. */
import {useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Check, Field, Form} from '../../ui/form.jsx';
import {say} from '../../ui/toast.jsx';
import {Choice, words} from '../admin/shared.jsx';
import {CHANNEL_KINDS} from './words.js';

/** The fields of each kind; those that are secret are never read back. */
const FIELDS = {
  email: [{name: 'to', type: 'textarea', rows: 3, needed: true, placeholder: 'anna@example.com'}],
  slack: [{name: 'url', type: 'url', needed: true, secret: true, placeholder: 'https://hooks.slack.com/services/…'}],
  discord: [{name: 'url', type: 'url', needed: true, secret: true, placeholder: 'https://discord.com/api/webhooks/…'}],
  telegram: [
    {name: 'token', needed: true, secret: true, placeholder: '123456:ABC-DEF…'},
    {name: 'chat', needed: true, placeholder: '-1001234567890'},
    {name: 'base', type: 'url', placeholder: 'https://api.telegram.org'},
  ],
  ntfy: [
    {name: 'url', type: 'url', needed: true, secret: true, placeholder: 'https://ntfy.sh/my-topic'},
    {name: 'token', secret: true},
  ],
  webhook: [{name: 'url', type: 'url', needed: true, secret: true, placeholder: 'https://example.com/hooks/stats'}],
};

/** Returns the fields as the server takes them; of a channel that is there, secrets that are empty stay as they are. */
export const bodyOf = (kind, values, isNew) => {
  const body = {name: values.name.trim()};
  for (const {name, secret} of FIELDS[kind]) {
    const text = values[name].trim();
    if (!text && secret && !isNew) continue;
    body[name] = name === 'to' ? words(text) : text;
  }
  if (values.token_gone) body.token = null;
  return isNew ? {...body, kind} : body;
};

const shownIn = (channel, name) => {
  if (!channel) return '';
  return name === 'to' ? channel.to.join('\n') : channel[name];
};

const KindField = ({kind, channel, field: {name, secret, needed, placeholder, type = 'text', ...rest}}) => {
  const isKept = secret && channel;
  return (
    <Field
      label={t(`channels.field.${name}${needed ? '' : '_maybe'}`)}
      help={[t(`channels.help.${kind}.${name}`), isKept && t('channels.keep')].filter(Boolean).join(' ')}
      name={name}
      type={type}
      required={needed && !isKept}
      placeholder={isKept && name === 'url' ? channel.place : placeholder}
      defaultValue={secret ? '' : shownIn(channel, name)}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      {...rest}
    />
  );
};

/** A token that a server no longer wants: the field beside it is then left alone. */
const TokenGone = ({isGone, onChange}) => (
  <Check
    label={t('channels.token_gone')}
    name="token_gone"
    checked={isGone}
    onChange={({target}) => onChange(target.checked)}
  />
);

/** `channel` null makes a new one; `onDone` gets it as the server tells it, a webhook with its secret. */
export const ChannelDialog = ({base, channel, canMail, onClose, onDone}) => {
  const [kind, setKind] = useState(channel?.kind ?? (canMail ? 'email' : 'slack'));
  const [isTokenGone, setTokenGone] = useState(false);
  const save = async (values) => {
    const body = bodyOf(kind, values, !channel);
    const made = channel
      ? await send('PATCH', `${base}/channels/${channel.id}`, body)
      : await send('POST', `${base}/channels`, body);
    say(t('channels.saved', {name: made.name}));
    onDone(made);
  };
  return (
    <Dialog title={channel ? t('channels.edit_one', {name: channel.name}) : t('channels.make')} onClose={onClose}>
      <Form onSend={save} submit={channel ? t('state.save') : t('channels.submit')}>
        {!channel && (
          <Choice
            label={t('channels.kind')}
            options={CHANNEL_KINDS.map((name) => [name, t(`channels.kinds.${name}`)])}
            chosen={kind}
            onChange={({target}) => setKind(target.value)}
          />
        )}
        {kind === 'email' && !canMail && <p class="warn-text">{t('mail.none')}</p>}
        <Field
          label={t('channels.name')}
          help={t('channels.name_help')}
          name="name"
          required
          maxLength={80}
          autocomplete="off"
          defaultValue={channel?.name ?? ''}
        />
        {FIELDS[kind].map((field) => (
          <KindField
            key={`${kind} ${field.name}`}
            kind={kind}
            channel={channel}
            field={field.name === 'token' ? {...field, disabled: isTokenGone} : field}
          />
        ))}
        {kind === 'ntfy' && channel?.has_token && <TokenGone isGone={isTokenGone} onChange={setTokenGone} />}
      </Form>
    </Dialog>
  );
};
