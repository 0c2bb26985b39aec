/** Turns the second factor on and off. */
import {useEffect, useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {loadSession} from '../../app/session.js';
import {Copyable} from '../../ui/copy.jsx';
import {Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {say} from '../../ui/toast.jsx';
import {Mark, Once} from './shared.jsx';

const PATH = '/api/v1/me/totp';

/** An address of something made here, which is let go of when it is shown no more. */
const useObjectUrl = (text, type) => {
  const [url, setUrl] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], {type}));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [text, type]);
  return url;
};

const QrCode = ({svg}) => {
  const url = useObjectUrl(svg, 'image/svg+xml');
  return url && <img class="qr" src={url} alt={t('factor.qr')} width="220" height="220" />;
};

const PasswordField = () => (
  <Field label={t('account.old')} name="password" type="password" autocomplete="current-password" required />
);

const TurnOn = ({me, onCodes, onClose}) => {
  const [begun, setBegun] = useState(null);
  const begin = async ({password = ''}) => setBegun(await send('POST', PATH, {password}));
  const confirm = async ({code}) =>
    onCodes((await send('POST', `${PATH}/confirm`, {code: code.trim()})).recovery_codes);
  return (
    <Dialog title={t('factor.turn_on')} onClose={onClose}>
      {begun ? (
        <Form key="code" onSend={confirm} submit={t('factor.confirm')}>
          <p>{t('factor.scan')}</p>
          <QrCode svg={begun.qr} />
          <details>
            <summary>{t('factor.by_hand')}</summary>
            <Copyable label={t('factor.secret')} text={begun.secret} />
          </details>
          <Field
            label={t('factor.code')}
            name="code"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={16}
            required
            autoFocus
          />
        </Form>
      ) : (
        <Form key="password" onSend={begin} submit={t('factor.begin')}>
          <p>{t('factor.hint')}</p>
          {me.has_password && <PasswordField />}
        </Form>
      )}
    </Dialog>
  );
};

const TurnOff = ({me, onDone, onClose}) => {
  const remove = async ({password = '', code = ''}) => {
    await send('DELETE', PATH, me.has_password ? {password} : {code: code.trim()});
    onDone();
  };
  return (
    <Dialog title={t('factor.turn_off')} onClose={onClose}>
      <Form onSend={remove} submit={t('factor.turn_off')} isDanger>
        <p>{t('factor.off_hint')}</p>
        {me.has_password ? <PasswordField /> : <Field label={t('factor.code')} name="code" required maxLength={64} />}
      </Form>
    </Dialog>
  );
};

const Codes = ({codes, onClose}) => {
  const text = codes.join('\n');
  const url = useObjectUrl(`${text}\n`, 'text/plain');
  return (
    <Once title={t('factor.codes')} hint={t('factor.codes_hint')} texts={[[t('factor.codes'), text]]} onClose={onClose}>
      <p>
        <a class="button" href={url} download="recovery-codes.txt">
          {t('factor.download')}
        </a>
      </p>
    </Once>
  );
};

export const SecondFactor = ({me}) => {
  const [open, setOpen] = useState('');
  const [codes, setCodes] = useState(null);
  const onCodes = (found) => {
    setOpen('');
    setCodes(found);
    loadSession();
  };
  const onDone = async () => {
    setOpen('');
    say(t('users.factor_off'));
    await loadSession();
  };
  return (
    <Panel title={t('factor.title')} extra={me.second_factor && <Mark kind="good">{t('factor.on')}</Mark>}>
      <p>{t('factor.what')}</p>
      {me.second_factor && <p class="soft">{t('factor.left', {count: me.recovery_codes_left})}</p>}
      <p class="actions start">
        <button type="button" class="button" onClick={() => setOpen(me.second_factor ? 'off' : 'on')}>
          {me.second_factor ? t('factor.turn_off') : t('factor.turn_on')} …
        </button>
      </p>
      {open === 'on' && <TurnOn me={me} onCodes={onCodes} onClose={() => setOpen('')} />}
      {open === 'off' && <TurnOff me={me} onDone={onDone} onClose={() => setOpen('')} />}
      {codes && <Codes codes={codes} onClose={() => setCodes(null)} />}
    </Panel>
  );
};
