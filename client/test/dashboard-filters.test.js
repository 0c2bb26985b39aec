/** Filters in the address, as the query API takes them, and as text. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {asTree, filterText, readFilter, writeFilter} from '../dashboard/app/filters.js';

const german = {operator: 'is', dimension: 'country', values: ['DE', 'AT']};
const pricing = {operator: 'contains', dimension: 'page', values: ['/a,b', 'back\\slash']};
const cheap = {operator: 'lt', dimension: 'value', values: ['9.5']};
const group = (operator, ...filters) => ({operator, dimension: '', values: [], filters});

test('the address keeps what was written', () => {
  const odd = {operator: 'is', dimension: 'page', values: [',', '\\,', 'ends with,', '', 'two\nlines', '']};
  for (const filter of [german, pricing, cheap, odd, group('any', german, pricing), group('none', odd, pricing)]) {
    assert.deepEqual(readFilter(writeFilter(filter)), filter);
  }
  assert.equal(writeFilter(german), 'is,country,DE,AT');
  assert.equal(writeFilter(group('any', german, cheap)), 'any,is\\,country\\,DE\\,AT,lt\\,value\\,9.5');
});

test('what is no filter stays one, for the server to refuse', () => {
  assert.deepEqual(readFilter('nonsense'), {operator: 'nonsense', dimension: '', values: []});
  assert.deepEqual(readFilter('any'), {operator: 'any', dimension: '', values: []});
  assert.deepEqual(readFilter('none,x').filters, [{operator: 'x', dimension: '', values: []}]);
});

test('groups become or and not', () => {
  const tree = (...filters) => JSON.parse(asTree(filters));
  assert.equal(asTree([]), '');
  assert.deepEqual(tree(group('any', german, cheap)), {
    or: [
      ['is', 'country', ['DE', 'AT']],
      ['lt', 'value', [9.5]],
    ],
  });
  assert.deepEqual(tree(group('none', german)), {not: ['is', 'country', ['DE', 'AT']]});
  assert.deepEqual(tree(group('none', german, german), cheap), {
    and: [
      {
        not: {
          or: [
            ['is', 'country', ['DE', 'AT']],
            ['is', 'country', ['DE', 'AT']],
          ],
        },
      },
      ['lt', 'value', [9.5]],
    ],
  });
  assert.equal(
    filterText([group('none', german, pricing), cheap]),
    'not (country is DE,AT or page contains "/a,b","back\\\\slash") and value < 9.5',
  );
});
