/** A vital over the days of the period. */
import {t} from '../../app/i18n.js';
import {Chart} from '../../ui/chart/Chart.jsx';
import {Panel} from '../../ui/panel.jsx';

/** Returns the points that have the vital: [{time, values}]. */
const pointsOf = (name, series) =>
  series
    .map(({start, vitals}) => ({
      time: start,
      values: {[name]: vitals.find((vital) => vital.name === name)?.p75 ?? null},
    }))
    .filter(({values}) => values[name] !== null);

export const OverTime = ({name, series}) => {
  const points = pointsOf(name, series);
  if (points.length < 2) return null;
  const label = t('vitals.p75_of', {name: t(`vitals.${name}`)});
  const interval = points[0].time.length > 10 ? 'hour' : 'day';
  const lines = [{name, label, kind: name === 'CLS' ? 'ratio' : 'milliseconds'}];
  return (
    <Panel title={`${t('vitals.over_time')}: ${name}`}>
      <Chart label={label} points={points} series={lines} interval={interval} height={220} />
    </Panel>
  );
};
