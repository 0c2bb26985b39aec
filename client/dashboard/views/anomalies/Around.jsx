/** The days or hours around an anomaly as a small picture: what they had, what was unusual, and what is usual then. */
import {useAnswer} from '../../app/answers.js';
import {day, metric} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {fullTime} from '../../ui/chart/times.js';
import {addDays, dayIn} from '../../ui/period/days.js';
import {useSeen} from '../../ui/seen.js';

const BEFORE = {day: 21, hour: 1}; // days
const AFTER = {day: 10, hour: 1};
const WIDTH = 320;
const HEIGHT = 72;
const EDGE = 4;

const rangeOf = ({start, end, step}, timezone) => {
  const today = dayIn(timezone);
  const last = addDays(end.slice(0, 10), AFTER[step]);
  return [addDays(start.slice(0, 10), -BEFORE[step]), last > today ? today : last];
};

/** Returns the places of the first and the last point of the peak. */
const peakOf = ({peak, peak_steps: steps}, rows) => {
  const first = rows.findIndex(({dimensions}) => dimensions.time === peak);
  return [first, Math.min(rows.length - 1, first + steps - 1)];
};

const Drawn = ({anomaly, rows}) => {
  const {metric: name, peak_steps: steps} = anomaly;
  const values = rows.map(({metrics}) => metrics[name] ?? 0);
  const [low, high, expected] = [anomaly.low, anomaly.high, anomaly.expected].map((sum) => sum / steps);
  const most = Math.max(...values, high, 1);
  const x = (place) => EDGE + (place / Math.max(1, values.length - 1)) * (WIDTH - 2 * EDGE);
  const y = (value) => HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE);
  const [first, last] = peakOf(anomaly, rows);
  const half = (x(1) - x(0)) / 2;
  const area = {x: x(first) - half, width: x(last) - x(first) + 2 * half};
  const line = (from, to) => values.slice(from, to + 1).map((value, place) => `${x(from + place)},${y(value)}`);
  const of = t(`metric.${name}`);
  const label = t('anomalies.picture', {
    metric: of,
    from: fullTime(rows[0].dimensions.time, anomaly.step),
    to: fullTime(rows.at(-1).dimensions.time, anomaly.step),
    most: metric(name, Math.max(...values)),
  });
  return (
    <svg class="around" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
      {first >= 0 && (
        <>
          <rect class="usual" {...area} y={y(high)} height={Math.max(2, y(low) - y(high))} />
          <line class="usual-middle" x1={area.x} x2={area.x + area.width} y1={y(expected)} y2={y(expected)} />
        </>
      )}
      <polyline points={line(0, values.length - 1).join(' ')} />
      {first >= 0 && <polyline class="peak" points={line(Math.max(0, first - 1), last + 1).join(' ')} />}
    </svg>
  );
};

const Caption = ({rows, step}) => (
  <p class="around-ends" aria-hidden="true">
    {[rows[0], rows.at(-1)].map(({dimensions: {time}}, place) => (
      <span key={place}>{step === 'hour' ? fullTime(time, step) : day(time, {day: 'numeric', month: 'short'})}</span>
    ))}
  </p>
);

export const Around = ({anomaly, site, timezone}) => {
  const [box, isSeen] = useSeen();
  const asked = {site, date_range: rangeOf(anomaly, timezone).join(','), dimensions: 'time', interval: anomaly.step};
  const {data} = useAnswer(isSeen ? '/api/v1/stats/query' : null, {...asked, metrics: anomaly.metric});
  return (
    <div class="around-box" ref={box}>
      {data && data.rows.length > 1 && (
        <>
          <Drawn anomaly={anomaly} rows={data.rows} />
          <Caption rows={data.rows} step={anomaly.step} />
        </>
      )}
    </div>
  );
};
