/** The average of all cohorts as a curve of points. */
import {percent} from '../../app/format.js';
import {t} from '../../app/i18n.js';

const WIDTH = 720;
const HEIGHT = 200;
const LEFT = 44;
const TOP = 16;
const BOTTOM = 26;
const LABELS = 12; // at most, along the axis

const scaleOf = (rates) => Math.max(0.05, ...rates);

/** `periods` are [{visitors, rate}], the first of them everybody, which is left out of the curve. */
export const Average = ({periods, interval}) => {
  const later = periods.slice(1).map(({rate}, place) => ({rate, place: place + 1}));
  const known = later.filter(({rate}) => rate !== null);
  if (known.length === 0) return <p class="soft">{t('retention.average_none')}</p>;
  const most = scaleOf(known.map(({rate}) => rate));
  const x = (place) => LEFT + ((WIDTH - LEFT - 16) * (place - 1)) / Math.max(1, later.length - 1);
  const y = (rate) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate / most);
  const every = Math.ceil(later.length / LABELS);
  const points = known.map(({rate, place}) => `${x(place)},${y(rate)}`).join(' ');
  return (
    <div class="g-average">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('retention.average_label')}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="axis" x1={LEFT} x2={WIDTH - 8} y1={y(most * part)} y2={y(most * part)} />
            <text x={LEFT - 8} y={y(most * part) + 4} text-anchor="end">
              {percent(most * part)}
            </text>
          </g>
        ))}
        <polyline points={points} />
        {known.map(({rate, place}) => (
          <g key={place}>
            <circle cx={x(place)} cy={y(rate)} r="4">
              <title>{`${t(`retention.later.${interval}`, {count: place, number: place})}: ${percent(rate)}`}</title>
            </circle>
            {(place - 1) % every === 0 && (
              <text x={x(place)} y={HEIGHT - 6} text-anchor="middle">
                {t(`retention.later.${interval}`, {count: place, number: place})}
              </text>
            )}
          </g>
        ))}
      </svg>
    </div>
  );
};
