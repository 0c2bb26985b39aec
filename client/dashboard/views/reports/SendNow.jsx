/** Sends a report for trial, to oneself or to somebody who gets it anyway. */
import {useState} from 'preact/hooks';
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {useSession} from '../../app/session.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Form} from '../../ui/form.jsx';
import {Empty} from '../../ui/states.jsx';
import {Choice, Mark} from '../admin/shared.jsx';

/** Returns who may be asked to read it: oneself first, nobody who has unsubscribed. */
export const readersOf = ({recipients}, email) => {
  const others = recipients.filter(({unsubscribed_at: since}) => !since).map(({address}) => address);
  return [...new Set([...(email ? [email] : []), ...others])];
};

export const SendNow = ({base, report, onClose}) => {
  const {me} = useSession();
  const [sent, setSent] = useState(null);
  const readers = readersOf(report, me.email);
  const trial = async ({to}) => setSent(await send('POST', `${base}/${report.id}/send`, {to}));
  return (
    <Dialog title={t('mail.sending')} onClose={onClose}>
      <p class="soft">{t('mail.sending_hint')}</p>
      {readers.length ? (
        <Form onSend={trial} submit={t('mail.send_it')}>
          <Choice
            label={t('mail.to')}
            name="to"
            chosen={readers[0]}
            options={readers.map((address) => [address, address === me.email ? t('mail.you', {address}) : address])}
          />
          <p role="status">
            {sent && (
              <>
                <Mark kind="good">{t('alerts.sent')}</Mark> {sent.to}:{' '}
                <span class="soft">{t('alerts.answered', {answer: sent.said})}</span>
              </>
            )}
          </p>
        </Form>
      ) : (
        <Empty title={t('mail.nobody')} />
      )}
    </Dialog>
  );
};
