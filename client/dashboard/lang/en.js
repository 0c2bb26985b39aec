/** The English texts, by the parts of the dashboard. */
import admin from './en/admin.json';
import behaviour from './en/behaviour.json';
import frame from './en/frame.json';
import goals from './en/goals.json';
import live from './en/live.json';
import overview from './en/overview.json';
import people from './en/people.json';

export const messages = {...frame, ...overview, ...live, ...people, ...behaviour, ...goals, ...admin};
