import assert from 'node:assert/strict';
import {test} from 'node:test';

import {broken, json, network, sent, silent, text, waited} from './fakes.js';
import {VisitorTracker} from '../src/index.js';

const PAGE = 'https://example.com/page';
const COUNTED = {page_url: PAGE, visit_count: 7, last_visited: 'b', created_at: 'a', security_token: 'c'};
const counted = json(200, COUNTED);
const tracker = () => new VisitorTracker('https://stats.example.com');
const idOf = (request) => JSON.parse(request.body).id;

test('a visit is one simple request: no header of ours, no cookies, sent to its end', async () => {
  network(counted);
  assert.deepEqual(await tracker().updateVisitorCount(PAGE), COUNTED);
  const [{body, ...request}] = sent;
  assert.deepEqual(request, {
    url: 'https://stats.example.com/api/v1/visits',
    method: 'POST',
    headers: {},
    keepalive: true,
    credentials: 'omit',
  });
  const {id, ...rest} = JSON.parse(body);
  assert.deepEqual(rest, {url: PAGE});
  assert.match(id, /^[0-9a-f]{32}$/);
});

test('every visit has an id of its own, ordered by time', async (t) => {
  network(counted);
  for (const now of [1, 1_800_000_000_000, 1_800_000_000_001]) {
    t.mock.method(Date, 'now', () => now);
    await tracker().updateVisitorCount(PAGE);
  }
  const ids = sent.map(idOf);
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(ids, [...ids].sort());
});

for (const [name, trouble, waits] of [
  ['a broken connection', broken, [200, 1000]],
  ['503', text(503, ''), [200, 1000]],
  ['502', text(502, '<html>'), [200, 1000]],
  ['429 with Retry-After', json(429, {}, {'Retry-After': '2'}), [2200, 3000]],
]) {
  test(`after ${name} the visit is sent again with the same id`, async () => {
    network(trouble, counted);
    assert.deepEqual(await tracker().updateVisitorCount(PAGE), COUNTED);
    assert.equal(sent.length, 2);
    assert.equal(idOf(sent[0]), idOf(sent[1]));
    assert.equal(waited.length, 1);
    assert.ok(waits[0] <= waited[0] && waited[0] <= waits[1], `waited ${waited[0]} ms`);
  });
}

for (const [name, trouble, requests] of [
  ['a network that stays away', broken, 3],
  ['a server that stays busy', text(503, ''), 3],
  ['a server that wants peace for a minute', json(429, {}, {'Retry-After': '60'}), 1],
  ['a Retry-After that is a date', json(503, {}, {'Retry-After': 'Fri, 31 Dec 2027 23:59:59 GMT'}), 1],
  ['a refused URL', json(400, {error: {code: 'invalid_url'}}), 1],
  ['a server error', text(500, 'oops'), 1],
  ['an answer that is not JSON', text(200, '<html>'), 1],
  ['an empty answer', () => new Response(null, {status: 204}), 1],
]) {
  test(`${name} gives null after ${requests} request(s)`, async () => {
    network(trouble);
    assert.equal(await tracker().updateVisitorCount(PAGE), null);
    assert.equal(sent.length, requests);
  });
}

test('a server that never answers gives null in the end', async () => {
  network(silent);
  assert.equal(await new VisitorTracker('', {timeout: 1234}).updateVisitorCount(PAGE), null);
  assert.equal(sent.length, 3);
  assert.equal(waited.filter((milliseconds) => milliseconds === 1234).length, 3);
});

for (const timeout of [Infinity, 2 ** 40]) {
  test(`a timeout of ${timeout} ms does not end at once`, async () => {
    network(counted);
    assert.deepEqual(await new VisitorTracker('', {timeout}).updateVisitorCount(PAGE), COUNTED);
  });
}

test("the page's own signal ends it without another attempt", async () => {
  const abort = new AbortController();
  network((options) => {
    abort.abort();
    return silent(options);
  });
  assert.equal(await new VisitorTracker('', {signal: abort.signal}).updateVisitorCount(PAGE), null);
  assert.equal(sent.length, 1);
});

test('a signal given too late sends nothing that is waited for', async () => {
  network(silent);
  assert.equal(await new VisitorTracker('', {signal: AbortSignal.abort()}).getVisitorCount(PAGE), null);
});

for (const [name, answer] of [
  ['404', text(404, 'not found')],
  ['405', text(405, '')],
  ['{}', json(200, {})],
]) {
  test(`a server that answers ${name} to what it does not know is asked by /update`, async () => {
    network(answer, counted);
    assert.deepEqual(await tracker().updateVisitorCount(PAGE), COUNTED);
    assert.equal(sent[1].url, 'https://stats.example.com/update?url=https%3A%2F%2Fexample.com%2Fpage');
    assert.equal(sent[1].method, 'GET');
    assert.equal(sent[1].keepalive, true);
  });
}

test('GET /update is never repeated, because it would count again', async () => {
  network(text(404, ''), text(503, ''));
  assert.equal(await tracker().updateVisitorCount(PAGE), null);
  assert.equal(sent.length, 2);
});

test('a visit whose number is not known yet is an answer', async () => {
  const pending = {
    page_url: PAGE,
    visit_count: null,
    last_visited: null,
    created_at: null,
    security_token: null,
    pending: true,
  };
  network(json(202, pending));
  assert.deepEqual(await tracker().updateVisitorCount(PAGE), pending);
  assert.equal(sent.length, 1);
});

for (const url of [
  'file:///home/me/letter.html',
  'about:blank',
  '',
  null,
  undefined,
  7,
  Symbol('x'),
  Object.create(null),
]) {
  test(`${typeof url} ${String(Object(url) === url ? 'without text' : String(url))} is no page: null, nothing sent`, async () => {
    network(counted);
    assert.equal(await tracker().updateVisitorCount(url), null);
    assert.deepEqual(sent, []);
  });
}

test('what follows # stays in the browser', async () => {
  network(counted);
  await tracker().updateVisitorCount(new URL(`${PAGE}#access_token=secret`));
  await tracker().getVisitorCount(`${PAGE}#access_token=secret`);
  assert.ok(!JSON.stringify(sent).includes('secret'));
});

test('one page is read by its URL, all pages without one', async () => {
  network(json(200, [COUNTED]));
  assert.deepEqual(await tracker().getVisitorCount(), [COUNTED]);
  await tracker().getVisitorCount(null);
  await tracker().getVisitorCount('https://example.com/ä?b=c&d');
  assert.deepEqual(
    sent.map(({url}) => url),
    [
      'https://stats.example.com/count',
      'https://stats.example.com/count',
      'https://stats.example.com/count?url=https%3A%2F%2Fexample.com%2F%C3%A4%3Fb%3Dc%26d',
    ],
  );
});

test('reading is tried once more', async () => {
  network(broken);
  assert.equal(await tracker().getVisitorCount(PAGE), null);
  assert.equal(sent.length, 2);
});

for (const [base, url] of [
  ['https://stats.example.com', 'https://stats.example.com/count'],
  ['https://stats.example.com/', 'https://stats.example.com/count'],
  ['https://example.com/stats//', 'https://example.com/stats/count'],
  ['', '/count'],
]) {
  test(`the server's address may be written ${base || 'empty'}`, async () => {
    network(json(200, []));
    await new VisitorTracker(base).sendGetRequest('/count', {});
    await new VisitorTracker(base).sendGetRequest('count');
    assert.deepEqual(
      sent.map((request) => request.url),
      [url, url],
    );
  });
}

test('a script from elsewhere talks to localhost', () => {
  assert.equal(new VisitorTracker().apiBaseUrl, 'http://localhost:8000');
});

test('fetch options are passed on, but Content-Type is not, and method and body are ours', async () => {
  network(counted);
  const fetchOptions = {
    headers: {'content-type': 'application/json', 'X-Key': 'k'},
    credentials: 'include',
    method: 'DELETE',
    body: 'x',
  };
  const own = new VisitorTracker('', fetchOptions);
  await own.getVisitorCount(PAGE);
  await own.updateVisitorCount(PAGE);
  assert.deepEqual(
    sent.map(({method, headers, credentials}) => ({method, headers, credentials})),
    [
      {method: 'GET', headers: {'x-key': 'k'}, credentials: 'include'},
      {method: 'POST', headers: {'x-key': 'k'}, credentials: 'include'},
    ],
  );
  assert.equal(sent[0].body, undefined);
});

for (const fetchOptions of [null, 7, {headers: {'bad name': 'x'}}, {headers: 'x'}, {timeout: 'soon'}]) {
  test(`options ${JSON.stringify(fetchOptions)} never throw`, async () => {
    network(counted);
    const odd = new VisitorTracker('', fetchOptions);
    await odd.updateVisitorCount(PAGE);
    await odd.getVisitorCount(PAGE);
    await odd.sendGetRequest(Symbol('x'), Symbol('y'));
  });
}

test('a badge has the address of its page', () => {
  assert.equal(
    tracker().badgeUrl(`${PAGE}?a=b#c`),
    'https://stats.example.com/badge.svg?url=https%3A%2F%2Fexample.com%2Fpage%3Fa%3Db',
  );
});
