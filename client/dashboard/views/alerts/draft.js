/** An alert as it is typed, and as the server takes it. */
import {HAVE_END, METRICS, PERIODS, SEVERITIES, unitOf} from './words.js';

/** The fields that matter, by kind. */
const FIELDS = {
  anomaly: ['severity'],
  threshold: ['metric', 'direction', 'value', 'period'],
  goal: ['goal', 'times', 'period'],
  silent: ['minutes'],
  lag: ['minutes'],
  certificate: ['days'],
};
const MANNERS = ['quiet_from', 'quiet_to', 'urgent', 'cooldown_minutes'];
const NEW = {
  name: null, // the kind's own, until one types another
  metric: 'visits',
  direction: 'above',
  value: '',
  period: 'hour',
  goal: '',
  times: 1,
  minutes: 60,
  days: 14,
  severity: 'strong',
  quiet_from: '',
  quiet_to: '',
  urgent: false,
  cooldown_minutes: 0,
  tell_over: true,
};

const PERCENT = 100;

/** What an address may begin a new alert with, and which values it may have; `period` there is that of reports. */
const GIVEN = {metric: METRICS, direction: ['above', 'below'], per: PERIODS, severity: SEVERITIES};
const isNumber = (text) => /^\d{1,9}(\.\d{1,3})?$/.test(text);

/** Returns what an address says of a new alert, null where it is of none: ?new=anomaly&severity=strong. */
export const givenIn = (params, kinds) => {
  if (!kinds.includes(params.get('new'))) return null;
  const given = Object.entries(GIVEN).filter(([name, values]) => values.includes(params.get(name)));
  const found = Object.fromEntries(given.map(([name]) => [name === 'per' ? 'period' : name, params.get(name)]));
  const value = params.get('value') ?? '';
  return {kind: params.get('new'), ...found, ...(isNumber(value) ? {value} : {})};
};

/** What leaves the address once it was read. */
export const GIVEN_AWAY = Object.fromEntries(['new', 'value', ...Object.keys(GIVEN)].map((name) => [name, null]));

/** Returns a draft of a rule, or of a new one, which the channel `first` gets, or the only one there is. */
export const startOf = (rule, {kinds, channels, first, given}) => {
  const only = channels.length === 1 ? [channels[0].id] : [];
  if (!rule) return {...NEW, kind: kinds[0], channels: first ? [first] : only, ...given};
  const share = unitOf(rule.metric) === 'percent' ? PERCENT : 1;
  return {...rule, value: Math.round(rule.value * share * 1e6) / 1e6};
};

const READ = {
  value: ({metric, value}) => Number(value) / (unitOf(metric) === 'percent' ? PERCENT : 1),
  times: ({times}) => Math.round(Number(times)),
  minutes: ({minutes}) => Math.round(Number(minutes)),
  days: ({days}) => Math.round(Number(days)),
};

/** Returns what the server takes: nothing but what the kind has. */
export const bodyOf = (draft) => {
  const fields = [...FIELDS[draft.kind], ...MANNERS, ...(HAVE_END.includes(draft.kind) ? ['tell_over'] : [])];
  const values = fields.map((field) => [field, READ[field]?.(draft) ?? draft[field]]);
  return {kind: draft.kind, name: draft.name.trim(), channels: draft.channels, ...Object.fromEntries(values)};
};
