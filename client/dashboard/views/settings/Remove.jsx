/** Takes a site off the list, with or without what was counted. */
import {useState} from 'preact/hooks';
import {at, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {go, toAdmin} from '../../app/place.js';
import {loadSession, may} from '../../app/session.js';
import {Check} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';
import {TypedConfirm} from '../admin/shared.jsx';

export const Remove = ({site}) => {
  const [isAsking, setAsking] = useState(false);
  const remove = async ({erase}) => {
    await send('DELETE', at`/api/v1/sites/${site.name}`, undefined, {query: {erase: erase ? 'true' : ''}});
    say(t(erase ? 'remove.erased' : 'remove.removed', {site: site.name}));
    go(toAdmin('sites'));
    await loadSession();
  };
  if (!may('admin')) return <Empty title={t('remove.for_admins')} hint={t('error.forbidden_hint')} />;
  if (site.name === 'default') return <Empty title={t('remove.default')} hint={t('remove.default_hint')} />;
  return (
    <Panel title={t('settings.remove')}>
      <p>{t('remove.hint')}</p>
      <p class="actions start">
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          {t('settings.remove')} …
        </button>
      </p>
      {isAsking && (
        <TypedConfirm
          title={t('remove.ask', {site: site.name})}
          text={t('remove.hint')}
          word={site.name}
          yes={t('settings.remove')}
          onYes={remove}
          onClose={() => setAsking(false)}
        >
          <Check label={t('remove.erase')} help={t('remove.erase_help')} name="erase" />
        </TypedConfirm>
      )}
    </Panel>
  );
};
