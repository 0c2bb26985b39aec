/** Goals: all of them with their numbers, or one. */
import {GoalList} from './GoalList.jsx';
import {OneGoal} from './OneGoal.jsx';

export const View = ({place}) => (place.id ? <OneGoal key={place.id} place={place} /> : <GoalList place={place} />);
