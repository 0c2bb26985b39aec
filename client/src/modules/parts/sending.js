/** What the tracker needs where sending is not easy: events of earlier pages, and pages that allow images only. */
import {quietly} from './quietly.js';

const KEPT_MS = 6048e5; // 7 days; the server takes nothing older
const WAITING_MOST = 1000; // events in memory, where nothing answers for hours
const KEY = /^vt:\w{32}$/; // of a page's events; the web site may have other keys that begin so

/** Gives events of earlier pages to the tracker. */
export const putYoung = (tracker, events) => tracker.put(events.filter((event) => event.t > Date.now() - KEPT_MS));

const aged = (event) => ({...event, age_ms: Date.now() - event.t});

/** Hands events to the browser when the page goes; nobody hears the answer, so they stay, and come again later. */
const leaveToBrowser = quietly((base, events) => {
  navigator.sendBeacon?.(`${base}e`, JSON.stringify(events.map(aged)));
});

/** Sends one of the events as an image; returns those that need not be sent again. Never rejects. */
const sendOne = (base, events) =>
  new Promise((done) => {
    // Any: what a firewall in between refuses must not keep back all the others.
    const event = events[Math.floor(Math.random() * events.length)];
    const image = new Image();
    image.onload = () => done([event]);
    image.onerror = () => done();
    image.src = `${base}e?e=${encodeURIComponent(JSON.stringify(aged(event)))}`;
  }).catch(() => {});

/** Takes over what earlier pages could not send. */
const takeOver = (tracker) => {
  const {key, shared} = tracker;
  for (const other of Object.keys(shared)) {
    if (!KEY.test(other) || other === key) continue;
    quietly(() => putYoung(tracker, JSON.parse(shared[other])))();
    delete shared[other]; // a page that is still open has them in its memory too
  }
};

/** Removes what was kept of this visitor before they asked for privacy. */
const forget = () => {
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) {
      if (KEY.test(name) || /^vt\.(id|tab|seq|replay)$/.test(name)) delete store[name];
    }
  }
};

/** Keeps to what `#vt-off` or `#vt-on` behind the address says. */
const obey = () => {
  const [, word] = /^#vt-(on|off)$/.exec(location.hash) ?? [];
  if (!word) return;
  localStorage['vt.off'] = word === 'off' ? 1 : 0;
  if (word === 'off') forget();
};

export const helpSending = (tracker) => {
  const {put} = tracker;
  tracker.put = (events) => {
    put(events);
    tracker.queue.splice(0, tracker.queue.length - WAITING_MOST);
  };
  tracker.single = (events) => (document.hidden ? leaveToBrowser : sendOne)(tracker.base, events);
  addEventListener('hashchange', quietly(obey));
  quietly(obey)();
  quietly(tracker.shared instanceof Storage ? () => takeOver(tracker) : forget)();
  tracker.flush(true); // what could not be fetched may go as an image now, without a pause before
};
