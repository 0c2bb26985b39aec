/**
 * Says whether the page is being printed: then it is light, as wide as paper, and all that waits to be seen is asked for.
 * A browser that prints does not wait, so that the button does.
 */
import {createStore} from './store.js';

const STEP_MS = 100;
const PATIENCE_MS = 15_000;

export const isPrinting = createStore(false);

const change = (is) => {
  document.documentElement.toggleAttribute('data-printing', is);
  isPrinting.set(is);
};

const media = matchMedia('print');
media.addEventListener('change', ({matches}) => change(matches));
addEventListener('beforeprint', () => change(true));
addEventListener('afterprint', () => change(false));

const isLoading = () => document.querySelector('main .skeleton, main [aria-busy=true]') !== null;
const pause = () => new Promise((resolve) => setTimeout(resolve, STEP_MS));

/** Prints once everything is there. */
export const printAll = async () => {
  change(true);
  const end = Date.now() + PATIENCE_MS;
  do await pause();
  while (isLoading() && Date.now() < end);
  print();
  change(media.matches);
};
