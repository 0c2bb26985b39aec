import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {test} from 'node:test';

import {VisitorStats, VisitorStatsError} from '../src/reader.js';

const json = (status, body, headers = {}) => ({status, body: JSON.stringify(body), headers});

/** Runs `check` against a server that gives these answers, one after the other, and the last one from then on. */
const served = async (answers, check) => {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push({url: request.url, headers: request.headers});
    const {status, body, headers} = answers[Math.min(asked.length, answers.length) - 1];
    if (status === 0) return request.socket.destroy();
    response.writeHead(status, {'Content-Type': 'application/json', ...headers});
    return response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await check(`http://127.0.0.1:${server.address().port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

const refusal = (status, code) => (error) =>
  error instanceof VisitorStatsError && error.status === status && error.code === code;

test('a query goes out with its site, its lists and its proof', () =>
  served([json(200, {rows: [], cursor: null})], async (url, asked) => {
    const stats = new VisitorStats({url: `${url}/`, key: 'vt_key', site: 'blog'});
    const found = await stats.query({
      metrics: ['visitors', 'views'],
      dimensions: ['page'],
      date_range: ['2026-01-01', '2026-01-31'],
      filters: ['is', 'country', ['DE']],
      limit: 5,
      goal: undefined,
      segment: '',
    });
    assert.deepEqual(found.rows, []);
    const {pathname, searchParams} = new URL(asked[0].url, url);
    assert.equal(pathname, '/api/v1/stats/query');
    assert.deepEqual(Object.fromEntries(searchParams), {
      metrics: 'visitors,views',
      dimensions: 'page',
      date_range: '2026-01-01,2026-01-31',
      filters: '["is","country",["DE"]]',
      limit: '5',
      site: 'blog',
    });
    assert.equal(asked[0].headers.authorization, 'Bearer vt_key');
  }));

test('all rows come, page by page', () =>
  served([json(200, {rows: [1, 2], cursor: 'next'}), json(200, {rows: [3], cursor: null})], async (url, asked) => {
    const rows = [];
    for await (const row of new VisitorStats({url}).rows({metrics: ['views']})) rows.push(row);
    assert.deepEqual(rows, [1, 2, 3]);
    assert.deepEqual(
      asked.map((request) => new URL(request.url, url).searchParams.get('cursor')),
      [null, 'next'],
    );
  }));

test('who is here now, and everything of all time, are of the site', () =>
  served([json(200, {now: 3})], async (url, asked) => {
    const stats = new VisitorStats({url, site: 'shop', shareToken: 'share'});
    assert.equal((await stats.live({feed: 0})).now, 3);
    await stats.stats({site: 'blog'});
    assert.deepEqual(
      asked.map(({url: target}) => target),
      ['/api/v1/live?site=shop&feed=0', '/stats?site=blog'],
    );
    assert.equal(asked[0].headers['x-share-token'], 'share');
    assert.equal('authorization' in asked[0].headers, false);
  }));

test('a server that is busy, or breaks off, is asked again', () =>
  served([json(503, {}, {'Retry-After': '0'}), {status: 0}, json(200, {now: 1})], async (url, asked) => {
    assert.equal((await new VisitorStats({url}).live()).now, 1);
    assert.equal(asked.length, 3);
  }));

test('what it refuses is told with its hint, at once', () =>
  served(
    [json(404, {error: {code: 'unknown_site', message: 'there is no such site', hint: 'look'}})],
    async (url, asked) => {
      const error = await new VisitorStats({url}).live().catch((refused) => refused);
      assert.ok(refusal(404, 'unknown_site')(error));
      assert.equal(error.message, 'there is no such site (look)');
      assert.equal(error.hint, 'look');
      assert.equal(asked.length, 1);
    },
  ));

for (const [answer, code] of [
  [{status: 200, body: '<html>'}, 'unreadable'],
  [{status: 500, body: 'oh'}, 'refused'],
]) {
  test(`an answer of ${answer.body} is ${code}`, () =>
    served([answer], (url) => assert.rejects(new VisitorStats({url}).stats(), refusal(answer.status, code))));
}

test('the last attempt says that there was no answer', () =>
  served([{status: 0}], async (url, asked) => {
    await assert.rejects(new VisitorStats({url, retries: 1}).stats(), refusal(0, 'no_answer'));
    assert.equal(asked.length, 2);
  }));

test('a server that never answers is given up', async () => {
  const never = (_, {signal}) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const stats = new VisitorStats({url: 'http://127.0.0.1', timeout: 1, retries: 0, fetch: never});
  await assert.rejects(stats.stats(), refusal(0, 'timeout'));
});

test('a redirect is not followed: it would take the key elsewhere', () =>
  served([{status: 302, body: '', headers: {Location: 'http://127.0.0.1:1/'}}], async (url, asked) => {
    await assert.rejects(new VisitorStats({url, retries: 0, key: 'vt_key'}).stats(), refusal(0, 'no_answer'));
    assert.equal(asked.length, 1);
  }));

test('a server without an address is a mistake', () => {
  assert.throws(() => new VisitorStats({}), TypeError);
  assert.throws(() => new VisitorStats({url: 'stats.example.com'}), TypeError);
});
