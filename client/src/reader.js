/** Reads the numbers of a Visitor Tracker server; for Node.js 20 and later, Deno, Bun and pages of the server itself. */

const SAFE_TO_REPEAT = [429, 502, 503, 504];
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** The server refused, or did not answer: `status` is then 0. `hint` says what to change. */
export class VisitorStatsError extends Error {
  constructor(status, {code = 'refused', message = `status ${status}`, hint = ''} = {}, options = undefined) {
    super(hint ? `${message} (${hint})` : message, options);
    this.name = 'VisitorStatsError';
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the ms before the next attempt: what the server says, else twice as long each time, with jitter. */
const pause = (attempt, retryAfter) => {
  const told = Number.parseInt(retryAfter ?? '', 10) * 1000;
  const own = FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2);
  return Math.min(Number.isFinite(told) ? told : own, LONGEST_PAUSE_MS);
};

/** Leaves out what is not told. */
const told = (fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => ![undefined, null, ''].includes(value)));

const DEFAULTS = {
  site: 'default',
  timeout: 10_000,
  retries: 2,
  fetch: (...request) => globalThis.fetch(...request),
};

const baseOf = (url) => {
  const base = String(url).replace(/\/+$/, '');
  if (!/^https?:\/\//.test(base)) throw new TypeError('url must be the server’s, such as https://stats.example.com');
  return base;
};

/** One server; what it reads of is `site`, where a call names none. */
export class VisitorStats {
  #base;
  #headers;
  #timeout;
  #retries;
  #fetch;

  /** Without a `key` a page of the server reads as whoever is logged in there. */
  constructor(settings = {}) {
    const {url, key, shareToken, site, timeout, retries, fetch} = {...DEFAULTS, ...told(settings)};
    this.#base = baseOf(url ?? globalThis.location?.origin);
    this.site = site;
    this.#timeout = timeout;
    this.#retries = retries;
    this.#fetch = fetch;
    this.#headers = told({
      Accept: 'application/json',
      Authorization: key && `Bearer ${key}`,
      'X-Share-Token': shareToken,
    });
  }

  /** Resolves to {rows, totals, meta, cursor}; `asked` is what docs/query.md describes. */
  query(asked = {}) {
    return this.get('/api/v1/stats/query', {...asked, site: asked.site ?? this.site});
  }

  /** Yields every row of a query, however many there are. */
  async *rows(asked = {}) {
    let cursor = '';
    while (cursor !== null) {
      const found = await this.query({...asked, cursor});
      yield* found.rows;
      cursor = found.cursor;
    }
  }

  /** Resolves to who is on a site now. */
  live({site = this.site, feed} = {}) {
    return this.get('/api/v1/live', {site, feed});
  }

  /** Resolves to everything of all time, in a few maps. */
  stats({site = this.site} = {}) {
    return this.get('/stats', {site});
  }

  /** Resolves to the sites that may be read. */
  async sites() {
    return (await this.get('/api/v1/sites')).sites;
  }

  /** Resolves to the JSON at any other path; lists are sent with commas, objects as JSON. */
  async get(path, fields = {}) {
    const query = new URLSearchParams(Object.entries(told(fields)).map(([name, value]) => [name, text(name, value)]));
    const address = `${this.#base}${path}${query.size ? `?${query}` : ''}`;
    for (let attempt = 0; ; attempt += 1) {
      const last = attempt >= this.#retries;
      const answer = await this.#ask(address, last);
      if (answer && (last || !SAFE_TO_REPEAT.includes(answer.status))) return read(answer);
      await wait(pause(attempt, answer?.headers.get('Retry-After')));
    }
  }

  /** Resolves to null where there was no answer, unless it was the last attempt. */
  async #ask(address, last) {
    try {
      const signal = AbortSignal.timeout(this.#timeout);
      return await this.#fetch(address, {headers: this.#headers, redirect: 'error', signal});
    } catch (error) {
      const code = error?.name === 'TimeoutError' ? 'timeout' : 'no_answer';
      if (last) throw new VisitorStatsError(0, {code, message: 'the server does not answer'}, {cause: error});
      return null;
    }
  }
}

const text = (name, value) => {
  if (Array.isArray(value) && name !== 'filters') return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

const read = async (answer) => {
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new VisitorStatsError(answer.status, body?.error);
  if (body === null) throw new VisitorStatsError(answer.status, {code: 'unreadable', message: 'the answer is no JSON'});
  return body;
};
