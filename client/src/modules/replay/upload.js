/** Sends bodies to the server in order, each until it has it; what waits is in memory. */

const KEEPALIVE_MOST = 60_000; // bytes: browsers take 64 KiB of all requests that may outlive their page
const KEEPALIVE_USUALLY = 20_000; // so that room is left for the page's end
const TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const PASSING = [408, 425, 429]; // and all above 499: states that pass by themselves

const pack = async (bytes) => {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
};

const DONE = ['accepted', 'dropped: invalid_event']; // the latter: nothing in it that is kept

const stateOf = (answer) => {
  const said = answer.headers.get('X-Tracker');
  if (answer.ok && said) return DONE.includes(said) ? 'done' : 'refused';
  // An answer without that header is not the tracker's.
  return answer.ok || answer.status > 499 || PASSING.includes(answer.status) ? 'again' : 'refused';
};

/** Returns {state, pause}: state is 'done', 'refused' for good, or 'again' after `pause` ms at least. */
const post = async (url, body, keepalive) => {
  try {
    const signal = keepalive ? undefined : AbortSignal.timeout?.(TIMEOUT_MS);
    const headers = {'Content-Type': 'text/plain'}; // any other, and Content-Encoding, would cost a preflight
    const answer = await fetch(url, {method: 'POST', body, headers, keepalive, signal});
    return {state: stateOf(answer), pause: Number(answer.headers.get('Retry-After')) * 1000 || 0};
  } catch {
    return {state: 'again', pause: 0};
  }
};

/** One queue of one route; `onRefused` is called when the server wants no more of it, or too much waits. */
export class Uploader {
  constructor(url, {most, packs, onRefused = () => {}}) {
    this._url = url;
    this._most = most;
    this._packs = packs && 'CompressionStream' in globalThis;
    this._onRefused = onRefused;
    this._waiting = [];
    this._bytes = 0;
    this._leaving = 0; // bytes in requests that may outlive the page
    this._failures = 0;
    this._busy = false;
    this._over = false;
  }

  /** Queues a text; nothing is taken any more after a refusal. */
  put(text) {
    if (this._over) return;
    const item = {_body: new TextEncoder().encode(text), _ready: null, _leaves: null};
    this._waiting.push(item);
    this._bytes += item._body.length;
    if (this._packs) item._ready = this._pack(item);
    this._send();
    if (this._bytes > this._most) this._refuse();
  }

  /** Sends at once what waits, as far as it may outlive the page. */
  hurry() {
    for (const item of this._waiting) {
      if (item._leaves || this._leaving + item._body.length > KEEPALIVE_MOST) continue;
      item._leaves = this._request(item, true);
    }
  }

  _refuse() {
    this._over = true;
    this._onRefused();
  }

  async _pack(item) {
    try {
      const packed = await pack(item._body);
      if (this._waiting.includes(item)) this._bytes += packed.length - item._body.length;
      item._body = packed;
    } catch {
      // goes as it is
    }
  }

  async _send() {
    if (this._busy) return;
    this._busy = true;
    while (this._waiting.length) {
      const [item] = this._waiting;
      await item._ready;
      if (item !== this._waiting[0]) continue; // it went when the page was left, which was not for ever
      const {state, pause} = await this._begin(item);
      if (state === 'done') this._failures = 0;
      else if (state === 'again') await this._pause(pause);
      else {
        this._waiting = [];
        this._refuse();
      }
    }
    this._busy = false;
  }

  _begin(item) {
    if (item._leaves) return item._leaves;
    if (this._leaving || item._body.length > KEEPALIVE_USUALLY) return this._request(item, false);
    return (item._leaves = this._request(item, true));
  }

  async _request(item, keepalive) {
    const {length} = item._body;
    this._leaving += keepalive && length;
    const answer = await post(this._url, item._body, keepalive);
    this._leaving -= keepalive && length;
    if (keepalive) item._leaves = null;
    const place = this._waiting.indexOf(item);
    if (answer.state === 'done' && place >= 0) {
      this._waiting.splice(place, 1);
      this._bytes -= item._body.length;
    }
    return answer;
  }

  /** Waits longer each time, and not as long as all other pages that a restart cut off. */
  _pause(least) {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this._failures++) * (0.5 + Math.random());
    return new Promise((done) => setTimeout(done, least + pause));
  }
}
