/** The tracker script: counts pages by itself, keeps events until they are durable, and loads the rest when idle. */
import {VisitorTracker, track} from './api.js';
import {tell, tick} from './attention.js';
import {flush} from './outbox.js';
import {on, safe} from './safe.js';
import {has, load, settings} from './settings.js';
import {local, ofTab, quiet, shared} from './storage.js';
import {newId, tracker} from './tracker.js';

const early = self.analytics;
let page;
let changing; // a view that is to come

const address = () => location.href.replace(has('hash') ? '' : /#.*/, '');

tracker.page = () => page || address();

tracker.add = safe((type, fields) => {
  if (tracker.isOff || quiet > 1 || +local['vt.off']) return;
  const seq = safe(() => (ofTab['vt.seq'] = -~ofTab['vt.seq']))(); // none where there is no room for it
  const event = JSON.parse(
    JSON.stringify({
      type,
      id: newId(),
      t: Date.now(),
      tab: tracker.tab,
      seq,
      site: tracker.site,
      url: tracker.page(),
      visitor_id: settings.client && safe(() => (shared['vt.id'] ||= newId()))(),
      ...fields,
    }),
  );
  tracker.put([event]);
  tracker.seen.push(event);
  return event;
});

const whenIdle = (work) => (self.requestIdleCallback || setTimeout)(safe(work));

/** Counts the page unless it is the one that was counted last. */
const view = (tracker.view = safe(() => {
  const url = address();
  changing = 0;
  if (url === page) return;
  tell();
  const event = tracker.add('pageview', {
    referrer: page || document.referrer,
    url: (page = url),
    title: document.title,
    // eslint-disable-next-line prefer-template -- fewer bytes
    screen: screen.width + 'x' + screen.height,
    // eslint-disable-next-line prefer-template -- fewer bytes
    viewport: innerWidth + 'x' + innerHeight,
    automation: navigator.webdriver,
  });
  whenIdle(() => {
    // It costs 20 ms and more: browsers load their tables of all languages for it.
    if (!settings.located) event.timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    flush();
  });
}));

const more = () => load(settings.files.more, (module) => module.start(tracker));

const start = () => {
  for (const type of ['focus', 'blur', 'visibilitychange', 'scroll']) {
    on(type, () => {
      tick();
      if (document.hidden) {
        tell();
        flush();
      }
    });
  }
  on('online', flush);
  on('click', (event) => tracker.seen.push(event));
  if (!has('manual')) {
    view();
    // Pages set their title after their address.
    on(
      'currententrychange',
      (event) => {
        if (event.navigationType === 'replace' && !changing) page = address();
        else changing = setTimeout(view);
      },
      self.navigation,
    );
    on('pageshow', (event) => event.persisted && view((page = '')));
  }
  early?.q?.map?.(safe((given) => track(...given)));
  setInterval(() => {
    tick();
    flush();
    tracker.seen.length %= 99; // a bound where more.js never comes
  }, 1e4);
  whenIdle(more);
};

if (!self.VisitorTracker?.tracker) {
  self.VisitorTracker = VisitorTracker;
  if (!early || early.q) self.analytics = VisitorTracker;
  tracker.isOff =
    /^(localhost|127\..+|\[::1]|)$/.test(location.hostname) &&
    !has(location.hostname ? 'allowLocalhost' : 'allowFileProtocol');
  if (tracker.isOff) more();
  else if (document.prerendering) on('prerenderingchange', start);
  else start();
}
