/** Retention: of those who came for the first time in a day, week or month, how many came again later. */
import {useAnswer} from '../../app/answers.js';
import {day, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {getWeekStart} from '../../app/week.js';
import {may} from '../../app/session.js';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Average} from './Average.jsx';

const INTERVALS = ['day', 'week', 'month'];
const SHADES = 10;

const nameOf = ({start}, interval) =>
  interval === 'month' ? day(start, {month: 'long', year: 'numeric'}) : day(start, {dateStyle: 'medium'});

/** Returns the class of a share's colour: the share of the first period is all of them, which says nothing. */
const shade = (rate, place) => (rate === null || place === 0 ? '' : `g-heat-${Math.ceil(Math.min(1, rate) * SHADES)}`);

const Cells = ({periods, length}) =>
  Array.from({length}, (_, place) => {
    const found = periods[place];
    if (!found) return <td key={place} class="number" />;
    return (
      <td key={place} class={`number ${shade(found.rate, place)}`}>
        {percent(found.rate)}
        <small class="g-below">{whole(found.visitors)}</small>
      </td>
    );
  });

const Triangle = ({data}) => {
  const length = Math.max(...data.cohorts.map(({periods}) => periods.length), data.all.length);
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('retention.table')}>
      <table class="g-triangle">
        <caption class="unseen">{t('retention.table')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('retention.cohort')}</th>
            <th scope="col" class="number">
              {t('metric.visitors')}
            </th>
            {Array.from({length}, (_, place) => (
              <th key={place} scope="col" class="number">
                {t(`retention.later.${data.interval}`, {count: place, number: place})}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr class="all">
            <th scope="row">{t('retention.all')}</th>
            <td class="number">{whole(data.cohorts.reduce((sum, {visitors}) => sum + visitors, 0))}</td>
            <Cells periods={data.all} length={length} />
          </tr>
          {data.cohorts.map((cohort) => (
            <tr key={cohort.start}>
              <th scope="row">{nameOf(cohort, data.interval)}</th>
              <td class="number">{whole(cohort.visitors)}</td>
              <Cells periods={cohort.periods} length={length} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const Daily = ({place}) => (
  <Empty title={t('retention.daily')} hint={t('retention.daily_hint')}>
    <p>{t('retention.daily_change')}</p>
    <pre class="g-command" tabIndex={0}>
      visitor-tracker site set {place.site} --visitor monthly
    </pre>
    {may('manage', place.site) && (
      <p>
        <a class="button" href={toView('settings')}>
          {t('view.settings')}
        </a>
      </p>
    )}
  </Empty>
);

const Found = ({data, place}) => {
  if (data.suppressed) {
    return (
      <Panel title={t('retention.cohorts')}>
        <Daily place={place} />
      </Panel>
    );
  }
  if (!data.cohorts.some(({visitors}) => visitors > 0)) {
    return <Empty title={t('retention.none')} hint={t('retention.none_hint')} />;
  }
  return (
    <>
      <Panel title={t('retention.average')}>
        <Average periods={data.all} interval={data.interval} />
      </Panel>
      <Panel title={t('retention.cohorts')}>
        <Triangle data={data} />
        <p class="g-note">{t('retention.how')}</p>
        {data.known_for === 'month' && <p class="g-note">{t('retention.monthly')}</p>}
        {data.visitors_left_out > 0 && (
          <p class="g-note">
            {t('retention.left_out', {count: data.visitors_left_out, number: whole(data.visitors_left_out)})}
          </p>
        )}
      </Panel>
    </>
  );
};

export const View = ({place}) => {
  const question = useQuestion();
  const wanted = place.params.get('by');
  const interval = INTERVALS.includes(wanted) ? wanted : '';
  const answer = useAnswer('/api/v1/stats/retention', toReport(question, {interval, week_start: getWeekStart()}));
  return (
    <>
      <Title
        extra={
          <Tabs
            label={t('retention.interval')}
            choices={INTERVALS.map((name) => [name, t(`retention.intervals.${name}`)])}
            chosen={interval || answer.data?.interval}
            onChoose={(by) => go(withParams({by}), {replace: true})}
          />
        }
      >
        {t('view.retention')}
      </Title>
      <Answered answer={answer} rows={8}>
        {(data) => <Found data={data} place={place} />}
      </Answered>
    </>
  );
};
