/** Chooses which day weeks begin with, for the weeks of charts, of periods, and of weekdays. */
import {day} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {WEEK_STARTS, setWeekStart, useChosenWeekStart, usualWeekStart} from '../../app/week.js';
import {Field} from '../form.jsx';

const DAYS = {monday: '2024-01-01', saturday: '2024-01-06', sunday: '2024-01-07'};
const nameOf = (weekStart) => day(DAYS[weekStart], {weekday: 'long'});

export const WeekChoice = () => (
  <Field
    class="zone"
    label={t('week.title')}
    type="select"
    value={useChosenWeekStart()}
    onChange={({target}) => setWeekStart(target.value)}
  >
    <option value="">{t('week.usual', {day: nameOf(usualWeekStart)})}</option>
    {WEEK_STARTS.map((name) => (
      <option key={name} value={name}>
        {nameOf(name)}
      </option>
    ))}
  </Field>
);
