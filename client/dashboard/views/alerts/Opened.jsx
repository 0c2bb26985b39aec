/** The dialog that is open: an alert, a channel, a test, a secret, or a question before something goes. */
import {send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Confirm} from '../../ui/dialog.jsx';
import {Once, attempt} from '../admin/shared.jsx';
import {ChannelDialog} from './ChannelDialog.jsx';
import {RuleDialog} from './RuleDialog.jsx';
import {Trial} from './parts.jsx';

const Remove = ({base, open: {doomed, kind}, onDone}) => {
  const remove = async () => {
    await attempt(() => send('DELETE', `${base}/${kind}/${doomed.id}`), t(`${kind}.removed`, {name: doomed.name}));
    onDone();
  };
  return (
    <Confirm
      title={t(`${kind}.remove_ask`, {name: doomed.name})}
      text={t(`${kind}.remove_hint`)}
      yes={t('alerts.remove')}
      onYes={remove}
      onClose={onDone}
    />
  );
};

const Renew = ({base, channel, onClose, onShow}) => {
  const renew = async () => {
    let made = null;
    await attempt(async () => {
      made = await send('POST', `${base}/channels/${channel.id}/secret`);
    });
    onShow(made && {secret: made.secret, name: channel.name});
  };
  return (
    <Confirm
      title={t('channels.renew_one', {name: channel.name})}
      text={t('channels.renew_hint')}
      yes={t('channels.renew')}
      onYes={renew}
      onClose={onClose}
    />
  );
};

const Channel = ({base, open, canMail, onClose, onShow, reload}) => {
  const done = (made) => {
    reload();
    const next = open.next ? {...open.next, first: made.id} : null;
    onShow(made.secret ? {secret: made.secret, name: made.name, next} : next);
  };
  return <ChannelDialog base={base} channel={open.channel} canMail={canMail} onClose={onClose} onDone={done} />;
};

/**
 * `open` has one of rule, channel (null for new ones), tested, secret, renewed, doomed. After a new channel `next` is
 * opened, whose `first` is that channel.
 */
export const Opened = (props) => {
  const {base, open, onShow, reload} = props;
  const close = () => onShow(null);
  const done = () => {
    close();
    reload();
  };
  if (open.tested) {
    const path = `${base}/${open.kind}/${open.tested.id}`;
    return <Trial path={path} title={t('alerts.test_one', {name: open.tested.name})} onClose={done} />;
  }
  if (open.secret) {
    const texts = [[t('channels.secret'), open.secret]];
    const title = t('channels.secret_of', {name: open.name});
    return (
      <Once title={title} hint={t('channels.secret_hint')} texts={texts} onClose={() => onShow(open.next ?? null)} />
    );
  }
  if (open.doomed) return <Remove base={base} open={open} onDone={done} />;
  if (open.renewed) return <Renew base={base} channel={open.renewed} onClose={close} onShow={onShow} />;
  const isRule = open.rule !== undefined;
  if (isRule) {
    return (
      <RuleDialog {...props} rule={open.rule} first={open.first} given={open.given} onClose={close} onDone={done} />
    );
  }
  return <Channel {...props} onClose={close} />;
};
