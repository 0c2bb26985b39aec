/** What people want to be told of the server itself. */
import {t} from '../../app/i18n.js';
import {Desk} from './Desk.jsx';
import {SERVER_KINDS} from './words.js';

export const View = ({place}) => (
  <Desk
    place={place}
    base="/api/v1/server"
    kinds={SERVER_KINDS}
    title={t('alerts.of_server')}
    timezone="UTC"
    isServer
  />
);
