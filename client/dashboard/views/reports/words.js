/** When a report is sent, in words. */
import {day} from '../../app/format.js';
import {t} from '../../app/i18n.js';

export const EVERY = ['daily', 'weekly', 'monthly'];
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
export const HOURS = Array.from({length: 24}, (_, hour) => hour);

const MONDAY = 1; // of January 2024

/** Returns the name of a weekday in the reader's language. */
export const weekdayName = (name) => {
  const number = MONDAY + WEEKDAYS.indexOf(name);
  return day(`2024-01-0${number}`, {weekday: 'long'});
};

export const hourText = (hour) => `${String(hour).padStart(2, '0')}:00`;

/** Returns such as: weekly, on Monday at 08:00 */
export const when = ({every, weekday, hour}) =>
  t(`mail.when.${every}`, {weekday: weekdayName(weekday), hour: hourText(hour)});
