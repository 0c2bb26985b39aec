/** An alert as it is typed, and as the server takes it. */
import {HAVE_END, unitOf} from './words.js';

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

/** Returns a draft of a rule, or of a new one, which the channel `first` gets, or the only one there is. */
export const startOf = (rule, {kinds, channels, first}) => {
  const only = channels.length === 1 ? [channels[0].id] : [];
  if (!rule) return {...NEW, kind: kinds[0], channels: first ? [first] : only};
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
