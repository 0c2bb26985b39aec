/** Periods of the dashboard: what they are, and which ones are before and after them. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {dayIn, intervalsOf, lengthOf, rangeOf, shifted} from '../dashboard/ui/period/days.js';

const TODAY = '2026-03-31';

test('periods have days', () => {
  const cases = {
    today: ['2026-03-31', '2026-03-31'],
    '7d': ['2026-03-25', '2026-03-31'],
    week: ['2026-03-30', '2026-03-31'],
    last_week: ['2026-03-23', '2026-03-29'],
    month: ['2026-03-01', '2026-03-31'],
    last_month: ['2026-02-01', '2026-02-28'],
    '12mo': ['2025-04-01', '2026-03-31'],
    '2026-02-28': ['2026-02-28', '2026-02-28'],
    '2025-12-30..2026-01-02': ['2025-12-30', '2026-01-02'],
  };
  for (const [period, range] of Object.entries(cases)) assert.deepEqual(rangeOf(period, TODAY), range, period);
  for (const period of ['all', '24h', 'nonsense', '2026-02-30', '2026-03-02..2026-03-01']) {
    assert.equal(rangeOf(period, TODAY), null, period);
  }
});

test('one goes back and forth, and never beyond today', () => {
  const cases = [
    ['today', -1, 'yesterday'],
    ['today', 1, null],
    ['yesterday', 1, 'today'],
    ['7d', -1, '2026-03-18..2026-03-24'],
    ['2026-03-18..2026-03-24', 1, '7d'],
    ['2026-03-29..2026-03-30', 1, 'today'],
    ['month', -1, 'last_month'],
    ['last_month', -1, '2026-01-01..2026-01-31'],
    ['2026-01-01..2026-01-31', 1, 'last_month'],
    ['last_month', 1, 'month'],
    ['week', -1, 'last_week'],
    ['week', 1, null],
    ['last_week', 1, 'week'],
    ['last_week', -1, '2026-03-16..2026-03-22'],
    ['2026-03-16..2026-03-22', 1, 'last_week'],
    ['2026-03-28..2026-03-29', 1, '2026-03-30..2026-03-31'],
    ['all', -1, null],
    ['24h', -1, null],
  ];
  for (const [period, by, found] of cases) assert.equal(shifted(period, TODAY, by), found, `${period} ${by}`);
  assert.equal(shifted('month', '2026-03-12', -1), 'last_month', 'a month up to today moves to a whole one');
});

test('weeks begin when somebody says', () => {
  const weeks = {
    monday: ['2026-03-30', '2026-03-23', '2026-03-29'],
    sunday: ['2026-03-29', '2026-03-22', '2026-03-28'],
    saturday: ['2026-03-28', '2026-03-21', '2026-03-27'],
  };
  for (const [weekStart, [first, before, last]] of Object.entries(weeks)) {
    assert.deepEqual(rangeOf('week', TODAY, weekStart), [first, TODAY]);
    assert.deepEqual(rangeOf('last_week', TODAY, weekStart), [before, last]);
    assert.equal(shifted('week', TODAY, -1, weekStart), 'last_week');
    assert.equal(shifted('last_week', TODAY, 1, weekStart), 'week');
    assert.deepEqual(rangeOf('week', first, weekStart), [first, first], 'on its first day it is that day');
  }
});

test('points of a chart are neither too few nor too many', () => {
  const most = {hour: 24 * 31, day: 750, week: 200_000, month: 200_000};
  for (const days of [1, 2, 7, 20, 31, 92, 365, 750, 5000]) {
    const found = intervalsOf(days);
    const points = {hour: 24 * days, day: days, week: days / 7, month: days / 30};
    for (const name of found) {
      assert.ok(points[name] <= most[name] && (days <= 1 || points[name] > 0.6), `${days} ${name}`);
    }
  }
  assert.equal(lengthOf('7d', TODAY), 7);
  assert.equal(lengthOf('all', TODAY), null);
});

test('a day is that of its zone', () => {
  const moment = Date.parse('2026-03-31T23:30:00Z');
  assert.deepEqual(
    ['UTC', 'Europe/Berlin', 'America/New_York'].map((zone) => dayIn(zone, moment)),
    ['2026-03-31', '2026-04-01', '2026-03-31'],
  );
});
