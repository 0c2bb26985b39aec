/** What the administration works out by itself: policies of pages, and lines to put into them. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {allows, judge, readPolicy} from '../dashboard/views/admin/csp.js';
import {absolute, frameOf, imageOf, markdownOf, queryOf} from '../dashboard/views/settings/frames.js';

const SERVER = 'https://stats.example.com';
const verdicts = (policy, origin = SERVER, page = 'https://blog.example') =>
  judge(policy, origin, page).map(({isAllowed}) => isAllowed);

test('sources of a policy let through what browsers let through', () => {
  for (const [source, isAllowed] of [
    ['*', true],
    ['https:', true],
    ['http:', false],
    ['stats.example.com', true],
    ['https://stats.example.com', true],
    ['http://stats.example.com:443', true],
    ['https://stats.example.com:8443', false],
    ['https://stats.example.com:*', true],
    ['*.example.com', true],
    ['*.stats.example.com', false],
    ['example.com', false],
    ["'self'", false],
    ["'none'", false],
    ["'nonce-abc'", false],
    ['STATS.example.com', true],
  ]) {
    assert.equal(allows(source, SERVER, 'https://blog.example'), isAllowed, source);
  }
  assert.equal(allows("'self'", SERVER, SERVER), true);
  assert.equal(allows('http://127.0.0.1:8000', 'http://127.0.0.1:8000'), true);
});

test('a missing directive falls back, and no policy holds nothing back', () => {
  assert.deepEqual(verdicts("default-src 'self'"), [false, false, false]);
  assert.deepEqual(verdicts("default-src 'none'; script-src https:; img-src *"), [true, false, true]);
  assert.deepEqual(verdicts("Content-Security-Policy: script-src 'self'; script-src *"), [false, true, true]);
  assert.deepEqual(verdicts("script-src 'self'; script-src-elem https://stats.example.com"), [true, true, true]);
  assert.deepEqual(verdicts(''), [true, true, true]);
  assert.deepEqual(readPolicy('a b;; C  d e'), {a: ['b'], c: ['d', 'e']});
});

test('lines for other pages cannot be broken out of', () => {
  const nasty = '"><script>alert(1)</script>';
  for (const line of [
    frameOf('/widget', nasty, 100, SERVER),
    imageOf('/badge.svg', nasty, `https://a.example/?"`, SERVER),
  ]) {
    assert.ok(!line.includes('<script>'), line);
    assert.ok(!line.includes('""'), line);
  }
  assert.equal(markdownOf('/b.svg?x=(1)', 'a]b', 'https://a.example/)', SERVER).includes('a\\]b'), true);
  assert.match(
    markdownOf('/b.svg?x=(1)', 'v', '', SERVER),
    /^!\[v\]\(https:\/\/stats\.example\.com\/b\.svg\?x=\(1%29\)$/,
  );
});

test('addresses are whole and say only what is not usual', () => {
  assert.equal(absolute('/share/x', SERVER), `${SERVER}/share/x`);
  assert.equal(absolute('https://other.example/share/x', SERVER), 'https://other.example/share/x');
  assert.equal(queryOf({period: '7d', limit: 5, title: 'A & b'}, {period: '7d', limit: 5}), '?title=A+%26+b');
  assert.equal(queryOf({period: '7d'}, {period: '7d'}), '');
});
