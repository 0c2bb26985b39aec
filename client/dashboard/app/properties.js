/** Names of properties that events of a site have. */
import {useAnswer} from './answers.js';

/** Returns the answer {properties: [{name, events}]} of the newest events of the question's days; `site` null asks nothing. */
export const useProperties = ({site, period}) =>
  useAnswer(site === null ? null : '/api/v1/stats/properties', {site, period});
