/** What the browser keeps for the tracker; everything goes on where it keeps nothing. */
import {safe} from './safe.js';
import {settings} from './settings.js';

// 1: without a visitor and without keeping anything, 2: not at all
export const quiet = (navigator.globalPrivacyControl || navigator.doNotTrack > 0) && settings.quiet;
const forgets = settings.memory || quiet;

// Strict browsers throw at the very name.
export const local = safe(() => localStorage)() || {};

/** Where events wait that are not acknowledged; all pages of the origin have the same. */
export const shared = forgets ? {} : local;

/** What belongs to this browser tab. */
export const ofTab = (!forgets && safe(() => sessionStorage)()) || {};

/** Remembers that this visitor is not to be counted, or with false that they are again. */
export const optOut = safe((off = true) => (local['vt.off'] = +off));
