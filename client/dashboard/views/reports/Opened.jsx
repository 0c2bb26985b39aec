/** The dialog that is open: a report, how it looks, sending it now, what was sent, or a question before it goes. */
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Confirm} from '../../ui/dialog.jsx';
import {attempt} from '../admin/shared.jsx';
import {Deliveries} from './Deliveries.jsx';
import {Preview} from './Preview.jsx';
import {ScheduleDialog} from './ScheduleDialog.jsx';
import {SendNow} from './SendNow.jsx';
import {when} from './words.js';

/** `open` has one of report (null for a new one), preview (null for any), sending, sent, doomed. */
export const Opened = ({base, open, timezone, onShow, reload}) => {
  const close = () => onShow(null);
  const done = () => {
    close();
    reload();
  };
  const remove = async () => {
    await attempt(() => send('DELETE', `${base}/${open.doomed.id}`), t('mail.removed'));
    done();
  };
  if (open.preview !== undefined) return <Preview base={base} report={open.preview} onClose={close} />;
  if (open.sending) return <SendNow base={base} report={open.sending} onClose={close} />;
  if (open.sent) return <Deliveries base={base} report={open.sent} onClose={close} />;
  if (open.doomed) {
    return (
      <Confirm
        title={t('mail.remove_ask', {name: when(open.doomed)})}
        text={t('mail.remove_hint')}
        yes={t('alerts.remove')}
        onYes={remove}
        onClose={close}
      />
    );
  }
  return <ScheduleDialog base={base} report={open.report} timezone={timezone} onClose={close} onDone={done} />;
};
