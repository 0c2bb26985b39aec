/** Light, dark, or as the system is. */
import {isPrinting} from './printing.js';
import {remember, remembered} from './kept.js';
import {createStore, useStore} from './store.js';

const KEY = 'vt.theme';
export const THEMES = ['system', 'light', 'dark'];
const stored = remembered(KEY);
const store = createStore(THEMES.includes(stored) ? stored : 'system');
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

export const useTheme = () => useStore(store);

/** Is 'light' or 'dark': what is shown. Charts draw themselves again when it changes. */
export const shownTheme = createStore('light');

const apply = () => {
  const chosen = store.get();
  const own = chosen === 'system' ? (prefersDark.matches ? 'dark' : 'light') : chosen;
  const shown = isPrinting.get() ? 'light' : own; // paper is white
  document.documentElement.dataset.theme = shown;
  shownTheme.set(shown);
};

export const setTheme = (theme) => {
  remember(KEY, theme);
  store.set(theme);
  apply();
};

prefersDark.addEventListener('change', apply);
isPrinting.subscribe(apply);
apply();
