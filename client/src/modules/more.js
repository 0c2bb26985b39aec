/** What the tracker sees once the page has settled: links, downloads, forms, missing pages, goals in the markup. */
import {LINKS, addressOf, attribute, fits, own, pathOf} from './parts/elements.js';
import {quietly} from './parts/quietly.js';
import {helpSending} from './parts/sending.js';

const FILES =
  /\.(7z|apk|avi|csv|deb|dmg|docx?|epub|exe|flac|gz|iso|m4a|mov|mp[34]|mpe?g|msi|od[pst]|pdf|pkg|pptx?|rar|rpm|rtf|tar|tgz|txt|wav|webm|wm[av]|xlsx?|xz|zip)$/i;
const GOALS = ['data-track', 'data-fast-goal'];
const ROUTED_MS = 1000; // after a router has changed the address, its page says whether it is one

const on = (type, work, isEarly) => addEventListener(type, quietly(work), isEarly);

const bare = (host) => host.replace(/^www\./, '');

/** Returns the attributes PREFIX-KEY of an element by key; without a prototype, for a page may own __proto__ too. */
const propertiesOf = (element, prefix) => {
  const found = Object.create(null);
  for (const {name, value} of own(element, 'attributes')) {
    if (name.startsWith(`${prefix}-`)) found[name.slice(prefix.length + 1)] = value;
  }
  return found;
};

/** Adds the goal of the nearest element that has one; a form's is reached when it is sent. */
const addGoal = (tracker, path, isSubmit) => {
  const element = path.find((each) => GOALS.some((goal) => attribute(each, goal)));
  if (!element || element instanceof HTMLFormElement !== isSubmit) return;
  const prefix = GOALS.find((goal) => attribute(element, goal));
  tracker.add('custom', {name: attribute(element, prefix), properties: propertiesOf(element, prefix)});
};

const addLink = (tracker, link) => {
  const url = addressOf(link);
  const isFile = FILES.test(url.pathname) || link.hasAttribute('download');
  if (!/^http/.test(url.protocol) || (!isFile && bare(url.host) === bare(location.host))) return;
  url.hash = '';
  tracker.add(isFile ? 'download' : 'outbound', {target: url.href});
};

const onClick = (tracker, event) => {
  const path = pathOf(event);
  const link = path.find((element) => fits(element, LINKS));
  if (event.button > (link ? 1 : 0)) return; // the middle one opens links, the right one a menu
  addGoal(tracker, path, false);
  if (link) addLink(tracker, link);
};

const onSubmit = (tracker, {target}) => {
  const [action] = own(target, 'action', HTMLFormElement).split(/[?#]/);
  const name = attribute(target, 'id') || attribute(target, 'name') || '';
  tracker.add('form', {name, target: /^http/.test(action) ? action : ''});
  addGoal(tracker, [target], true);
};

/** Tells of a page that is none: it says so itself, or, the first one, its tag or its answer did. */
const checkStatus = (tracker, isFirst) => {
  const tag = document.querySelector('meta[name=vt-status]');
  const answered = () => tracker.dataset.status || performance.getEntriesByType('navigation')[0]?.responseStatus;
  const status = tag ? attribute(tag, 'content') : isFirst && answered();
  if (!(status >= 400)) return;
  const path = new URL(tracker.page()).pathname;
  tracker.add('custom', {name: '404', properties: {path, status: +status}, interactive: false});
};

const checkRoute = (tracker) => {
  const page = tracker.page();
  setTimeout(
    quietly(() => page === tracker.page() && checkStatus(tracker, false)),
    ROUTED_MS,
  );
};

/** Gives the other modules `onPage` and `onLeave`: functions to call after each pageview, and before a page may go. */
const watchPages = (tracker) => {
  tracker.onPage = [];
  tracker.onLeave = [];
  const call = (list) => list.forEach((work) => quietly(work)());
  const see = quietly((seen) => {
    if (seen instanceof Event) onClick(tracker, seen);
    else if (seen.type === 'pageview') call(tracker.onPage);
  });
  tracker.early = tracker.seen;
  tracker.seen = {push: see};
  tracker.early.forEach(see);
  // Not in the capture phase: there the modules' libraries learn of it.
  on('visibilitychange', () => {
    if (!document.hidden) return;
    call(tracker.onLeave);
    tracker.flush();
  });
};

const load = (tracker, name) =>
  tracker.load(tracker.settings.files?.[name] ?? `${name}.js`, (module) => module.start(tracker));

const watch = (tracker, has) => {
  watchPages(tracker);
  on('auxclick', (event) => onClick(tracker, event), true);
  on('submit', (event) => onSubmit(tracker, event), true);
  quietly(checkStatus)(tracker, true);
  tracker.onPage.push(() => checkRoute(tracker));
  quietly(helpSending)(tracker);
  if (tracker.shared instanceof Storage) load(tracker, 'overflow'); // else nothing may be kept
  if (!self.navigation && !has('manual')) load(tracker, 'routes');
  const names = tracker.dataset.modules?.split(/\W+/).filter(Boolean) ?? tracker.settings.modules ?? [];
  names.forEach((name) => load(tracker, name));
};

/** Starts what every site has, and the modules that this one uses. */
export const start = (tracker) => {
  const has = (name) => (tracker.dataset[name] ?? 'false') !== 'false';
  if (!tracker.isOff) watch(tracker, has);
  const explains = tracker.isOff || has('debug') || /[?&]explain\b/.test(location.search);
  if (explains && !has('disableConsole')) load(tracker, 'explain');
};
