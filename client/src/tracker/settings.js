/** What the tag and the server say. The server writes a site's settings in the place of SETTINGS (see client/build.js). */
/* global SETTINGS */
// Not document.currentScript: <img name="currentScript"> in what visitors may write would name a server of theirs.
const script = Reflect.get(Document.prototype, 'currentScript', document);

export const {dataset} = script;
export const settings = SETTINGS;

/** Says whether the tag has an attribute, as `data-debug` or `data-debug="true"`. */
export const has = (name) => (dataset[name] ?? 'false') !== 'false';

/** The server's address, ending in "/": the folder that the script came from unless the tag names another. */
export const base = (dataset.apiUrl ? `${dataset.apiUrl}/` : script.src).replace(/\/*[^/]*$/, '/');

/** Does something with a module of the server; null where it cannot be loaded. Never rejects. */
export const load = (file, use) => import(`${base}client/${file}`).then(use).catch(() => null);
