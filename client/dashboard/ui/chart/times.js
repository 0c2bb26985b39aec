/** Times of points as texts. A time is 2026-03-31T14:00+01:00 (an hour), 2026-03-31 (a day, or a week's first) or 2026-03. */
import {day} from '../../app/format.js';
import {language, t} from '../../app/i18n.js';
import {addDays} from '../period/days.js';

/** Returns the hour of a time as a clock shows it. */
export const hourText = (time) => {
  const moment = new Date(`${time.slice(0, 16)}:00Z`); // the wall clock of the site's zone: offsets do not matter here
  return new Intl.DateTimeFormat(language(), {hour: 'numeric', minute: '2-digit', timeZone: 'UTC'}).format(moment);
};
const dayOf = (time) => (time.length === 7 ? `${time}-01` : time.slice(0, 10));

/** Returns the time of a point in full, for a tooltip. */
export const fullTime = (time, interval) => {
  if (interval === 'hour') {
    return `${day(time, {weekday: 'short', day: 'numeric', month: 'short'})}, ${hourText(time)}`;
  }
  if (interval === 'month') return day(dayOf(time), {month: 'long', year: 'numeric'});
  const shown = day(time, {weekday: 'short', day: 'numeric', month: 'short', year: 'numeric'});
  return interval === 'week' ? t('chart.week_of', {day: shown}) : shown;
};

/** Returns the time of a point in short, for an axis of so many points. */
export const shortTime = (time, interval, count) => {
  if (interval === 'hour') return count > 26 && time.slice(11, 13) === '00' ? day(time, {day: 'numeric', month: 'short'}) : hourText(time); // prettier-ignore
  if (interval === 'month') return day(dayOf(time), {month: 'short', year: '2-digit'});
  return day(time, {day: 'numeric', month: 'short'});
};

/** Returns the first and the last day of a point; the last of a month or a week is cut at the period's end. */
export const daysOfPoint = (time, interval) => {
  const first = dayOf(time);
  const [year, month] = first.split('-').map(Number);
  if (interval === 'month') return [first, new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)];
  return [first, interval === 'week' ? addDays(first, 6) : first];
};
