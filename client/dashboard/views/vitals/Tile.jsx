/** One vital: its number, what it is worth, and how the views are spread. */
import {NONE, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {SIGNS, THRESHOLDS, sharesOf, vitalText} from './thresholds.js';

const Spread = ({vital}) => (
  <>
    <span class="spread" aria-hidden="true">
      {sharesOf(vital).map(([rating, share]) => (
        <span key={rating} class={rating} style={{width: `${share * 100}%`}} />
      ))}
    </span>
    <small>
      {t('vitals.shares', {
        good: percent(vital.good, 0),
        middle: percent(vital.needs_improvement, 0),
        poor: percent(vital.poor, 0),
      })}
    </small>
  </>
);

const Limits = ({name}) => {
  const {good, poor} = THRESHOLDS[name];
  return <small>{t('vitals.limits', {good: vitalText(name, good), poor: vitalText(name, poor)})}</small>;
};

/** `vital` is undefined where nothing was measured. */
export const Tile = ({name, vital, isChosen, onChoose}) => (
  <li class={isChosen ? 'vital-tile panel chosen' : 'vital-tile panel'}>
    <button type="button" aria-pressed={isChosen} onClick={onChoose}>
      <span class="vital-name">{name}</span> <span class="soft">{t(`vitals.${name}`)}</span>
    </button>
    {vital ? (
      <>
        <p class={`vital-value ${vital.rating}`}>
          {vitalText(name, vital.p75)} <small>{t('vitals.p75')}</small>
        </p>
        <p class={`vital-rating ${vital.rating}`}>
          <span aria-hidden="true">{SIGNS[vital.rating]}</span> {t(`vitals.${vital.rating}`)}
        </p>
        <Spread vital={vital} />
        <small>{t('vitals.samples', {count: vital.samples === 1 ? 1 : whole(vital.samples)})}</small>
      </>
    ) : (
      <p class="soft">{t('vitals.none')}</p>
    )}
    <Limits name={name} />
  </li>
);

/** The number in a table, with the sign of its rating. */
export const Rated = ({vital}) =>
  vital ? (
    <span
      class={`rated ${vital.rating}`}
      title={`${t(`vitals.${vital.rating}`)}, ${t('vitals.samples', {count: vital.samples})}`}
    >
      <span aria-hidden="true">{SIGNS[vital.rating]}</span> {vitalText(vital.name, vital.p75)}
      <span class="unseen">, {t(`vitals.${vital.rating}`)}</span>
    </span>
  ) : (
    NONE
  );
