/** Which day weeks begin with for whoever looks: kept by this browser; '' is as people of its region have it. */
import {remember, remembered} from './kept.js';
import {createStore, useStore} from './store.js';

const KEY = 'vt.week';
export const WEEK_STARTS = ['monday', 'sunday', 'saturday'];
const NUMBERS = {7: 'sunday', 6: 'saturday'}; // as Intl has them; Monday is 1

const stored = remembered(KEY);
const store = createStore(WEEK_STARTS.includes(stored) ? stored : '');

/** Returns what weeks begin with in the region of a language such as en-GB; Monday where the browser cannot tell. */
export const usualIn = (language) => {
  try {
    const locale = new Intl.Locale(language);
    return NUMBERS[(locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay] ?? 'monday';
  } catch {
    return 'monday';
  }
};

export const usualWeekStart = usualIn(navigator.language);

/** Returns what was chosen, '' for nothing. */
export const useChosenWeekStart = () => useStore(store);
export const getWeekStart = () => store.get() || usualWeekStart;
export const useWeekStart = () => useStore(store) || usualWeekStart;

export const setWeekStart = (name) => {
  remember(KEY, name);
  store.set(name);
};
