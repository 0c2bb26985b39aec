/** The panels of the overview: which lists each of them has. A list is of one dimension, some under a filter of their own. */
const of = (...dimensions) => dimensions.map((dimension) => ({name: dimension, dimension}));

const AI = [{operator: 'is', dimension: 'channel', values: ['ai']}];
const NOT_FOUND = [
  {operator: 'is', dimension: 'kind', values: ['custom']},
  {operator: 'is', dimension: 'event', values: ['404']},
];

export const UTM = ['utm_campaign', 'utm_source', 'utm_medium', 'utm_term', 'utm_content'];

/**
 * name     of the tab: t('list.NAME')
 * filters  hold besides those of the question
 * choices  dimensions of which one is chosen in the list
 * view     one that is no list of a dimension: map, goals, properties
 * empty    what to say where there is nothing: t('empty.NAME')
 */
export const PANELS = [
  {name: 'sources', lists: [...of('source', 'channel', 'referrer'), {name: 'utm', choices: UTM, empty: 'utm'}, {name: 'ai', dimension: 'source', filters: AI, empty: 'ai'}]}, // prettier-ignore
  {name: 'pages', lists: of('page', 'entry', 'exit')},
  {name: 'places', lists: [{name: 'map', dimension: 'country', view: 'map'}, ...of('country'), {name: 'region', dimension: 'region', empty: 'city'}, {name: 'city', dimension: 'city', empty: 'city'}]}, // prettier-ignore
  {name: 'devices', lists: of('device', 'browser', 'browser_version', 'os', 'os_version', 'screen', 'language')},
  {name: 'events', lists: [{name: 'goals', view: 'goals'}, {name: 'event', dimension: 'event', empty: 'event'}, {name: 'properties', view: 'properties'}]}, // prettier-ignore
  {name: 'links', lists: [{name: 'outbound', dimension: 'outbound', empty: 'module'}, {name: 'download', dimension: 'download', empty: 'module'}, {name: 'form', dimension: 'form', empty: 'module'}, {name: 'click', dimension: 'click', empty: 'module'}, {name: 'not_found', dimension: 'page', filters: NOT_FOUND, metrics: ['visitors', 'events'], empty: 'not_found'}]}, // prettier-ignore
];
