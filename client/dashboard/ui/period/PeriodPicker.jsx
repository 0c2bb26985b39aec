/** Chooses the days that reports are of, the ones before and after them, and what they are compared with. */
import {hasText, t} from '../../app/i18n.js';
import {useShortcuts} from '../../app/keys.js';
import {go, withParams} from '../../app/place.js';
import {PERIODS} from '../../app/question.js';
import {useSession} from '../../app/session.js';
import {useWeekStart} from '../../app/week.js';
import {useZone} from '../../app/zone.js';
import {Icon} from '../icon.jsx';
import {Popover} from '../popover.jsx';
import {ComparePicker, nextComparison} from './ComparePicker.jsx';
import {DaysForm} from './DaysForm.jsx';
import {WeekChoice} from './WeekChoice.jsx';
import {ZoneChoice} from './ZoneChoice.jsx';
import {dayIn, rangeOf, shifted} from './days.js';
import {daysText} from './text.js';

const KEYS = {d: 'today', e: 'yesterday', h: '24h', w: '7d', m: '30d', q: '90d', y: '12mo', a: 'all'};

const show = (period) => go(withParams({period, interval: null}));

const periodText = (period, today, weekStart) => {
  if (hasText(`period.${period}`)) return t(`period.${period}`);
  const range = rangeOf(period, today, weekStart);
  return range ? daysText(range) : period;
};

const Presets = ({period, today, weekStart, close}) => (
  <ul class="presets">
    {PERIODS.map((one) => {
      const range = rangeOf(one, today, weekStart);
      const key = Object.keys(KEYS).find((name) => KEYS[name] === one);
      return (
        <li key={one}>
          <button
            type="button"
            aria-pressed={one === period}
            onClick={() => {
              show(one);
              close();
            }}
          >
            <span>{t(`period.${one}`)}</span>
            {range && <small>{daysText(range)}</small>}
            {key && <kbd aria-hidden="true">{key}</kbd>}
          </button>
        </li>
      );
    })}
  </ul>
);

const Step = ({by, to, label}) => (
  <button
    type="button"
    class="button step"
    aria-label={label}
    title={label}
    aria-disabled={!to}
    onClick={() => to && show(to)}
  >
    <Icon name={by < 0 ? 'left' : 'right'} size={16} />
  </button>
);

const onArrow = (before, after) => (event) => {
  const to = {ArrowLeft: before, ArrowRight: after}[event.key];
  if (!to || event.target.closest('.popover')) return;
  event.preventDefault();
  show(to);
};

export const PeriodPicker = ({question}) => {
  const {sites} = useSession();
  const chosenZone = useZone();
  const site = sites.find(({name, aliases}) => name === question.site || aliases?.includes(question.site));
  const zone = chosenZone || site?.timezone || 'UTC';
  const today = dayIn(zone);
  const weekStart = useWeekStart();
  const before = shifted(question.period, today, -1, weekStart);
  const after = shifted(question.period, today, 1, weekStart);
  const presets = Object.entries(KEYS).map(([key, period]) => [key, [t(`period.${period}`), () => show(period)]]);
  useShortcuts(
    {
      ...Object.fromEntries(presets),
      '[': [t('period.previous'), () => before && show(before)],
      ']': [t('period.next'), () => after && show(after)],
      c: [t('compare.next'), () => go(withParams({compare: nextComparison(question.compare)}))],
    },
    [before, after, question.compare],
  );
  return (
    <div class="period" role="group" aria-label={t('period.title')} onKeyDown={onArrow(before, after)}>
      <Step by={-1} to={before} label={t('period.previous')} />
      <Popover
        label={periodText(question.period, today, weekStart)}
        title={t('period.title')}
        icon="calendar"
        class="period-popover"
      >
        {(close) => (
          <>
            <Presets period={question.period} {...{today, weekStart, close}} />
            <DaysForm
              title={t('period.own')}
              range={rangeOf(question.period, today, weekStart) ?? [today, today]}
              last={today}
              onDays={(period) => {
                show(period);
                close();
              }}
            />
            <ZoneChoice site={site} />
            <WeekChoice />
          </>
        )}
      </Popover>
      <Step by={1} to={after} label={t('period.next')} />
      <ComparePicker question={question} today={today} />
    </div>
  );
};
