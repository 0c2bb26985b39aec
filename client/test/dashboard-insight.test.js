/** What the dashboard draws of days to come, and how far it looks ahead. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isForetold, periodsOf, withForecast} from '../dashboard/views/overview/outlook.js';

const point = (time, visits) => ({time, values: visits === undefined ? {} : {visits}});
const expected = (start) => ({start, expected: 20, low: 10, high: 30});
const days = ['2026-03-29', '2026-03-30', '2026-03-31'].map((time) => point(time, 5));

test('the band begins at the running day, and days to come follow on it', () => {
  const points = ['2026-03-31', '2026-04-01', '2026-04-02'].map(expected);
  const drawn = withForecast({points: days, unfinished: 2, interval: 'day', periods: 3, prediction: {points}});
  assert.deepEqual(drawn.points.map(({time}) => time), ['2026-03-29', '2026-03-30', '2026-03-31', '2026-04-01', '2026-04-02']); // prettier-ignore
  assert.deepEqual(drawn.points[3].values, {});
  assert.deepEqual(drawn.band, {
    lower: [null, null, 10, 10, 10],
    upper: [null, null, 30, 30, 30],
    forecast: [null, null, 20, 20, 20],
  });
});

test('what is on its way keeps its place', () => {
  const drawn = withForecast({points: days, unfinished: 2, interval: 'day', periods: 3});
  assert.deepEqual(drawn.points.map(({time}) => time).slice(2), ['2026-03-31', '2026-04-01', '2026-04-02']);
  assert.equal(drawn.band, undefined);
});

test('hours of today that are to come are there already', () => {
  const hours = ['00', '01', '02'].map((hour) => point(`2026-03-31T${hour}:00+02:00`, hour === '02' ? undefined : 1));
  assert.equal(periodsOf(hours, 1, 'hour'), 2);
  const points = [hours[1], hours[2]].map(({time}) => expected(time));
  const drawn = withForecast({points: hours, unfinished: 1, interval: 'hour', periods: 2, prediction: {points}});
  assert.deepEqual(drawn.points, hours);
  assert.deepEqual(drawn.band.lower, [null, 10, 10]);
});

test('it reaches as far as the days that are shown allow', () => {
  const of = (count) => periodsOf(Array.from({length: count}), count - 1, 'day') - 1;
  assert.deepEqual([7, 30, 90, 365].map(of), [3, 7, 14, 28]);
  assert.equal(periodsOf(Array.from({length: 24}), 23, 'hour'), 25);
});

test('nothing is foretold of what cannot be, or could not be read', () => {
  const can = {question: {compare: '', segment: '', filters: []}, meta: {interval: 'day'}, isForeign: false, unfinished: 3}; // prettier-ignore
  assert.ok(isForetold(can));
  assert.ok(isForetold({...can, unfinished: 0}));
  const not = [
    {question: {...can.question, compare: 'previous'}},
    {question: {...can.question, segment: 'abc'}},
    {question: {...can.question, filters: [{}]}},
    {meta: {interval: 'week'}},
    {isForeign: true},
    {unfinished: null},
  ];
  for (const one of not) assert.ok(!isForetold({...can, ...one}), JSON.stringify(one));
});
