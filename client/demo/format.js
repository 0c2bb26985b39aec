/** Numbers and times as people read them. */

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, {maximumSignificantDigits: 2});
const moment = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
const relative = new Intl.RelativeTimeFormat('en', {numeric: 'auto'});

export const count = (value) => whole.format(value);

export const visits = (value) => `${count(value)} ${value === 1 ? 'visit' : 'visits'}`;

export const milliseconds = (value) => `${value < 10 ? short.format(value) : count(Math.round(value))} ms`;

/** Returns such as "3 minutes ago". */
export const ago = (time, now = Date.now()) => {
  const seconds = Math.min(0, Math.round((time - now) / 1000)); // a server's clock may be ahead
  const [unit, length] = UNITS.find(([, size]) => -seconds >= size) ?? UNITS.at(-1);
  return relative.format(Math.ceil(seconds / length), unit);
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
