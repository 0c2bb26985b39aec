/** The steps of a funnel as bars, with who left after each. */
import {duration, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {countOf, worstOf} from './numbers.js';

const seconds = (value) => (value === null ? null : duration(value * 1000));

const Dropped = ({report, step, isWorst}) => {
  if (step.dropped === null) return null;
  return (
    <p class={isWorst ? 'g-dropped worst' : 'g-dropped'}>
      <span>
        <span aria-hidden="true">↳ </span>
        {t(`funnels.dropped.${report.follows}`, {count: step.dropped, number: whole(step.dropped)})} (
        {percent(step.drop_rate)}){isWorst && <strong> · {t('funnels.worst')}</strong>}
      </span>
      {step.sessions?.length > 0 && (
        <a href={toView('sessions', {ids: step.sessions.join(',')})}>
          {t('funnels.sessions', {count: step.sessions.length})}
        </a>
      )}
    </p>
  );
};

const Step = ({report, step, place, isWorst}) => (
  <li class="funnel-step">
    <div class="funnel-head">
      <span class="step-number">{place + 1}</span>
      <strong class="step-name">{step.name}</strong>
      <span class="step-count">
        {whole(countOf(report, step))} <small>{t(`metric.${report.follows}`)}</small>
      </span>
    </div>
    <div class="funnel-bar">
      <span style={{width: `${(step.of_first ?? 0) * 100}%`}} />
    </div>
    <p class="funnel-facts soft">
      <span>{t('funnels.of_first', {rate: percent(step.of_first)})}</span>
      {place > 0 && <span>{t('funnels.of_previous', {rate: percent(step.of_previous)})}</span>}
      {seconds(step.median_seconds) && <span>{t('funnels.median', {time: seconds(step.median_seconds)})}</span>}
      {report.follows === 'visits' && (
        <span>{t('funnels.visitors_of', {count: step.visitors, number: whole(step.visitors)})}</span>
      )}
    </p>
    <Dropped report={report} step={step} isWorst={isWorst} />
  </li>
);

/** `report` is an answer of /api/v1/stats/funnel. */
export const Bars = ({report}) => {
  const worst = worstOf(report.steps);
  return (
    <ol class="funnel-steps">
      {report.steps.map((step, place) => (
        <Step key={place} report={report} step={step} place={place} isWorst={place === worst} />
      ))}
    </ol>
  );
};
