/** What alerts, channels and reports by mail share. */
import {useEffect, useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Copyable} from '../../ui/copy.jsx';
import {Dialog} from '../../ui/dialog.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Empty, ErrorBox, Skeleton, wordsOf} from '../../ui/states.jsx';
import {Mark} from '../admin/shared.jsx';

const SETTINGS = `mail:
  host: smtp.example.com
  port: 587
  security: starttls
  user: stats@example.com
  password: …
  sender: Statistics <stats@example.com>`;

/** Says which settings let the server send mail; `docs` is the page with more. */
export const NoMail = ({docs, children}) => (
  <section class="panel al-no-mail" aria-label={t('mail.none')}>
    <h2>{t('mail.none')}</h2>
    <p>{t('mail.none_hint')}</p>
    <Copyable label="config.yaml" text={SETTINGS} />
    <p class="soft">{t('mail.none_then', {docs})}</p>
    {children}
  </section>
);

/** On or off at once; `label` says of what. */
export const Switch = ({label, isOn, onChange}) => (
  <label class="al-switch">
    <input
      type="checkbox"
      role="switch"
      aria-label={label}
      checked={isOn}
      onChange={({target}) => onChange(target.checked)}
    />
    <span aria-hidden="true">{t(isOn ? 'alerts.on' : 'alerts.off')}</span>
  </label>
);

/** A small button with an icon alone; `label` says what it does, and with what. */
export const IconButton = ({icon, label, onClick}) => (
  <button type="button" class="button quiet" aria-label={label} title={label} onClick={onClick}>
    <Icon name={icon} />
  </button>
);

/** A button with a plus. */
export const AddButton = ({text, onClick}) => (
  <button type="button" class="button primary" onClick={onClick}>
    <Icon name="plus" size={16} /> {text}
  </button>
);

const Receivers = ({receivers}) => (
  <ul class="al-receivers">
    {receivers.map(({channel, to, sent, answer}) => (
      <li key={channel + to}>
        <p>
          <Mark kind={sent ? 'good' : 'bad'}>{t(sent ? 'alerts.sent' : 'alerts.failed')}</Mark>{' '}
          <strong>{channel}</strong> {to && to !== channel && <span class="soft">{to}</span>}
        </p>
        <p class={sent ? 'soft' : 'trouble'}>
          {answer ? t('alerts.answered', {answer}) : t('alerts.answered_nothing')}
        </p>
      </li>
    ))}
  </ul>
);

/** Sends a test when it opens, and shows what the other side said to it. */
export const Trial = ({path, title, onClose}) => {
  const [{error, tested}, setState] = useState({});
  useEffect(() => {
    send('POST', `${path}/test`).then(
      (found) => setState({tested: found}),
      (found) => setState({error: found}),
    );
  }, []);
  const [words, hint] = error ? wordsOf(error) : [];
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="soft">{t('alerts.test_hint')}</p>
      <div role="status">
        {!error && !tested && <Skeleton rows={2} />}
        {error && <ErrorBox title={words} hint={hint} />}
        {tested?.receivers.length === 0 && <Empty title={t('alerts.test_nobody')} />}
        {tested && <Receivers receivers={tested.receivers} />}
      </div>
      <p class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          {t('state.close')}
        </button>
      </p>
    </Dialog>
  );
};
