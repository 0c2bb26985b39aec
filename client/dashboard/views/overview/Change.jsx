/** How a number changed: by an arrow, a sign and a colour of what that means. */
import {change} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {LESS_IS_BETTER} from './asked.js';

const meaning = (name, percent) => {
  if (!percent) return 'soft';
  return percent > 0 === LESS_IS_BETTER.has(name) ? 'bad' : 'good';
};

export const Change = ({name, percent}) => {
  if (percent === null || percent === undefined) return <span class="change soft">{t('overview.was_none')}</span>;
  return (
    <span class={`change ${meaning(name, percent)}`}>
      <span aria-hidden="true">{percent > 0 ? '↑' : percent < 0 ? '↓' : '='}</span> {change(percent)}
    </span>
  );
};
