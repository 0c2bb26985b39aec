/** Changes of a site, which the rest of the dashboard then knows too. */
import {at, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {loadSession} from '../../app/session.js';
import {say} from '../../ui/toast.jsx';

/** Sends what is to change of a site; rejects with a Refusal. */
export const changeSite = async (site, change, reload) => {
  await send('PATCH', at`/api/v1/sites/${site.name}`, change);
  await loadSession();
  say(t('settings.saved'));
  reload();
};
