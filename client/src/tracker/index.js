/** The tracker script: counts pages by itself, keeps events until they are durable, and loads the rest when idle. */
import {catchUp, publish} from './api.js';
import {tell, tick} from './attention.js';
import {flush, put} from './outbox.js';
import {on, safe} from './safe.js';
import {base, has, settings} from './settings.js';
import {isOff, ofTab, shared} from './storage.js';
import {tracker} from './tracker.js';

const BATCH_MS = 1e4;

const {newId, site, tab} = tracker;
let page;

const address = () => location.href.replace(has('hash') ? '' : /#.*/, '');

const add = (tracker.add = safe((type, fields) => {
  if (isOff()) return;
  const seq = (ofTab['vt.seq'] = -~ofTab['vt.seq']);
  const event = {type, id: newId(), t: Date.now(), tab, seq, site, url: page || address(), ...fields};
  put([event]);
  tracker.seen.push(event);
  return event;
}));

const whenIdle = (work) => (self.requestIdleCallback || setTimeout)(safe(work));

/** Counts the page unless it is the one that was counted last. */
const view = (tracker.view = safe(() => {
  const url = address();
  if (url === page) return;
  tell(add);
  const referrer = page || document.referrer;
  page = url;
  const event = add('pageview', {
    referrer,
    title: document.title,
    screen: `${screen.width}x${screen.height}`,
    viewport: `${innerWidth}x${innerHeight}`,
    automation: navigator.webdriver,
    visitor_id: settings.client && (shared['vt.id'] ||= newId()),
  });
  whenIdle(() => {
    // It costs 20 ms and more: browsers load their tables of all languages for it.
    if (!settings.located) event.timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    flush();
  });
}));

const more = () =>
  import(`${base}client/${settings.files.more}`).then((module) => module.start(tracker)).catch(() => {});

const start = () => {
  for (const type of ['focus', 'blur', 'visibilitychange', 'scroll']) {
    on(self, type, () => {
      tick();
      if (document.hidden) {
        tell(add);
        flush();
      }
    });
  }
  on(self, 'online', flush);
  on(self, 'click', (event) => tracker.seen.push(event));
  if (!has('manual')) {
    view();
    // Pages set their title after their address.
    on(self.navigation || self, 'currententrychange', (event) => {
      if (event.navigationType === 'replace') page = address();
      else setTimeout(view);
    });
    on(self, 'pageshow', (event) => event.persisted && view((page = '')));
  }
  catchUp();
  setInterval(flush, BATCH_MS);
  whenIdle(more);
};

if (!self.VisitorTracker?.tracker) {
  publish();
  tracker.page = () => page || address();
  tracker.isOff =
    /^(localhost|127\..+|\[::1]|)$/.test(location.hostname) &&
    !has(location.hostname ? 'allowLocalhost' : 'allowFileProtocol');
  if (tracker.isOff) more();
  else if (document.prerendering) on(document, 'prerenderingchange', start);
  else start();
}
