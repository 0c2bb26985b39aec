/** Sessions: a list of visits, and one of them. */
import {List} from './List.jsx';
import {Session} from './Session.jsx';

export const View = ({place}) => (place.id ? <Session key={place.id} place={place} /> : <List place={place} />);
