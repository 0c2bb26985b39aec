/** Queries under one filter that are asked at the same moment go to the server together: it reads visits once for all. */
import {Refusal, ask, get} from './api.js';

export const QUERY = '/api/v1/stats/query';
const QUERIES = '/api/v1/stats/queries';
const MOST = 20; // of one request
const OF_ALL = ['site', 'date_range', 'compare', 'filters', 'segment', 'timezone'];

const waiting = new Map(); // by what they have in common

const LISTS = ['metrics', 'dimensions', 'order_by'];
const DAYS = ['date_range', 'compare'];

const asSent = (name, value) => {
  if (LISTS.includes(name) || (DAYS.includes(name) && value.includes(','))) return value.split(',');
  return name === 'filters' && /^[[{]/.test(value) ? JSON.parse(value) : value;
};

/** Returns the body of a query from the parameters that say the same. */
const bodyOf = (query) =>
  Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== undefined && value !== null && value !== '')
      .map(([name, value]) => [name, asSent(name, value)]),
  );

const askAlone = ({query, signal, resolve, reject}) => get(QUERY, query, {signal}).then(resolve, reject);

/** Who has gone on to another question meanwhile must not get the answer to this one, which may be the later to come. */
const give = (one, {status, answer, error}) => {
  if (one.signal?.aborted) one.reject(one.signal.reason);
  else if (answer) one.resolve(answer);
  else if (error.code === 'ask_alone') askAlone(one);
  else one.reject(new Refusal(status, error));
};

/** Returns a signal that is aborted once nobody waits any more. */
const signalOf = (asked) => {
  const control = new AbortController();
  const look = () => asked.every(({signal}) => signal?.aborted) && control.abort();
  for (const {signal} of asked) signal?.addEventListener('abort', look);
  return control.signal;
};

const askAll = async (asked) => {
  if (asked.length === 1) return askAlone(asked[0]);
  try {
    const queries = asked.map(({query}) => bodyOf(query));
    const {answers} = await ask(QUERIES, {queries}, {signal: signalOf(asked)});
    asked.forEach((one, place) => give(one, answers[place]));
  } catch (error) {
    for (const {reject} of asked) reject(error);
  }
};

const flush = (key) => {
  const asked = waiting.get(key).filter(({signal}) => !signal?.aborted);
  waiting.delete(key);
  for (let start = 0; start < asked.length; start += MOST) askAll(asked.slice(start, start + MOST));
};

const isFiltered = (path, query) => path === QUERY && Boolean(query?.filters || query?.segment);

/** Resolves to the answer of GET `path`: as `get` does, but together with other queries under the same filter. */
export const answerTo = (path, query, {signal} = {}) => {
  if (!isFiltered(path, query)) return get(path, query, {signal});
  return new Promise((resolve, reject) => {
    const key = JSON.stringify(OF_ALL.map((name) => query[name]));
    if (!waiting.has(key)) {
      waiting.set(key, []);
      queueMicrotask(() => flush(key));
    }
    waiting.get(key).push({query, signal, resolve, reject});
  });
};
