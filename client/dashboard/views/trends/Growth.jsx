/** The last week against the one before, beside what weeks differ by here anyhow. */
import {change, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';

const ROOM = 1.25; // of the scale, so that nothing lies at its end

/** Returns where a percentage lies on the scale, in percent of its width. */
const scaleOf = ({percent, usual_low: low, usual_high: high}) => {
  const most = ROOM * Math.max(...[percent, low, high].map(Math.abs), 1);
  return (value) => 50 + (50 * value) / most;
};

/** The band of usual changes with a mark where this one is; the words below say the same. */
const Scale = ({growth}) => {
  const at = scaleOf(growth);
  const [from, to] = [at(growth.usual_low), at(growth.usual_high)];
  return (
    <div class="growth-scale" aria-hidden="true">
      <span class="growth-usual" style={{left: `${from}%`, width: `${to - from}%`}} />
      <span class="growth-zero" />
      <span class={`growth-now ${growth.is_usual ? '' : 'unusual'}`} style={{left: `${at(growth.percent)}%`}} />
    </div>
  );
};

const wordsOf = ({usual_low: low, usual_high: high, is_usual: isUsual}) => {
  if (isUsual === null) return t('trends.weeks_unknown');
  const range = {from: change(low), to: change(high)};
  return t(isUsual ? 'trends.is_usual' : 'trends.is_unusual', range);
};

export const Growth = ({growth}) => (
  <Panel title={t('trends.growth')}>
    {growth ? (
      <>
        <p class="growth-number">
          {growth.percent === null ? t('overview.was_none') : change(growth.percent)}{' '}
          <small>{t('trends.visits', {now: whole(growth.visits), before: whole(growth.visits_before)})}</small>
        </p>
        {growth.is_usual !== null && <Scale growth={growth} />}
        <p class="g-note">{wordsOf(growth)}</p>
      </>
    ) : (
      <p class="g-note">{t('trends.no_growth')}</p>
    )}
  </Panel>
);
