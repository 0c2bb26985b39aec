/** Talks to the server: the only file of the dashboard that does, besides the live stream. */
import {PROOF} from './embed.js';
import {createStore} from './store.js';

const MOST_AT_ONCE = 4;
const TRIES = 4;
const WAIT_MS = 600;

/** A request that was refused; `status` 0: no answer. `message` and `hint` are the server's words. */
export class Refusal extends Error {
  constructor(status, {code = '', message = '', hint = ''} = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** What X-CSRF-Token must say; the session sets it. */
export const csrf = createStore('');

let renew = async () => false;

/** `callback` is called when a change lacks the present X-CSRF-Token, and resolves to whether it is worth another try. */
export const onStaleProof = (callback) => {
  renew = callback;
};

const isStale = async (answer) =>
  answer.status === 403 && (await answer.clone().json().catch(() => null))?.error?.code === 'csrf'; // prettier-ignore

/** Is true from when a request is answered with 401, until somebody has logged in. */
export const isLoggedOut = createStore(false);

const waiting = [];
let running = 0;

const release = () => {
  running -= 1;
  waiting.shift()?.();
};

const turn = async () => {
  if (running >= MOST_AT_ONCE) await new Promise((resolve) => waiting.push(resolve));
  running += 1;
};

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

const once = async (path, {method, body, signal, headers}) => {
  await turn();
  try {
    signal?.throwIfAborted();
    return await fetch(path, {method, body, signal, headers, cache: 'no-store', credentials: PROOF.credentials});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0);
  } finally {
    release();
  }
};

const written = (path, query) => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') params.set(name, value);
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
};

const retryAfter = (answer, attempt) =>
  Math.min(Number(answer.headers.get('retry-after')) * 1000 || WAIT_MS * 2 ** attempt, 8000);

const refuse = async (answer) => {
  const found = await answer.json().catch(() => null);
  if (answer.status === 401) isLoggedOut.set(true);
  throw new Refusal(answer.status, found?.error ?? {message: answer.statusText});
};

/** Waits, or gets the present proof, where another try may be answered otherwise; resolves to whether it may. */
const mayTryAgain = async (answer, attempt, sent, isQuestion) => {
  if (attempt === 1 && (await isStale(answer)) && (await renew())) {
    sent.headers['X-CSRF-Token'] = csrf.get();
    return true;
  }
  if (!isQuestion || ![429, 503].includes(answer.status) || attempt >= TRIES) return false;
  await answer.body?.cancel(); // what nobody reads keeps the request open
  await pause(retryAfter(answer, attempt), sent.signal);
  return true;
};

/** Sends a request and resolves to the answer's Response; rejects with a Refusal. Questions wait where the server is busy. */
export const request = async (
  method,
  path,
  {query, body, signal, accept = 'application/json', isQuestion = method === 'GET'} = {},
) => {
  const headers = {Accept: accept, ...PROOF.headers};
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf.get();
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const sent = {method, signal, headers, body: body === undefined ? undefined : JSON.stringify(body)};
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(written(path, query), sent);
    if (answer.ok) return answer;
    if (!(await mayTryAgain(answer, attempt, sent, isQuestion))) return refuse(answer);
  }
};

/** Something between here and the server answers with a page of its own: that is no answer. */
const json = async (answer) => {
  if (answer.status === 204) return null;
  return answer.json().catch(() => {
    throw new Refusal(0);
  });
};

/** Resolves to the JSON at a path; `query` are parameters, those that are empty are left out. */
export const get = async (path, query, {signal} = {}) => json(await request('GET', path, {query, signal}));

/** Changes something: POST, PUT, PATCH or DELETE; resolves to the JSON of the answer, null for none. */
export const send = async (method, path, body, {query, signal} = {}) =>
  json(await request(method, path, {body, query, signal}));

/** Asks a question that stands in the body, which changes nothing; waits as `get` does. */
export const ask = async (path, body, {signal} = {}) =>
  json(await request('POST', path, {body, signal, isQuestion: true}));

/** Returns a path with its parts encoded: at`/api/v1/sites/${name}`. */
export const at = (texts, ...parts) =>
  texts.reduce((path, text, place) => path + encodeURIComponent(parts[place - 1]) + text);
