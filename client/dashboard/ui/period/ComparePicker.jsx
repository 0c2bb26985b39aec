/** Chooses what the days are compared with: nothing, the ones before, a year ago, or any. */
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {useWeekStart} from '../../app/week.js';
import {Icon} from '../icon.jsx';
import {Popover} from '../popover.jsx';
import {DaysForm} from './DaysForm.jsx';
import {rangeOf} from './days.js';
import {daysText} from './text.js';

export const COMPARISONS = ['', 'previous', 'year'];

/** Returns the comparison after another one, for the shortcut. */
export const nextComparison = (compare) => COMPARISONS[(COMPARISONS.indexOf(compare) + 1) % COMPARISONS.length];

const compare = (value) => go(withParams({compare: value}));

const labelOf = (value, today, weekStart) => {
  if (COMPARISONS.includes(value)) return t(`compare.${value || 'none'}`);
  const range = rangeOf(value, today, weekStart);
  return range ? daysText(range) : value;
};

export const ComparePicker = ({question, today}) => {
  const weekStart = useWeekStart();
  return (
    <Popover label={labelOf(question.compare, today, weekStart)} title={t('compare.title')} class="compare-popover">
      {(close) => (
        <>
          <ul class="presets">
            {COMPARISONS.map((one) => (
              <li key={one}>
                <button
                  type="button"
                  aria-pressed={one === question.compare}
                  onClick={() => {
                    compare(one);
                    close();
                  }}
                >
                  <span>{t(`compare.${one || 'none'}`)}</span>
                  {one === question.compare && <Icon name="check" size={16} />}
                </button>
              </li>
            ))}
          </ul>
          <DaysForm
            title={t('compare.own')}
            range={rangeOf(question.compare, today, weekStart) ?? rangeOf('last_month', today)}
            last={today}
            onDays={(days) => {
              compare(days);
              close();
            }}
          />
        </>
      )}
    </Popover>
  );
};
