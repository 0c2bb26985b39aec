/** What alerts, channels and messages are, in words; and which fields each kind has. */
import {metric, minutes, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';

export const SITE_KINDS = ['anomaly', 'threshold', 'goal', 'silent'];
export const SERVER_KINDS = ['lag', 'certificate'];
export const CHANNEL_KINDS = ['email', 'slack', 'discord', 'telegram', 'ntfy', 'webhook'];
export const METRICS = ['visitors', 'visits', 'views', 'events', 'bounce_rate', 'errors', 'lcp', 'inp', 'cls', 'fcp', 'ttfb']; // prettier-ignore
export const PERIODS = ['hour', 'day', 'week', 'month'];
export const SEVERITIES = ['notable', 'strong', 'extreme'];
export const COOLDOWNS = [0, 15, 60, 180, 360, 720, 1440, 10_080];

/** Kinds of which the end is told, too. */
export const HAVE_END = ['anomaly', 'threshold', 'silent', 'lag'];

const VITALS = {lcp: 'milliseconds', inp: 'milliseconds', cls: 'ratio', fcp: 'milliseconds', ttfb: 'milliseconds'};

export const metricName = (name) => {
  if (name in VITALS) return t(`vitals.${name.toUpperCase()}`);
  return name === 'errors' ? t('view.errors') : t(`metric.${name}`);
};

/** Returns how a limit of that metric is typed: percent, milliseconds, ratio or number. */
export const unitOf = (name) => VITALS[name] ?? (name === 'bounce_rate' ? 'percent' : 'number');

const limitText = ({metric: name, value}) => metric(VITALS[name] ?? name, value);

const MEANINGS = {
  anomaly: ({severity}) => t(`alerts.means.${severity}`),
  threshold: (rule) =>
    t(`alerts.means.${rule.direction}`, {
      metric: metricName(rule.metric),
      limit: limitText(rule),
      period: t(`alerts.in.${rule.period}`),
    }),
  goal: ({goal, times, period}, goals) =>
    t('alerts.means.goal', {
      count: times,
      number: whole(times),
      goal: goals.find(({id}) => id === goal)?.name ?? goal,
      period: t(`alerts.in.${period}`),
    }),
  silent: ({minutes: length}) => t('alerts.means.silent', {time: minutes(length)}),
  lag: ({minutes: length}) => t('alerts.means.lag', {time: minutes(length)}),
  certificate: ({days}) => t('alerts.means.certificate', {count: days}),
};

/** Returns when an alert is told, as a sentence without its full stop. */
export const meaning = (rule, goals) => MEANINGS[rule.kind](rule, goals);

/** Returns when it keeps still, as short texts. */
export const manners = ({quiet_from: from, quiet_to: to, urgent, cooldown_minutes: cooldown}) =>
  [
    from && (urgent ? t('alerts.urgent_short') : t('alerts.quiet_short', {from, to})),
    cooldown > 0 && t('alerts.cooldown_short', {time: minutes(cooldown)}),
  ].filter(Boolean);
