/** Counts where visitors click, move and scroll to, in cells of the page: x in hundredths of its width, y in 20 px. */
import {COLUMNS, columnOf, rowOf} from './parts/cells.js';
import {mayCount} from './replay/consent.js';
import {Uploader} from './replay/upload.js';

const EVERY_MS = 30_000;
const MOVE_MS = 100;
const TIMES_MOST = 10_000; // that one cell counts between two sendings
const WAITING_MOST = 200_000; // bytes in memory while the server is away

/** The cells of one page since it was last sent. */
class Cells {
  constructor(url) {
    this._url = url;
    this._kinds = {click: new Map(), move: new Map()};
    this._deepest = 0;
    this._toldDepth = false;
  }

  add(kind, {pageX, pageY}) {
    const cell = rowOf(pageY) * COLUMNS + columnOf(pageX);
    const cells = this._kinds[kind];
    cells.set(cell, Math.min(TIMES_MOST, (cells.get(cell) ?? 0) + 1));
  }

  scrolled() {
    this._deepest = Math.max(this._deepest, rowOf(scrollY + innerHeight));
  }

  /** Returns what was not told yet, null for nothing; the depth is told once, when the page is `left`. */
  take(left) {
    const cells = {};
    for (const [kind, counts] of Object.entries(this._kinds)) {
      if (counts.size) cells[kind] = Array.from(counts, ([at, n]) => [at % COLUMNS, Math.floor(at / COLUMNS), n]);
      counts.clear();
    }
    if (left && !this._toldDepth) {
      cells.scroll = [[0, this._deepest, 1]];
      this._toldDepth = true;
    }
    return Object.keys(cells).length ? {url: this._url, cells} : null;
  }
}

const listen = (tracker, uploader) => {
  let page = new Cells(tracker.page());
  let moved = 0;
  const send = (left) => {
    const told = page.take(left);
    if (!told || !mayCount(tracker.settings)) return;
    const viewport = `${innerWidth}x${innerHeight}`;
    uploader.put(JSON.stringify({site: tracker.site, id: tracker.newId(), viewport, ...told}));
  };
  const leave = (event) => {
    if (event.type === 'visibilitychange' && document.visibilityState === 'visible') return;
    send(true);
    uploader.hurry();
  };
  const move = (event) => {
    if (event.timeStamp - moved < MOVE_MS) return;
    moved = event.timeStamp;
    page.add('move', event);
  };
  const on = (target, type, handle) => target.addEventListener(type, handle, {capture: true, passive: true});
  on(document, 'click', (event) => event.isTrusted && event.detail && page.add('click', event));
  on(document, 'mousemove', move);
  on(window, 'scroll', () => page.scrolled());
  on(document, 'visibilitychange', leave);
  on(window, 'pagehide', leave);
  tracker.onPage.push(() => {
    send(true);
    page = new Cells(tracker.page());
    page.scrolled();
  });
  page.scrolled();
  setInterval(() => send(false), EVERY_MS);
};

/** Starts counting. */
export const start = (tracker) => {
  try {
    if (!mayCount(tracker.settings)) return;
    listen(tracker, new Uploader(`${tracker.base}api/v1/heat`, {most: WAITING_MOST, packs: false}));
  } catch {
    // nothing of it may reach the page
  }
};
