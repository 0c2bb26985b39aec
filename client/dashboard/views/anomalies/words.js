/** Anomalies in words: the server tells them in English, people read them in their language. */
import {day, decimal, metric, percent} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {fullTime, hourText} from '../../ui/chart/times.js';
import {dimensionName, valueName} from '../../ui/filters/names.js';
import {addDays, periodOf} from '../../ui/period/days.js';

const HOUR_MS = 3_600_000;
const NEARLY_ALL = 0.995; // of the change: it is said to be all
const FOLD_LEAST = 1.95; // times what is usual; less of a rise is said in percent
const SHORT = {day: 'numeric', month: 'short'};
const ENDS = new Set(['entry', 'page']);

/** Returns the days of what an anomaly is told by, as a period. */
export const periodOfPeak = ({peak, step, peak_steps: steps}) => {
  const first = peak.slice(0, 10);
  return periodOf(first, step === 'day' ? addDays(first, steps - 1) : first);
};

/** Returns the wall clock of the site so many hours after a time: 2026-03-31T14:00+02:00. */
const hourAfter = (time, hours) => {
  const wall = new Date(Date.parse(`${time.slice(0, 16)}:00Z`) + hours * HOUR_MS);
  return wall.toISOString().slice(0, 16);
};

/** Returns when it was: on 14 Oct; from 21 Jun to 23 Jun; on 14 Oct, 14:00 to 17:00. */
export const whenText = ({peak, step, peak_steps: steps}, options = SHORT) => {
  const first = day(peak, options);
  if (step === 'day') {
    return steps === 1
      ? t('anomalies.on', {day: first})
      : t('anomalies.from_to', {from: first, to: day(addDays(peak, steps - 1), options)});
  }
  const end = hourAfter(peak, steps);
  const isOneDay = hourAfter(peak, steps - 1).slice(0, 10) === peak.slice(0, 10);
  if (isOneDay) return t('anomalies.hours', {day: first, from: hourText(peak), to: hourText(end)});
  return t('anomalies.from_to', {from: fullTime(peak, 'hour'), to: fullTime(end, 'hour')});
};

/** Returns what was unusual: Visits were 3.5× the usual. */
export const howMuch = ({kind, metric: name, value, expected}) => {
  const shown = t(`metric.${name}`);
  if (expected <= 0) return t('anomalies.from_none', {metric: shown, value: metric(name, value)});
  const ratio = value / expected;
  if (ratio >= FOLD_LEAST) return t('anomalies.times', {metric: shown, ratio: decimal(ratio, 1)});
  const share = percent(Math.abs(ratio - 1), 0);
  return t(kind === 'spike' ? 'anomalies.above' : 'anomalies.below', {metric: shown, share});
};

/** Returns all of it but the reason: Visits were 3.5× the usual on 14 Oct. */
export const sentence = (anomaly, options) =>
  t('anomalies.sentence', {what: howMuch(anomaly), when: whenText(anomaly, options)});

const shareText = (share) => (share >= NEARLY_ALL ? t('anomalies.all') : percent(share, 0));

/** A value says by itself what it is of; country codes and the like are shown by their names. */
const nameOf = ({dimension, value}) => {
  const name = valueName(dimension, value);
  return ['source', 'page', 'entry', 'country'].includes(dimension) ? name : `${dimensionName(dimension)} ${name}`;
};

/** Returns the first reason in short: 86 % Hacker News → /post; '' where nothing stands out. */
export const reasonText = ({causes, is_even: isEven, anomaly}) => {
  if (causes.length === 0) {
    if (!isEven) return '';
    return t(anomaly.kind === 'dip' ? 'anomalies.even_dip' : 'anomalies.even_spike');
  }
  const [first] = causes;
  const page = ENDS.has(first.dimension) ? undefined : first.details.find(({dimension}) => ENDS.has(dimension));
  const cause = t('anomalies.cause', {share: shareText(first.share), value: nameOf(first)});
  return page ? `${cause} → ${page.value}` : cause;
};

/** Returns the text of a note that somebody may make of it. */
export const noteText = (anomaly, found) =>
  (found?.causes.length ? `${howMuch(anomaly)}: ${nameOf(found.causes[0])}` : howMuch(anomaly)).slice(0, 200);
