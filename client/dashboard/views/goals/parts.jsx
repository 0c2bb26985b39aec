/** What the views of goals, funnels, attribution and robots share. */
import {country, languageName, money, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {may} from '../../app/session.js';
import {Field} from '../../ui/form.jsx';

/** Dimensions of visits, by which goals and funnels are broken down. */
export const OF_VISITS = [
  'channel', 'source', 'referrer', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'click_id',
  'country', 'region', 'city', 'device', 'browser', 'os', 'language', 'screen', 'entry', 'exit',
]; // prettier-ignore

const SHOWN = {country, language: languageName};

/** Returns a value of a dimension as text. */
export const valueName = (dimension, value) => {
  if (value === '') return t('value.none');
  return SHOWN[dimension]?.(value) ?? value;
};

export const mayChange = (place) => may('manage', place.site);

/** Sums of money, each in its currency; nothing is converted. */
export const Revenue = ({revenue}) => {
  if (!revenue.length) return '–';
  return revenue.map(({currency, sum}) => (
    <span key={currency} class="g-money">
      {money(sum, currency)}
    </span>
  ));
};

const SPARK = {width: 96, height: 24};

const sparkPoints = (values) => {
  const most = Math.max(...values, 1);
  const step = values.length > 1 ? SPARK.width / (values.length - 1) : 0;
  return values.map((value, place) => `${(place * step).toFixed(1)},${(22 - (value / most) * 20).toFixed(1)}`);
};

/** A line without axes; what it shows is said in `label`. */
export const Sparkline = ({values, label}) => {
  if (values.length < 2) return null;
  const points = sparkPoints(values);
  return (
    <svg class="g-spark" viewBox={`0 0 ${SPARK.width} ${SPARK.height}`} role="img" aria-label={label}>
      <polygon points={`0,24 ${points.join(' ')} ${SPARK.width},24`} />
      <polyline points={points.join(' ')} />
    </svg>
  );
};

/** How a number moved against the days before, in words and by an arrow, not by colour alone. */
export const Moved = ({now, before}) => {
  if (before === undefined) return <span class="soft">…</span>;
  if (before === null || !before) {
    return <span class="soft">{now ? t('goals.new') : '–'}</span>;
  }
  const share = (now - before) / before;
  const tone = share > 0 ? 'good' : share < 0 ? 'bad' : 'soft';
  const arrow = share > 0 ? '▲' : share < 0 ? '▼' : '=';
  return (
    <span class={tone} title={t('goals.before', {number: whole(before)})}>
      {arrow} {percent(Math.abs(share), 0)}
    </span>
  );
};

/** A cell with a bar behind its text; `share` of 1. */
export const BarCell = ({share, children}) => (
  <span class="g-bar-cell">
    <span class="g-bar" style={{width: `${Math.min(100, Math.max(0, share * 100))}%`}} />
    <span class="g-bar-text">{children}</span>
  </span>
);

/** Chooses a dimension; `none` is the text of no breakdown. */
export const DimensionField = ({label, value, onChange, names = OF_VISITS, none}) => (
  <Field label={label} type="select" class="g-inline" value={value} onChange={({target}) => onChange(target.value)}>
    {none && <option value="">{none}</option>}
    {names.map((name) => (
      <option key={name} value={name}>
        {t(`dimension.${name}`)}
      </option>
    ))}
  </Field>
);

/** What an answer says of how its visitors are counted. */
export const Note = ({text}) => (text ? <p class="g-note">{text[0].toUpperCase() + text.slice(1)}.</p> : null);

/** Large numbers under their names: [name, value] each. */
export const Tiles = ({tiles}) => (
  <dl class="g-tiles">
    {tiles.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
