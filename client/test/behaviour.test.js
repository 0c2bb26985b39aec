/** What the dashboard makes of sessions and of heat before it draws them. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bandsOf, heightOf, hottest, pointsOf, spotsOf} from '../dashboard/views/heatmaps/heat.js';
import {clockOf, isMarked, selectorOf, shortAddress, storyOf} from '../dashboard/views/sessions/story.js';

const HEAT = {
  columns: 100,
  row_px: 20,
  total: 20,
  cells: [
    [0, 9, 10],
    [0, 29, 6],
    [0, 49, 4],
  ],
};
const at = (seconds, type, more) => ({
  type,
  timestamp: `2026-03-10T12:00:${String(seconds).padStart(2, '0')}Z`,
  ...more,
});

test('what is told of a page stands with its latest view', () => {
  const story = storyOf([
    at(0, 'pageview', {id: 'a', href: 'https://a.test/#top'}),
    at(1, 'vital', {name: 'LCP', value: 900, href: 'https://a.test/'}),
    at(5, 'engagement', {engaged_ms: 4000, scroll: 30, href: 'https://a.test/'}),
    at(6, 'pageview', {id: 'b', href: 'https://a.test/b'}),
    at(9, 'engagement', {engaged_ms: 1000, scroll: 20, href: 'https://a.test/'}),
    at(10, 'engagement', {id: 'c', engaged_ms: 1000, href: 'https://a.test/elsewhere'}),
  ]);
  assert.deepEqual(
    story.map(({id, offset, engaged, depth, vitals}) => ({id, offset, engaged, depth, vitals})),
    [
      {id: 'a', offset: 0, engaged: 5000, depth: 30, vitals: [{name: 'LCP', value: 900}]},
      {id: 'b', offset: 6000, engaged: 0, depth: 0, vitals: []},
      {id: 'c', offset: 10000, engaged: 1000, depth: 0, vitals: []},
    ],
  );
  assert.deepEqual(storyOf([]), []);
});

test('elements, times and addresses are written shortly', () => {
  assert.equal(selectorOf({tag: 'BUTTON', id: 'buy', class: ' large  round a b '}), 'button#buy.large.round.a');
  assert.equal(selectorOf(), '');
  assert.deepEqual([0, 65_000, 3_661_000, -5].map(clockOf), ['0:00', '1:05', '1:01:01', '0:00']);
  assert.equal(shortAddress('https://a.test/x'), 'a.test/x');
  assert.equal(isMarked({type: 'click', data: {rage: true}}, 'rage'), true);
  assert.equal(isMarked({type: 'custom', data: {rage: true}}, 'rage'), false);
});

test('bands tell who came so far', () => {
  const bands = bandsOf(HEAT, 1000, 5);
  assert.deepEqual(
    bands.map(({top, height, share}) => [top, height, share]),
    [
      [0, 200, 1],
      [200, 200, 0.5],
      [400, 200, 0.5],
      [600, 200, 0.2],
      [800, 200, 0.2],
    ],
  );
  assert.deepEqual(bandsOf({...HEAT, cells: [], total: 0}, 40, 2), [
    {top: 0, height: 20, share: 0},
    {top: 20, height: 20, share: 0},
  ]);
  assert.equal(heightOf(HEAT), 1020);
});

test('points are where the cells are, and few very hot ones do not hide the others', () => {
  assert.deepEqual(pointsOf({...HEAT, cells: [[50, 10, 3]]}, 640, 0.5), [[323.2, 105, 3]]);
  const cells = [...Array.from({length: 99}, (_, x) => [x, 0, 2]), [99, 0, 5000]];
  assert.equal(hottest(cells), 2);
  assert.equal(hottest([]), 1);
  assert.deepEqual(spotsOf(HEAT, 1), [{near: '0,9', x: 0.005, y: 180, times: 10, share: 0.5}]);
});
