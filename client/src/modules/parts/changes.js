/** Sees whether anything happens on the page after a click. */
import {quietly} from './quietly.js';

const SIGNS = [
  'scroll',
  'focusin',
  'focusout',
  'input',
  'change',
  'submit',
  'invalid',
  'reset',
  'toggle',
  'play',
  'pause',
  'fullscreenchange',
  'hashchange',
  'popstate',
  'beforeprint',
  'blur', // of the window: a dialog of the browser's own is open
  'visibilitychange',
];

const selected = () => {
  const {anchorNode, anchorOffset, focusNode, focusOffset} = getSelection() ?? {};
  return [anchorNode, anchorOffset, focusNode, focusOffset, document.activeElement];
};

/** Watches until `stop` is called, and then says whether something changed; nothing is watched in between clicks. */
export const watchChanges = () => {
  const before = selected();
  let changed = false;
  const observer = new MutationObserver(() => note());
  const note = () => {
    changed = true;
    observer.disconnect();
  };
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  for (const sign of SIGNS) addEventListener(sign, note, true);
  const {navigation} = globalThis;
  navigation?.addEventListener('navigate', note);
  return () => {
    quietly(() => navigation?.removeEventListener('navigate', note))();
    for (const sign of SIGNS) removeEventListener(sign, note, true);
    if (observer.takeRecords().length || selected().some((now, index) => now !== before[index])) note();
    observer.disconnect();
    return changed;
  };
};
