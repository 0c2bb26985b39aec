/** The switch of the forecast, and what its lines are. */
import {useAnswer} from '../../app/answers.js';
import {percent} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {useStore} from '../../app/store.js';
import {getZone} from '../../app/zone.js';
import {forecastWanted, isForetold, periodsOf, wantForecast, withForecast} from './outlook.js';

const METRICS = new Set(['visitors', 'visits', 'views']);

/** Returns what the chart draws of an answer, which may still be that of another question. */
const drawn = ({found, metric, interval, measured, periods}) => {
  const isOfThis = found?.metric === metric && found.step === interval;
  if (isOfThis && !found.can_forecast) return {isTooYoung: true};
  if (!isOfThis) return withForecast({...measured, interval, periods});
  if (found.points[0]?.start !== measured.points[measured.unfinished].time) return {}; // the hour is another one by now
  return {...withForecast({...measured, interval, periods, prediction: found}), share: found.share};
};

/** Returns what the chart draws of the days to come: {isOffered, isWanted, points, band, share, isTooYoung}. */
export const useForecast = ({data: {meta}, chosen, question, site, measured}) => {
  const isWanted = useStore(forecastWanted);
  const isForeign = Boolean(getZone()) && getZone() !== site?.timezone;
  const {points, unfinished} = measured;
  const isOffered = METRICS.has(chosen) && isForetold({question, meta, isForeign, unfinished});
  const isAsked = isOffered && isWanted;
  const periods = isAsked ? periodsOf(points, unfinished, meta.interval) : 0;
  const asked = {site: question.site, metric: chosen, step: meta.interval, periods};
  const {data: found, error} = useAnswer(isAsked ? '/api/v1/forecast' : null, asked);
  const parts = isAsked && !error ? drawn({found, metric: chosen, interval: meta.interval, measured, periods}) : {};
  return {isOffered, isWanted, points, ...parts};
};

export const ForecastSwitch = ({forecast}) =>
  forecast.isOffered && (
    <button
      type="button"
      class="button quiet toggle"
      aria-pressed={forecast.isWanted}
      title={t('forecast.help')}
      onClick={() => wantForecast(!forecast.isWanted)}
    >
      {t('forecast.title')}
    </button>
  );

/** Says what the lines are besides that of the numbers. */
export const Legend = ({forecast, hasUnusual}) => {
  if (!forecast.band && !forecast.isTooYoung && !hasUnusual) return null;
  return (
    <p class="chart-legend">
      {forecast.band && (
        <span>
          <span class="legend-band" aria-hidden="true" /> {t('forecast.legend', {share: percent(forecast.share, 0)})}
        </span>
      )}
      {forecast.isTooYoung && <span>{t('forecast.too_young')}</span>}
      {hasUnusual && (
        <span>
          <span class="legend-unusual" aria-hidden="true" /> {t('anomalies.legend')}
        </span>
      )}
    </p>
  );
};
