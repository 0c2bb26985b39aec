import assert from 'node:assert/strict';
import {test} from 'node:test';

import {baseUrl} from '../src/base-url.js';

const DEFAULT = 'http://localhost:8000';

for (const [source, expected] of [
  ['https://stats.example.com/client/visitor-tracker.js', 'https://stats.example.com/'],
  ['https://stats.example.com:8443/client/visitor-tracker.0123456789ab.js?v=1#x', 'https://stats.example.com:8443/'],
  ['https://example.com/stats/client/visitor-tracker.iife.js', 'https://example.com/stats/'],
  ['https://example.com/bundle.js', 'https://example.com/'],
  ['file:///srv/app/visitor-tracker.js', DEFAULT],
  ['blob:https://example.com/1b2c', DEFAULT],
  ['', DEFAULT],
  [undefined, DEFAULT],
]) {
  test(`a script from ${source || 'nowhere'} belongs to ${expected}`, () => {
    assert.equal(
      baseUrl(() => source),
      expected,
    );
  });
}

test('a script that has gone belongs to the default', () => {
  assert.equal(
    baseUrl(() => null.src),
    DEFAULT,
  );
});
