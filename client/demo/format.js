/** Numbers and times as people read them. */

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const JUST_NOW_SECONDS = 5;
const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, {maximumSignificantDigits: 2});
const moment = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
const relative = new Intl.RelativeTimeFormat('en', {numeric: 'auto'});

export const count = (value) => whole.format(value);

export const visits = (value) => `${count(value)} ${value === 1 ? 'visit' : 'visits'}`;

export const milliseconds = (value) => `${value < 10 ? short.format(value) : count(Math.round(value))} ms`;

/** Returns such as "3 minutes ago"; what a server whose clock is ahead calls the future is "just now". */
export const ago = (time, now = Date.now()) => {
  const seconds = Math.round((now - time) / 1000);
  if (seconds < JUST_NOW_SECONDS) return 'just now';
  const [unit, length] = UNITS.find(([, size]) => seconds >= size);
  return relative.format(-Math.floor(seconds / length), unit);
};

/** Returns a <time> element; its text is relative, its title exact. */
export const timeElement = (iso) => {
  const time = new Date(iso);
  const element = document.createElement('time');
  element.dateTime = iso;
  element.title = moment.format(time);
  element.textContent = ago(time);
  return element;
};

/** Brings the text of every <time> element up to date. */
export const refreshTimes = () => {
  for (const element of document.querySelectorAll('time')) element.textContent = ago(new Date(element.dateTime));
};
