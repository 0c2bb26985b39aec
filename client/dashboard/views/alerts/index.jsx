/** What people want to be told of a site. */
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {useSession} from '../../app/session.js';
import {Desk} from './Desk.jsx';
import {SITE_KINDS} from './words.js';

export const View = ({place}) => {
  const {sites} = useSession();
  const base = at`/api/v1/sites/${place.site}`;
  const goals = useAnswer(`${base}/goals`, null, {isKept: false});
  const site = sites.find(({name, aliases}) => name === place.site || aliases?.includes(place.site));
  return (
    <Desk
      place={place}
      base={base}
      kinds={SITE_KINDS}
      title={t('view.alerts')}
      goals={goals.data?.goals}
      timezone={site?.timezone}
    />
  );
};
