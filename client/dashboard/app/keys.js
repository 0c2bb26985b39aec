/** Keyboard shortcuts: views add theirs while they are shown, and ? lists all of them. */
import {useEffect} from 'preact/hooks';

const shortcuts = new Map(); // by key: {name: text, run}
let prefix = '';

const isTyping = ({target}) => target.closest?.('input, textarea, select, [contenteditable=true], dialog[open]');

const keyOf = ({key, shiftKey}) => (key.length === 1 && !shiftKey ? key.toLowerCase() : key);

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const typed = prefix + keyOf(event);
  const found = shortcuts.get(typed) ?? shortcuts.get(keyOf(event));
  prefix = '';
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if ([...shortcuts.keys()].some((key) => key.startsWith(`${keyOf(event)} `))) {
    prefix = `${keyOf(event)} `;
  }
};

addEventListener('keydown', onKey);

/** Returns the shortcuts of now: [key, text]. */
export const listShortcuts = () => [...shortcuts].map(([key, {name}]) => [key, name]);

/** Offers shortcuts while a component is shown: useShortcuts({'g o': [t('nav.overview'), () => …]}, [what run depends on]). */
export const useShortcuts = (offered, depends) =>
  useEffect(() => {
    const added = Object.entries(offered).map(([key, [name, run]]) => [key, {name, run}]);
    for (const [key, shortcut] of added) shortcuts.set(key, shortcut);
    return () => {
      for (const [key, shortcut] of added) if (shortcuts.get(key) === shortcut) shortcuts.delete(key);
    };
  }, depends);
