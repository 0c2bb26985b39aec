/** Queries that are sent together: each gets its own answer, and who does not wait any more gets none. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

const QUERY = '/api/v1/stats/query';
const asked = [];

globalThis.location = new URL('https://tracker.test/dashboard/shop');
globalThis.fetch = (path, {body}) =>
  new Promise((resolve) => asked.push({path, body: JSON.parse(body), answer: (said) => resolve(Response.json(said))}));

const {answerTo} = await import('../dashboard/app/several.js');

test('an answer that comes late is none to who asks something else by then', async () => {
  const control = new AbortController();
  const filtered = {site: 'shop', filters: '["is","country",["DE"]]'};
  const sources = answerTo(QUERY, {...filtered, dimensions: 'source'}, {signal: control.signal});
  const pages = answerTo(QUERY, {...filtered, dimensions: 'page'});
  while (!asked.length) await new Promise(setImmediate);
  assert.equal(asked[0].path, '/api/v1/stats/queries');
  assert.deepEqual(
    asked[0].body.queries.map(({dimensions}) => dimensions),
    [['source'], ['page']],
  );
  control.abort();
  const answers = ['sources', 'pages'].map((answer) => ({status: 200, answer}));
  asked[0].answer({answers});
  await assert.rejects(sources, {name: 'AbortError'});
  assert.equal(await pages, 'pages');
});
