/** Steps of a funnel while they are edited, and as the server takes them. Each has a `key`, which tells it from others while it moves. */
import {t} from '../../app/i18n.js';

export const STEPS_LEAST = 2;
export const STEPS_MOST = 10;
export const KINDS = ['page', 'event', 'filter'];

let last = 0;

/** Makes a step to edit: {key, kind, value, name}. */
export const newStep = (kind = 'page', value = '', name = '') => {
  last += 1;
  return {key: last, kind, value, name};
};

const kindOf = (step) => KINDS.find((kind) => step[kind]) ?? 'page';

/** Returns a saved step to edit. */
export const editable = (step) => {
  const kind = kindOf(step);
  return newStep(kind, step[kind], step.name);
};

/** Returns the steps with one moved by `by` places, the same ones where it cannot be. */
export const moved = (steps, from, by) => {
  const to = from + by;
  if (to < 0 || to >= steps.length) return steps;
  return steps.toSpliced(from, 1).toSpliced(to, 0, steps[from]);
};

const stepBody = ({kind, value, name}) => ({
  [kind]: value.trim(),
  ...(name.trim() && {name: name.trim()}),
});

/** Returns what the server takes of a draft {name, steps, order, within, minutes, days}: all but its name. */
export const definitionOf = ({steps, order, within, minutes, days}) => ({
  steps: steps.map(stepBody),
  order,
  minutes: within === 'minutes' ? Math.round(Number(minutes)) : null,
  days: within === 'days' ? Math.round(Number(days)) : null,
});

/** Has every step something to look for? */
export const isWhole = ({steps}) => steps.every(({value}) => value.trim());

/** Returns the draft of a funnel, or of a new one. */
export const draftOf = (funnel) => ({
  name: funnel?.name ?? '',
  steps: funnel ? funnel.steps.map(editable) : [newStep(), newStep()],
  order: funnel?.order ?? 'loose',
  within: funnel?.minutes ? 'minutes' : funnel?.days ? 'days' : 'visit',
  minutes: funnel?.minutes ?? 60,
  days: funnel?.days ?? 7,
});

/** Returns in which time a funnel is made, in words. */
export const windowOf = ({minutes, days}) => {
  if (minutes) return t('funnels.within.minutes_of', {count: minutes});
  if (days) return t('funnels.within.days_of', {count: days});
  return t('funnels.within.visit');
};

/** Returns what a step is called. */
export const stepName = ({name, page, event, filter}) => name || page || event || filter;
