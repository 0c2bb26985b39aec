/** Reads a Content-Security-Policy as a browser does, as far as the tracker script needs something of it. */

const SCHEMES = {'https:': ['https:', 'wss:'], 'http:': ['http:', 'https:', 'ws:', 'wss:']};

/** What the tracker script needs, and which directive counts where that one is missing. */
export const NEEDS = ['script-src', 'connect-src', 'img-src'];
const INSTEAD = {
  'script-src': ['script-src-elem', 'script-src'],
  'connect-src': ['connect-src'],
  'img-src': ['img-src'],
};

/** Returns the directives of a policy: {name: [sources]}; the first of a name counts. */
export const readPolicy = (text) => {
  const found = {};
  const bare = text.replace(/^\s*content-security-policy(-report-only)?\s*:/i, '');
  for (const part of bare.split(';')) {
    const [name, ...sources] = part.trim().split(/\s+/);
    if (name && !Object.hasOwn(found, name.toLowerCase())) found[name.toLowerCase()] = sources;
  }
  return found;
};

const hostFits = (pattern, host) =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === '*' || pattern === host;

const defaultPort = (scheme) => ({'https:': '443', 'http:': '80'})[scheme] ?? '';

/** Says whether a source of a policy lets an origin through; `page` is the origin of the page, for 'self'. */
export const allows = (source, origin, page = '') => {
  const wanted = new URL(origin);
  const text = source.toLowerCase();
  if (text === '*') return true;
  if (text === "'self'") return origin === page;
  if (/^[a-z][a-z0-9+.-]*:$/.test(text)) return text === wanted.protocol;
  const parts = /^(?:([a-z][a-z0-9+.-]*:)\/\/)?([^/:']+)(?::(\d+|\*))?(\/.*)?$/.exec(text);
  if (!parts) return false;
  const [, scheme, host, port] = parts;
  if (scheme && !(SCHEMES[scheme] ?? [scheme]).includes(wanted.protocol)) return false;
  const given = wanted.port || defaultPort(wanted.protocol);
  if (port !== '*' && (port ?? defaultPort(wanted.protocol)) !== given) return false;
  return hostFits(host, wanted.hostname);
};

/** Returns for each need whether a policy allows an origin: {directive, isAllowed, source: the directive that says so}. */
export const judge = (text, origin, page = '') => {
  const policy = readPolicy(text);
  return NEEDS.map((directive) => {
    const name = [...INSTEAD[directive], 'default-src'].find((one) => Object.hasOwn(policy, one));
    const sources = name === undefined ? ['*'] : policy[name];
    return {directive, isAllowed: sources.some((source) => allows(source, origin, page)), source: name ?? ''};
  });
};
