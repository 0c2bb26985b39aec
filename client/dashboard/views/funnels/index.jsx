/** Funnels: all of a site, or the report of one. */
import {FunnelList} from './FunnelList.jsx';
import {OneFunnel} from './OneFunnel.jsx';

export const View = ({place}) => (place.id ? <OneFunnel key={place.id} place={place} /> : <FunnelList place={place} />);
