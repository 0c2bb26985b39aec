/** When a goal is reached, in words. */
import {duration, percent} from '../../app/format.js';
import {t} from '../../app/i18n.js';

const TEXTS = {
  page: ({page}) => t('goals.means.page', {page}),
  event: ({event}) => t('goals.means.event', {event}),
  revenue: ({event}) => t('goals.means.revenue', {event}),
  scroll: ({percent: part, page}) =>
    t(page ? 'goals.means.scroll_of' : 'goals.means.scroll', {part: percent(part / 100), page}),
  engaged: ({engaged_ms: ms, page}) =>
    t(page ? 'goals.means.engaged_of' : 'goals.means.engaged', {time: duration(ms), page}),
};

/** Returns what reaches a goal. */
export const meaning = (goal) => {
  const text = TEXTS[goal.kind](goal);
  return goal.where ? t('goals.means.where', {text, where: goal.where}) : text;
};
