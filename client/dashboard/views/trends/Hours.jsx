/** Busy weekdays and hours of the week, by the site's clock: a table whose cells are as dark as they are busy. */
import {day, decimal, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {useWeekStart} from '../../app/week.js';
import {hourText} from '../../ui/chart/times.js';

const NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const A_MONDAY = 1; // of January 2024
const LEVELS = 6;
/** Returns the places of weekdays, from the one on that weeks begin with. */
const placesFrom = (weekStart) => {
  const first = NAMES.findIndex((name) => name.toLowerCase() === weekStart);
  return NAMES.map((_, place) => (first + place) % NAMES.length);
};
const HOURS = Array.from({length: 24}, (_, hour) => hour);

const weekdayText = (place, style) => day(`2024-01-${String(A_MONDAY + place).padStart(2, '0')}`, {weekday: style});
const clock = (hour) => hourText(`2024-01-01T${String(hour).padStart(2, '0')}:00`);

const number = (value) => (value < 10 ? decimal(value, 1) : whole(value));

const levelOf = (value, most) => (value && most ? Math.max(1, Math.ceil((value / most) * LEVELS)) : 0);

export const Weekdays = ({weekdays}) => {
  const places = placesFrom(useWeekStart());
  if (weekdays.length < NAMES.length) return null;
  const most = Math.max(...weekdays.map(({visits}) => visits), 1);
  return (
    <ol class="weekdays" aria-label={t('trends.weekdays')}>
      {places.map((place) => {
        const {weekday, visits, share} = weekdays[place];
        return (
          <li key={weekday}>
            <span class="weekday-bar" aria-hidden="true">
              <span style={{height: `${(100 * visits) / most}%`}} />
            </span>
            <span class="weekday-name">{weekdayText(NAMES.indexOf(weekday), 'short')}</span>
            <strong>{number(visits)}</strong> <small>{percent(share, 0)}</small>
          </li>
        );
      })}
    </ol>
  );
};

const Busiest = ({busiest}) => {
  const shown = busiest.map(({weekday, hour}) =>
    t('trends.hour_of', {weekday: weekdayText(NAMES.indexOf(weekday), 'long'), hour: clock(hour)}),
  );
  return <p>{t('trends.busiest', {hours: shown.join(' · ')})}</p>;
};

export const Hours = ({hours: {weeks, table, busiest}}) => {
  const places = placesFrom(useWeekStart());
  const most = Math.max(...table.flat().map((value) => value ?? 0));
  if (!most) return <p class="g-note">{t('trends.no_hours')}</p>;
  const caption = t('trends.hours');
  return (
    <>
      {busiest.length > 0 && <Busiest busiest={busiest} />}
      <div class="table-box" tabIndex={0} role="region" aria-label={caption}>
        <table class="hours">
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">{t('trends.weekday')}</span>
              </th>
              {HOURS.map((hour) => (
                <th key={hour} scope="col" aria-label={clock(hour)}>
                  {hour}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {places.map((place) => (
              <tr key={place}>
                <th scope="row">{weekdayText(place, 'short')}</th>
                {table[place].map((value, hour) => (
                  <td
                    key={hour}
                    class={`level-${levelOf(value, most)}`}
                    title={t('trends.hour_of', {weekday: weekdayText(place, 'long'), hour: clock(hour)})}
                  >
                    {value === null ? '–' : number(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="g-note">{t('trends.hours_help', {count: weeks})}</p>
    </>
  );
};
