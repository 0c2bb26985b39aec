/** Numbers, times and names as people of a language write them. */
import {language, t} from './i18n.js';

const formats = new Map();
const cached = (Kind, options) => {
  const key = `${Kind.name} ${language()} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Kind(language(), options));
  return formats.get(key);
};
const number = (options) => cached(Intl.NumberFormat, options);
const date = (options) => cached(Intl.DateTimeFormat, options);

export const NONE = '–';
const orNone = (value, show) => (value === null || value === undefined ? NONE : show(value));

/** 1234567 → 1,234,567 */
export const whole = (value) => orNone(value, (known) => number({maximumFractionDigits: 0}).format(known));

/** 1234567 → 1.2M, for tiles and axes. */
export const short = (value) =>
  orNone(value, (known) =>
    Math.abs(known) < 10_000 ? whole(known) : number({notation: 'compact', maximumFractionDigits: 1}).format(known),
  );

export const decimal = (value, digits = 2) =>
  orNone(value, (known) => number({maximumFractionDigits: digits}).format(known));

/** A share of 1: 0.4242 → 42.4 % */
export const percent = (value, digits = 1) =>
  orNone(value, (known) => number({style: 'percent', maximumFractionDigits: digits}).format(known));

/** A change in percent, with its sign: 8.4 → +8.4 % */
export const change = (value) =>
  orNone(value, (known) =>
    number({style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero'}).format(known / 100),
  );

/** With the symbol that a language has for it: what Intl calls narrow is 2 Min., 3 Sek. in German, which no tile has room for. */
const narrow = (value, unit, digits = 0) => t(`unit.${unit}`, {value: decimal(value, digits)});

/** Returns a length in two units, as 2m 3s, or in the larger one where the other is 0. */
const twoUnits = (value, size, unit, smaller) => {
  const large = narrow(Math.floor(value / size), unit);
  return value % size ? `${large} ${narrow(value % size, smaller)}` : large;
};

/** Milliseconds as 2m 3s, in German 2 min 3 s; less than ten seconds with a decimal. */
export const duration = (ms) =>
  orNone(ms, (known) => {
    const seconds = known / 1000;
    if (seconds < 9.95) return narrow(seconds, 'second', 1);
    const all = Math.round(seconds);
    if (all < 60) return narrow(all, 'second');
    if (all < 3600) return twoUnits(all, 60, 'minute', 'second');
    return twoUnits(Math.floor(all / 60), 60, 'hour', 'minute');
  });

/** Milliseconds as 159 ms or 2.16 s: for what is measured, not for visits. */
export const milliseconds = (ms) =>
  orNone(ms, (known) => (known < 1000 ? `${whole(known)} ms` : `${decimal(known / 1000)} s`));

/** A small number without a unit, such as a layout shift: 0.065 */
export const ratio = (value) => decimal(value, 3);

export const money = (value, currency) =>
  orNone(value, (known) => {
    if (!/^[A-Z]{3}$/.test(currency ?? '')) return decimal(known);
    return number({style: 'currency', currency}).format(known);
  });

const METRICS = {
  bounce_rate: percent,
  single_rate: percent,
  share: percent,
  conversion_rate: percent,
  engaged: duration,
  duration,
  views_per_visit: decimal,
  revenue: decimal,
  milliseconds,
  ratio,
  scroll_depth: (value) => orNone(value, (known) => percent(known / 100)),
};

/** Returns a metric of the query API as text. */
export const metric = (name, value) => (METRICS[name] ?? whole)(value);
export const shortMetric = (name, value) => (METRICS[name] ?? short)(value);

/** A moment (ISO 8601 or epoch ms) in a zone: with date and time. */
export const moment = (value, timeZone) =>
  orNone(value, (known) => date({dateStyle: 'medium', timeStyle: 'short', timeZone}).format(new Date(known)));
export const clock = (value, timeZone) =>
  orNone(value, (known) => date({timeStyle: 'medium', timeZone}).format(new Date(known)));

/** A day, 2026-03-31, which has no zone. */
export const day = (text, options = {dateStyle: 'medium'}) =>
  orNone(text, (known) => date({...options, timeZone: 'UTC'}).format(new Date(`${known.slice(0, 10)}T00:00:00Z`)));

const UNITS = [['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]]; // prettier-ignore

/** How long ago a moment was: 3 minutes ago. */
export const ago = (value, now = Date.now()) => {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return cached(Intl.RelativeTimeFormat, {numeric: 'auto'}).format(Math.round(seconds / length), unit);
};

const LENGTHS = [['day', 1440], ['hour', 60], ['minute', 1]]; // prettier-ignore

/** Minutes in the largest unit that holds them without a rest: 90 minutes, 6 hours, 2 days. */
export const minutes = (value) => {
  const [unit, size] = LENGTHS.find(([, length]) => value > 0 && value % length === 0) ?? LENGTHS.at(-1);
  return number({style: 'unit', unit, unitDisplay: 'long'}).format(value / size);
};

const nameOf = (type, code) => {
  try {
    return cached(Intl.DisplayNames, {type}).of(code) ?? code;
  } catch {
    return code;
  }
};

/** A country by its ISO 3166-1 code; XX is unknown, LOCAL the own network. */
export const country = (code) => {
  if (code === 'XX' || !code) return t('value.unknown');
  if (code === 'LOCAL') return t('value.local');
  return nameOf('region', code);
};

export const languageName = (code) => (code ? nameOf('language', code) : t('value.unknown'));

/** The flag of a country, '' where it has none. */
export const flag = (code) =>
  /^[A-Z]{2}$/.test(code) && code !== 'XX'
    ? String.fromCodePoint(...[...code].map((letter) => 0x1f1a5 + letter.charCodeAt(0)))
    : '';
