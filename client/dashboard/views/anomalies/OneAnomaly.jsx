/** An anomaly: how strange it is, the number against the usual one, the days around it, and why. */
import {useState} from 'preact/hooks';
import {decimal, metric, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Icon} from '../../ui/icon.jsx';
import {Around} from './Around.jsx';
import {Why} from './Why.jsx';
import {may} from '../../app/session.js';
import {toAlert, toDays} from './links.js';
import {periodOfPeak, sentence} from './words.js';

const LONG = {weekday: 'short', day: 'numeric', month: 'short', year: 'numeric'};

/** Small numbers are expected by tenths: usual are 4.2 visits, not 4. */
const usual = (value) => (value < 10 ? decimal(value, 1) : whole(value));

const Facts = ({anomaly: {metric: name, value, expected, low, high}}) => (
  <dl class="anomaly-facts">
    <div>
      <dt>{t(`metric.${name}`)}</dt>
      <dd>{metric(name, value)}</dd>
    </div>
    <div>
      <dt>{t('anomalies.usual')}</dt>
      <dd>
        {usual(expected)} <small>{t('anomalies.band', {from: usual(low), to: usual(high)})}</small>
      </dd>
    </div>
  </dl>
);

export const OneAnomaly = ({anomaly, site, timezone, days, isOpen, mayNote}) => {
  const [isShown, setShown] = useState(isOpen);
  const {severity, kind, is_over: isOver} = anomaly;
  return (
    <article class={`panel anomaly ${kind}`} aria-label={sentence(anomaly, LONG)}>
      <header>
        <h2>
          <span class={`severity ${severity}`}>{t(`anomalies.${severity}`)}</span> {sentence(anomaly, LONG)}
        </h2>
        <span class="anomaly-tools">
          {!isOver && <span class="g-badge">{t('anomalies.going_on')}</span>}
          <a class="button quiet" href={toDays(periodOfPeak(anomaly), {metric: anomaly.metric})}>
            {t('anomalies.show_days')}
          </a>
          {may('manage', site) && (
            <a class="button quiet" href={toAlert(anomaly)}>
              {t('anomalies.tell_such')}
            </a>
          )}
          <button type="button" class="button" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
            {t('anomalies.why')} <Icon name={isShown ? 'up' : 'down'} size={14} />
          </button>
        </span>
      </header>
      <div class="anomaly-numbers">
        <Facts anomaly={anomaly} />
        <Around anomaly={anomaly} site={site} timezone={timezone} />
      </div>
      {isShown && <Why {...{anomaly, site, days, timezone, mayNote}} />}
    </article>
  );
};
