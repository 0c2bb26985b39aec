/** Days as people write them. */
import {day} from '../../app/format.js';

/** 2026-03-01, 2026-03-31 → 1 Mar – 31 Mar 2026 */
export const daysText = ([from, to]) => {
  if (from === to) return day(from);
  const isOneYear = from.slice(0, 4) === to.slice(0, 4);
  return `${day(from, isOneYear ? {day: 'numeric', month: 'short'} : {dateStyle: 'medium'})} – ${day(to)}`;
};
