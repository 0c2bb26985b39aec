/** The numbers of the days in large; each is a button that shows how it went. */
import {change, metric, shortMetric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {Change} from './Change.jsx';
import {METRICS} from './asked.js';

const title = (name, value, gain) => {
  const text = `${t(`metric.${name}`)}: ${metric(name, value)}`;
  return gain?.percent === null || gain === undefined ? text : `${text} (${change(gain.percent)})`;
};

const Tile = ({name, data, isChosen}) => {
  const value = data.totals.metrics[name];
  const gain = data.totals.change?.[name];
  return (
    <button
      type="button"
      class={`number-tile tile-${name}`}
      aria-pressed={isChosen}
      title={title(name, value, gain)}
      onClick={() => go(withParams({metric: name}), {replace: true})}
    >
      <span class="tile-name">{t(`metric.${name}`)}</span>
      <span class="tile-value">{value === null ? t('overview.untold') : shortMetric(name, value)}</span>
      {gain && <Change name={name} percent={gain.percent} />}
      {data.totals.compared && (
        <small class="tile-before">{t('chart.before', {value: shortMetric(name, data.totals.compared[name])})}</small>
      )}
    </button>
  );
};

export const Tiles = ({data, chosen}) => (
  <div class="number-tiles" role="group" aria-label={t('overview.numbers')}>
    {METRICS.map((name) => (
      <Tile key={name} name={name} data={data} isChosen={name === chosen} />
    ))}
  </div>
);
