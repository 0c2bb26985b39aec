/** Where in the dashboard one is: all of it is in the address, so that it can be sent to somebody. */
import {decoded} from './decoded.js';
import {ROOT, isEmbed} from './embed.js';
import {createStore, useStore} from './store.js';

/** Parameters of the address that stay when one goes from view to view of a site. */
const KEPT = ['period', 'compare', 'interval', 'f', 'segment', 'embed'];

/**
 * Reads an address: /dashboard/{site}/{view}/{id} or /admin/{view}/{id}; in a frame /embed/{token}/{site}/{view}/{id}.
 * `area` is site, admin, or start for /, `params` a URLSearchParams.
 */
export const readPlace = ({pathname, search}) => {
  const [area, ...parts] = pathname.split('/').slice(1).map(decoded);
  if (isEmbed) parts.shift(); // the token
  const params = new URLSearchParams(search);
  if (area === 'admin') return {area, view: parts[0] || 'sites', id: parts[1] ?? '', site: '', params};
  if ((area !== 'dashboard' && !isEmbed) || !parts[0]) {
    return {area: 'start', site: params.get('site') ?? '', view: 'overview', id: '', params};
  }
  return {area: 'site', site: parts[0], view: parts[1] || 'overview', id: parts[2] ?? '', params};
};

const store = createStore(readPlace(location));

export const usePlace = () => useStore(store);
export const getPlace = store.get;

const kept = (params) => {
  const found = new URLSearchParams();
  for (const name of KEPT) for (const value of params.getAll(name)) found.append(name, value);
  return found;
};

const written = (params, more) => {
  for (const [name, value] of Object.entries(more)) {
    params.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one) params.append(name, one);
  }
  const text = params.toString();
  return text && `?${text}`;
};

const path = (...parts) => `/${parts.filter(Boolean).map(encodeURIComponent).join('/')}`;

/** Returns the address of a view of a site; the period and the filters come along. `more` are parameters of it. */
export const toView = (view, {site = store.get().site, id = '', ...more} = {}) =>
  path(...ROOT, site, view === 'overview' && !id ? '' : view, id) + written(kept(store.get().params), more);

/** Returns the address of a page of the administration. */
export const toAdmin = (view, {id = '', ...more} = {}) =>
  path('admin', view, id) + written(new URLSearchParams(), more);

/** Returns the present address with other parameters; null or '' takes one away. */
export const withParams = (more) => location.pathname + written(new URLSearchParams(location.search), more);

/** Goes to an address of the dashboard without loading the page again. */
export const go = (to, {replace = false} = {}) => {
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  store.set(readPlace(location));
};

/** Returns a parameter of the address and what changes it: which tab is open, say; the usual one is not written down. */
export const useParam = (name, usual = '') => {
  const {params} = usePlace();
  const change = (value) => go(withParams({[name]: value === usual ? null : value}), {replace: true});
  return [params.get(name) || usual, change];
};

addEventListener('popstate', () => store.set(readPlace(location)));

const isOwn = (link) =>
  link.origin === location.origin &&
  !link.target &&
  !link.download &&
  /^\/(dashboard|admin|embed)?(\/|$|\?)/.test(link.pathname);

/** Follows links of the dashboard without loading the page again; the others as browsers do. */
export const followLinks = (event) => {
  const link = event.target.closest?.('a[href]');
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (
    !link ||
    !isPlain ||
    event.defaultPrevented ||
    !isOwn(link) ||
    (link.hash && link.pathname === location.pathname)
  ) {
    return;
  }
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
};
