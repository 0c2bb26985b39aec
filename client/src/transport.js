/** Sends requests; the only file that talks to the network. */

const TIMEOUT_MS = 10_000; // for one attempt, its body included
const LONGEST_TIMEOUT_MS = 1e9; // timers overflow above 2^31 and fire at once
const LONGEST_WAIT_MS = 5_000; // a server that asks for more is not asked again
const PASSING = [0, 429, 502, 503, 504]; // states that pass by themselves; 0: no answer

/** Waits, but not after the signal. */
const wait = (milliseconds, signal) =>
  new Promise((done) => {
    setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });

/** Returns a signal that comes with the page's own or when time is up, and a function that ends the watch. */
const watch = (timeout, signal) => {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, Math.min(timeout, LONGEST_TIMEOUT_MS));
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  const release = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  };
  return [abort.signal, release];
};

const attempt = async (url, {timeout = TIMEOUT_MS, ...options}) => {
  const [signal, release] = watch(timeout, options.signal);
  try {
    const response = await fetch(url, {...options, signal});
    return {
      _status: response.status,
      _json: response.ok ? await response.json() : null,
      _pause: Number(response.headers.get('Retry-After')) * 1000,
    };
  } catch (error) {
    // An answer that is not JSON stays so, however often it is asked for.
    return {_status: error.name === 'SyntaxError' ? 200 : 0, _json: null, _pause: 0};
  } finally {
    release();
  }
};

/**
 * Sends a request, again up to `retries` times while the trouble may pass by itself.
 * Resolves to its status (0: no answer) and its JSON, null unless the status is 2xx.
 */
export const send = async (url, {headers, ...options}, retries) => {
  const simple = new Headers(headers);
  simple.delete('Content-Type'); // the one header that, set to JSON, costs a CORS preflight per request
  for (let tried = 1; ; tried++) {
    const answer = await attempt(url, {credentials: 'omit', ...options, headers: simple});
    // Spread out, or all pages that a restart cut off come back in the same moment.
    const pause = answer._pause + tried * (200 + 800 * Math.random());
    // A Retry-After that is a date gives NaN, which is not short either.
    if (tried > retries || !PASSING.includes(answer._status) || !(pause <= LONGEST_WAIT_MS)) return answer;
    await wait(pause, options.signal);
    if (options.signal?.aborted) return answer;
  }
};
