/** The network beyond us and the clock, as the tests want them. */
import {webcrypto} from 'node:crypto';
import {afterEach, beforeEach} from 'node:test';

globalThis.crypto ??= webcrypto; // Node 18 has it in node:crypto only

const real = {fetch: globalThis.fetch, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout};

/** What was sent: {url, method, headers, body, keepalive, credentials}, in order. */
export const sent = [];
/** What was waited for between attempts, in milliseconds. */
export const waited = [];
let answers = [];
let timers = new Map();

/** Sets what the network does with the requests to come; the last one stays. */
export const network = (...next) => {
  answers = next;
};

/** A server's answer. */
export const json = (status, value, headers) => () => new Response(JSON.stringify(value), {status, headers});
export const text = (status, body) => () => new Response(body, {status});
/** A connection that breaks. */
export const broken = () => {
  throw new TypeError('Failed to fetch');
};
/** A server that never answers. */
export const silent = (options) =>
  new Promise((_, reject) => {
    const give = () => reject(new DOMException('aborted', 'AbortError'));
    if (options.signal.aborted) give();
    options.signal.addEventListener('abort', give);
  });

const fakeFetch = async (url, options) => {
  const {method, headers, body, keepalive, credentials} = options;
  sent.push({url, method, headers: Object.fromEntries(headers), body, keepalive, credentials});
  return (answers.length > 1 ? answers.shift() : answers[0])(options);
};

/** Lets time pass only while nothing else happens: the earliest timer runs when all else has settled. */
const runTimers = () => {
  const [earliest] = [...timers].sort(([, a], [, b]) => a.at - b.at);
  if (!earliest) return;
  const [id, timer] = earliest;
  timers.delete(id);
  waited.push(timer.milliseconds);
  timer.callback();
};

const fakeSetTimeout = (callback, milliseconds) => {
  const id = Symbol('timer');
  timers.set(id, {callback, milliseconds, at: milliseconds});
  real.setTimeout(() => timers.has(id) && runTimers(), 5);
  return id;
};

beforeEach(() => {
  sent.length = 0;
  waited.length = 0;
  timers = new Map();
  globalThis.fetch = fakeFetch;
  globalThis.setTimeout = fakeSetTimeout;
  globalThis.clearTimeout = (id) => timers.delete(id);
});

afterEach(() => Object.assign(globalThis, real));
