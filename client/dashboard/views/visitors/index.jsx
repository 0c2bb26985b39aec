/** Visitors: a list, somebody who is looked for, and one of them. */
import {List} from './List.jsx';
import {Visitor} from './Visitor.jsx';

export const View = ({place}) => (place.id ? <Visitor key={place.id} place={place} /> : <List place={place} />);
