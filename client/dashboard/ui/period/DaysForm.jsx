/** Chooses days by two dates; the browser draws its calendar as people of its language know it. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {Field} from '../form.jsx';
import {isDay, periodOf} from './days.js';

/** `range` is shown first, nothing is later than `last`; `onDays` gets the days as a period. */
export const DaysForm = ({title, range, last, onDays}) => {
  const [trouble, setTrouble] = useState('');
  const send = (event) => {
    event.preventDefault();
    const {from, to} = event.target.elements;
    if (!isDay(from.value) || !isDay(to.value)) return setTrouble(t('period.no_day'));
    if (from.value > to.value) return setTrouble(t('period.turned'));
    return onDays(periodOf(from.value, to.value));
  };
  return (
    <form class="days-form" onSubmit={send} aria-label={title} noValidate>
      <p class="popover-title">{title}</p>
      <div class="days-fields">
        <Field label={t('period.from')} type="date" name="from" defaultValue={range[0]} max={last} required />
        <Field label={t('period.to')} type="date" name="to" defaultValue={range[1]} max={last} required />
        <button type="submit" class="button primary">
          {t('period.show')}
        </button>
      </div>
      {trouble && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
    </form>
  );
};
