/** The time zone in which somebody wants to see days: kept by this browser; '' is that of each site. */
import {remember, remembered} from './kept.js';
import {createStore, useStore} from './store.js';

const KEY = 'vt.timezone';

export const isZone = (name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', {timeZone: name}));
  } catch {
    return false;
  }
};

const stored = remembered(KEY) ?? '';
const store = createStore(stored && isZone(stored) ? stored : '');

export const useZone = () => useStore(store);
export const getZone = store.get;

export const setZone = (name) => {
  remember(KEY, name);
  store.set(name);
};

/** Zones to choose from, and the one of this browser. */
export const zones = () => Intl.supportedValuesOf('timeZone');
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
