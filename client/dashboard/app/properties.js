/** Names of properties that events of a site have. */
import {useAnswer} from './answers.js';
import {reportPeriod} from './question.js';

/** Returns the answer {properties: [{name, events}]} of the newest events of the question's days; `site` null asks nothing. */
export const useProperties = (question) =>
  useAnswer(question.site === null ? null : '/api/v1/stats/properties', {
    site: question.site,
    period: reportPeriod(question),
  });
