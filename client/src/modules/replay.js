/** Records what the visitor sees and does, masked, as rrweb events, and sends it in chunks. */
import {record} from '@rrweb/record';

import {mayRecord} from './replay/consent.js';
import {BLOCKED, IGNORED, MASKED, maskInput, maskRules, sizeOf} from './replay/mask.js';
import {rewrite} from './replay/rewrite.js';
import {Uploader} from './replay/upload.js';

const FIRST_MS = 1_000; // so that a short visit leaves more than its last moment to the page's end
const EVERY_MS = 10_000;
const CHUNK_BYTES = 50_000;
const EVENT_MOST = 4_000_000; // bytes: the server takes 5 MiB
const WAITING_MOST = 8_000_000; // bytes in memory while the server is away
const CHECKOUT_MS = 600_000;
const CHECKOUT_BYTES = 5_000_000;
const MINUTE_MS = 60_000;
const KEY = 'vt.replay';
const INCREMENT = 3;
const FULL_SNAPSHOT = 2;
const INCREMENT_MUTATION = 0;

let inMemory = null;

/** Returns where the tab's state is kept: when its recording began (epoch ms), 0 for no recording. */
const memoryOf = (settings) => {
  const storage = settings.memory ? null : globalThis.sessionStorage;
  return storage
    ? {get: () => storage.getItem(KEY), set: (value) => storage.setItem(KEY, value)}
    : {get: () => inMemory, set: (value) => (inMemory = value)};
};

/** Returns the milliseconds that the tab may still be recorded; decides once for each tab whether it is at all. */
const timeLeft = (memory, {sample, minutes}) => {
  if (memory.get() === null) memory.set(String(Math.random() < sample ? Date.now() : 0));
  return Number(memory.get()) + minutes * MINUTE_MS - Date.now();
};

const bytesOf = (text) => (/[^\0-\x7f]/.test(text) ? 3 * text.length : text.length); // at most, in UTF-8

/** Gathers events into chunks; a full snapshot of 5 MB of events asks for a new one. */
class Chunks {
  constructor(tracker, uploader) {
    this.tracker = tracker;
    this.uploader = uploader;
    this.sequence = Date.now() * 1000;
    this.texts = [];
    this.bytes = 0;
    this.sinceSnapshot = 0;
  }

  /** Adds an event; false when it is too large to be sent. */
  add(event) {
    const text = JSON.stringify(event);
    const bytes = bytesOf(text);
    if (bytes > EVENT_MOST) return false;
    this.sinceSnapshot = event.type === FULL_SNAPSHOT ? 0 : this.sinceSnapshot + bytes;
    this.texts.push(text);
    this.bytes += bytes;
    if (this.bytes > CHUNK_BYTES) this.flush();
    return true;
  }

  flush() {
    const {texts} = this;
    this.texts = [];
    this.bytes = 0;
    // Who objects now has not agreed to what is not sent yet either.
    if (texts.length && mayRecord(this.tracker.settings)) this.send(texts);
  }

  send(texts) {
    const {site, tab, page} = this.tracker;
    const head = JSON.stringify({
      site,
      session: tab,
      sequence: this.sequence++,
      url: page(),
      viewport: `${innerWidth}x${innerHeight}`,
    });
    this.uploader.put(`${head.slice(0, -1)},"events":[${texts.join()}]}`);
  }
}

const options = (settings, emit) => {
  const show = settings.text === 'show';
  return {
    emit,
    errorHandler: () => true, // nothing of it may reach the page
    checkoutEveryNms: CHECKOUT_MS,
    maskAllInputs: true,
    maskInputFn: maskInput,
    maskTextSelector: show ? MASKED : '*',
    blockSelector: BLOCKED,
    ignoreSelector: IGNORED,
    slimDOMOptions: 'all',
    sampling: {
      mousemove: 100,
      mousemoveCallback: 500,
      scroll: 150,
      input: 'last',
      mouseInteraction: {MouseUp: false, MouseDown: false, ContextMenu: false},
    },
    inlineStylesheet: true,
    inlineImages: false,
    collectFonts: false,
    recordCanvas: false,
    recordCrossOriginIframes: false,
  };
};

/** Calls `save` with an event for each image that gets its size after it was recorded. */
const watchImages = (save) => {
  const loaded = ({target}) => {
    const id = target.localName === 'img' ? record.mirror.getId(target) : -1;
    if (id < 1) return;
    const attributes = [{id, attributes: {style: sizeOf(target)}}];
    const data = {source: INCREMENT_MUTATION, texts: [], removes: [], adds: [], attributes};
    save({type: INCREMENT, data, timestamp: Date.now()});
  };
  document.addEventListener('load', loaded, true);
  return () => document.removeEventListener('load', loaded, true);
};

/** Calls `save` with what is kept of each of rrweb's events. */
const emitTo = (save, chunks, show) => {
  const rules = maskRules((id) => record.mirror.getNode(id), show);
  return (event) => {
    const kept = rewrite(event, rules);
    if (kept) save(kept);
    if (chunks.sinceSnapshot < CHECKOUT_BYTES) return;
    chunks.sinceSnapshot = 0;
    record.takeFullSnapshot(true);
  };
};

/** Sends chunks now and then, and what is left when the page is; returns a function that ends the former. */
const schedule = (chunks, uploader) => {
  const flush = () => chunks.flush();
  const leave = (event) => {
    if (event.type === 'visibilitychange' && document.visibilityState === 'visible') return;
    flush();
    uploader.hurry();
  };
  document.addEventListener('visibilitychange', leave);
  addEventListener('pagehide', leave);
  const timers = [setTimeout(flush, FIRST_MS), setInterval(flush, EVERY_MS)];
  return () => {
    flush();
    timers.forEach(clearTimeout);
  };
};

/** Records this page until it is left, its time is over or the server wants no more. */
const run = (tracker, memory, milliseconds) => {
  const {settings, base} = tracker;
  const ends = [];
  let over = false;
  const stop = () => {
    over = true;
    for (const end of ends.splice(0)) end?.();
  };
  const onRefused = () => {
    stop();
    memory.set('0');
  };
  const uploader = new Uploader(`${base}api/v1/replay`, {most: WAITING_MOST, packs: true, onRefused});
  const chunks = new Chunks(tracker, uploader);
  const save = (event) => {
    if (!over && !chunks.add(event)) stop();
  };
  ends.push(
    schedule(chunks, uploader),
    watchImages(save),
    record(options(settings.replay, emitTo(save, chunks, settings.replay.text === 'show'))),
  );
  if (over) stop();
  else setTimeout(stop, milliseconds);
};

/** Starts recording if this tab is one of those that are. */
export const start = (tracker) => {
  try {
    if (!mayRecord(tracker.settings)) return;
    const memory = memoryOf(tracker.settings);
    const left = timeLeft(memory, tracker.settings.replay);
    if (left > 0) run(tracker, memory, left);
  } catch {
    // a page without storage, or one that rrweb cannot read: not recorded
  }
};
