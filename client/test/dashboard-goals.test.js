/** What the views of goals, funnels and journeys reckon by themselves. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {before} from '../dashboard/views/goals/days.js';
import {countOf, worstOf} from '../dashboard/views/funnels/numbers.js';
import {isPage, layout} from '../dashboard/views/journeys/layout.js';

test('the days before are as many, over months and leap days', () => {
  assert.equal(before('2026-03-01', '2026-03-30'), '2026-01-30..2026-02-28');
  assert.equal(before('2024-03-01', '2024-03-01'), '2024-02-29..2024-02-29');
});

test('the largest loss is the largest share, not number, and none where nobody left', () => {
  assert.equal(worstOf([{drop_rate: 0.2}, {drop_rate: 0.6}, {drop_rate: null}]), 1);
  assert.equal(worstOf([{drop_rate: 0}, {drop_rate: null}]), -1);
  assert.equal(countOf({follows: 'visitors'}, {visits: null, visitors: 3}), 3);
  assert.equal(countOf({follows: 'visits'}, {visits: 4, visitors: 3}), 4);
});

const LINKS = [
  {step: 1, from: '/', to: '/a', visits: 6},
  {step: 1, from: '/', to: '(exit)', visits: 3},
  {step: 1, from: '(other)', to: '/a', visits: 1},
  {step: 2, from: '/a', to: '(exit)', visits: 7},
];
const find = ({nodes}, column, page) => nodes.find((node) => node.column === column && node.page === page);

test('every page of a column has its visits, and ribbons fill its bar', () => {
  const drawn = layout(LINKS);
  assert.deepEqual(
    drawn.nodes.map(({column, page, visits}) => [column, page, visits]),
    [
      [0, '/', 9],
      [0, '(other)', 1],
      [1, '/a', 7],
      [1, '(exit)', 3],
      [2, '(exit)', 7],
    ],
  );
  const page = find(drawn, 1, '/a');
  assert.ok(Math.abs(page.filledIn - page.height) < 0.001);
  assert.ok(Math.abs(page.filledOut - page.height) < 0.001);
  assert.equal(drawn.ribbons.length, LINKS.length);
  assert.deepEqual(
    drawn.nodes.filter(isPage).map(({page: name}) => name),
    ['/', '/a'],
  );
});

test('bars of a column do not overlap', () => {
  const {nodes} = layout(LINKS);
  for (const column of [0, 1]) {
    const [upper, lower] = nodes.filter((node) => node.column === column);
    assert.ok(upper.y + upper.height < lower.y);
  }
});

test('journeys backwards run from the right to the left, and a wide box is used', () => {
  const there = layout(LINKS);
  const back = layout(LINKS, 'previous', 1200);
  assert.ok(find(there, 0, '/').x < find(there, 2, '(exit)').x);
  assert.ok(find(back, 0, '/').x > find(back, 2, '(exit)').x);
  assert.equal(back.width, 1200);
});

test('without links there is nothing to draw', () => {
  assert.deepEqual(layout([]).nodes, []);
});
