/** Short messages at the edge, read aloud politely: what was done, or why not. */
import {createStore, useStore} from '../app/store.js';
import {wordsOf} from './states.jsx';

const SHOWN_MS = 6000;
const store = createStore([]);
let last = 0;

/** Shows a message; `isTrouble` stays longer. */
export const say = (text, {isTrouble = false} = {}) => {
  last += 1;
  const toast = {id: last, text, isTrouble};
  store.set([...store.get(), toast]);
  setTimeout(() => store.set(store.get().filter((one) => one !== toast)), isTrouble ? SHOWN_MS * 2 : SHOWN_MS);
};

/** Shows what went wrong. */
export const sayTrouble = (error) => say(wordsOf(error).filter(Boolean).join(' '), {isTrouble: true});

export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite">
    {useStore(store).map(({id, text, isTrouble}) => (
      <p key={id} class={isTrouble ? 'toast trouble' : 'toast'}>
        {text}
      </p>
    ))}
  </div>
);
