/** What the parts of the script share, and the modules get that are loaded later. */
import {safe} from './safe.js';
import {base, dataset, load, settings} from './settings.js';
import {ofTab, shared} from './storage.js';

/** Returns 32 hex digits: 12 of the time, so that the server's index grows at its end, and 20 random ones, 0 to 9. */
export const newId = () =>
  // eslint-disable-next-line prefer-template -- fewer bytes
  '0' + Date.now().toString(16) + crypto.getRandomValues(new Uint32Array(4)).join('').slice(0, 20);

export const tracker = {
  base,
  dataset,
  settings,
  shared,
  newId,
  load,
  key: `vt:${newId()}`, // where this page's events wait
  site: dataset.websiteId || dataset.domain || settings.site,
  tab: safe(() => (ofTab['vt.tab'] ||= newId()))(), // none where there is no room for it
  queue: [], // events that are not acknowledged
  seen: [], // events that were queued, and clicks; more.js puts what watches them in its place
};
