/** What the tag and the server say. The server writes a site's settings in the place of SETTINGS (see client/build.js). */
/* global SETTINGS */
const script = document.currentScript;

export const {dataset} = script;
export const settings = SETTINGS;

/** Says whether the tag has an attribute, as `data-debug` or `data-debug="true"`. */
export const has = (name) => (dataset[name] ?? 'false') !== 'false';

/** The server's address, ending in "/": the folder that the script came from unless the tag names another. */
export const base = (dataset.apiUrl ? `${dataset.apiUrl}/` : script.src).replace(/\/*[^/]*$/, '/');
