/** Days without clocks: what a period is from when to when, and which one is before and after it. Days are 2026-03-31. */

const DAY_MS = 86_400_000;
const epoch = (day) => Date.parse(`${day}T00:00:00Z`);
const text = (ms) => new Date(ms).toISOString().slice(0, 10);

export const isDay = (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(epoch(value)) && text(epoch(value)) === value; // prettier-ignore

export const addDays = (day, count) => text(epoch(day) + count * DAY_MS);

/** Returns how many days there are from one to another, both included. */
export const countDays = (from, to) => Math.round((epoch(to) - epoch(from)) / DAY_MS) + 1;

const monthStart = (day, months = 0) => {
  const [year, month] = day.split('-').map(Number);
  return text(Date.UTC(year, month - 1 + months, 1));
};
const monthEnd = (day, months = 0) => addDays(monthStart(day, months + 1), -1);

/** Returns the day of a moment in a zone. */
export const dayIn = (timeZone, moment = Date.now()) => {
  const parts = new Intl.DateTimeFormat('en-US', {timeZone, year: 'numeric', month: '2-digit', day: '2-digit'})
    .formatToParts(moment)
    .map(({type, value}) => [type, value]);
  const {year, month, day} = Object.fromEntries(parts);
  return `${year}-${month}-${day}`;
};

const WEEKDAYS = {sunday: 0, monday: 1, saturday: 6}; // as Date has them

/** Returns the first day of a day's week. */
export const weekOf = (day, weekStart) =>
  addDays(day, -((new Date(epoch(day)).getUTCDay() + 7 - WEEKDAYS[weekStart]) % 7));

const RANGES = {
  today: (today) => [today, today],
  yesterday: (today) => [addDays(today, -1), addDays(today, -1)],
  '7d': (today) => [addDays(today, -6), today],
  '30d': (today) => [addDays(today, -29), today],
  '90d': (today) => [addDays(today, -89), today],
  week: (today, weekStart) => [weekOf(today, weekStart), today],
  last_week: (today, weekStart) => [addDays(weekOf(today, weekStart), -7), addDays(weekOf(today, weekStart), -1)],
  month: (today) => [monthStart(today), today],
  last_month: (today) => [monthStart(today, -1), monthEnd(today, -1)],
  '12mo': (today) => [monthStart(today, -11), today],
  year: (today) => [`${today.slice(0, 4)}-01-01`, today],
};

/** Returns [first, last] day of a period, null for all and 24h, whose days only the server can tell. */
export const rangeOf = (period, today, weekStart = 'monday') => {
  if (RANGES[period]) return RANGES[period](today, weekStart);
  const [from, to = from] = period.split('..');
  return isDay(from) && isDay(to) && from <= to ? [from, to] : null;
};

/** Writes days as a period. */
export const periodOf = (from, to) => (from === to ? from : `${from}..${to}`);

const startsMonth = (day) => day.endsWith('-01');
const monthsBetween = (from, to) =>
  (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7)) + 1;

const named = (from, to, today) =>
  ['today', 'yesterday', '7d', '30d', '90d', 'month', 'last_month', '12mo', 'year'].find((name) => {
    const [first, last] = RANGES[name](today);
    return first === from && last === to;
  }) ?? periodOf(from, to);

/** Returns the days in front of (-1) or after (1) some; whole months, and a month up to today, move by months. */
const moved = ([from, to], today, by) => {
  if (startsMonth(from) && (to === monthEnd(to) || to === today)) {
    const months = monthsBetween(from, to) * by;
    return [monthStart(from, months), monthEnd(to, months)];
  }
  const days = countDays(from, to) * by;
  return [addDays(from, days), addDays(to, days)];
};

/** Returns the period before (-1) or after (1) another one, null where there is none: nothing is after today. */
export const shifted = (period, today, by, weekStart = 'monday') => {
  const range = rangeOf(period, today, weekStart);
  if (!range) return null;
  const whole = period === 'week' ? [range[0], addDays(range[0], 6)] : range;
  const [from, to] = moved(whole, today, by);
  if (from > today) return null;
  if (countDays(from, to) === 7) {
    if (from === weekOf(today, weekStart)) return 'week';
    if (from === RANGES.last_week(today, weekStart)[0]) return 'last_week';
  }
  return named(from, to > today ? today : to, today);
};

/** Returns the intervals that say something of so many days, the usual one first. */
export const intervalsOf = (days) => {
  if (days === null) return ['month', 'week', 'day'];
  if (days <= 1) return ['hour'];
  if (days <= 7) return ['day', 'hour'];
  if (days < 21) return ['day', 'hour', 'week'];
  if (days <= 31) return ['day', 'hour', 'week', 'month'];
  if (days <= 92) return ['day', 'week', 'month'];
  return days <= 750 ? ['day', 'week', 'month'] : ['month', 'week'];
};

/** Returns how many days a period has; null for all. */
export const lengthOf = (period, today, weekStart) => {
  if (period === '24h') return 1;
  const range = rangeOf(period, today, weekStart);
  return range && countDays(...range);
};
