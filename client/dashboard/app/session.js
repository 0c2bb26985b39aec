/** Who looks at the dashboard, and which sites they may see. */
import {Refusal, csrf, get, isLoggedOut, onStaleProof} from './api.js';
import {forgetAnswers} from './answers.js';
import {createStore, useStore} from './store.js';

const NOBODY = {kind: 'nobody', username: '', is_admin: false, roles: {}, everywhere: null, csrf: '', set_up: true};
const store = createStore(null);

export const useSession = () => useStore(store);
export const getSession = store.get;

const orNobody = (error) => {
  if (error instanceof Refusal && error.status === 401) return NOBODY;
  throw error;
};

const orNone = (error) => {
  if (error instanceof Refusal && [401, 403].includes(error.status)) return {sites: []};
  throw error;
};

/** Asks who this is and which sites there are; resolves to {me, sites}. Rejects with a Refusal. */
export const loadSession = async () => {
  const [me, {sites}] = await Promise.all([get('/api/v1/me').catch(orNobody), get('/api/v1/sites').catch(orNone)]);
  csrf.set(me.csrf ?? '');
  isLoggedOut.set(false);
  forgetAnswers();
  const session = {me, sites};
  store.set(session);
  return session;
};

/** Somebody logged in anew in another tab. If it is somebody else, nothing that is shown here is theirs. */
onStaleProof(async () => {
  const me = await get('/api/v1/me').catch(orNobody);
  if (me.username !== store.get()?.me.username) {
    if (me.kind !== 'nobody') location.reload();
    return false;
  }
  csrf.set(me.csrf);
  return true;
});

const role = (me, site) => (me.is_admin || me.everywhere === 'owner' ? 'owner' : (me.roles[site] ?? me.everywhere));

const owns = (me) => me.is_admin || [me.everywhere, ...Object.values(me.roles)].includes('owner');

/**
 * Says whether somebody may: `read`, `visitors` or `manage` a site (by name); `own` any site at all, `operate` the server,
 * `known`, `admin`. The server decides anew.
 */
export const may = (access, site = '', {me} = store.get() ?? {me: NOBODY}) => {
  if (access === 'read') return true;
  if (access === 'admin') return me.is_admin;
  if (access === 'known') return me.kind === 'user';
  if (access === 'own') return me.kind !== 'share' && owns(me);
  if (access === 'operate') return me.is_admin || Boolean(me.everywhere);
  if (access === 'manage') return role(me, site) === 'owner';
  return me.kind !== 'share' && Boolean(role(me, site));
};
