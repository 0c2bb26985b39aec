/** Where a site is going: a usual day, growth beside its noise, busy hours, pages that rise, fall, come and fade. */
import {useAnswer} from '../../app/answers.js';
import {decimal, short} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {daysText} from '../../ui/period/text.js';
import {Answered, Empty} from '../../ui/states.jsx';
import {Change} from '../overview/Change.jsx';
import {Growth} from './Growth.jsx';
import {Hours, Weekdays} from './Hours.jsx';
import {Fading, Pages} from './Pages.jsx';

const DAYS = [7, 28, 90, 180];
const USUAL = 28;
const METRICS = ['visitors', 'visits', 'views'];

const daysOf = (params) => DAYS.find((days) => String(days) === params.get('days')) ?? USUAL;

const ofADay = (value) => (value < 100 ? decimal(value, 1) : short(value));

const Average = ({data: {average, average_before: before}}) => (
  <Panel title={t('trends.average')}>
    <dl class="g-tiles">
      {METRICS.map((name) => (
        <div key={name}>
          <dt>{t(`metric.${name}`)}</dt>
          <dd>
            {ofADay(average[name])}{' '}
            {before && before[name] > 0 && (
              <small title={t('chart.before', {value: ofADay(before[name])})}>
                <Change name={name} percent={(100 * (average[name] - before[name])) / before[name]} />
              </small>
            )}
          </dd>
        </div>
      ))}
    </dl>
    <p class="g-note">
      {t(before ? 'trends.average_help' : 'trends.average_alone', {count: average.days})}{' '}
      {before && before.days < average.days && t('trends.before_is_short', {count: before.days})}
    </p>
  </Panel>
);

/** Days of which the site did not know all would make every page rise. */
const isComparable = ({average, average_before: before}) => before !== null && before.days >= average.days;

const Changes = ({data}) => (
  <>
    <p class="soft trends-days">{t('trends.pages_of', {days: daysText([data.from, data.to])})}</p>
    <div class="grid">
      <Pages name="risers" rows={data.risers} data={data} />
      <Pages name="fallers" rows={data.fallers} data={data} />
      <Pages name="new_pages" rows={data.new_pages} data={data} />
      <Fading rows={data.fading} />
    </div>
  </>
);

const Shown = ({data}) => {
  if (data.average.days === 0) return <Empty title={t('trends.empty')} hint={t('trends.empty_hint')} />;
  return (
    <>
      <div class="grid">
        <Average data={data} />
        <Growth growth={data.growth} />
      </div>
      <Panel title={t('trends.busy')}>
        <Weekdays weekdays={data.weekdays} />
        <Hours hours={data.hours} />
      </Panel>
      {isComparable(data) ? (
        <Changes data={data} />
      ) : (
        <>
          <p class="g-note g-notice">{t('trends.not_comparable', {count: data.average_before?.days ?? 0})}</p>
          <Fading rows={data.fading} />
        </>
      )}
    </>
  );
};

export const View = ({place}) => {
  const days = daysOf(place.params);
  const answer = useAnswer('/api/v1/trends', {site: place.site, days});
  return (
    <>
      <Title
        extra={
          <Tabs
            label={t('trends.back')}
            choices={DAYS.map((count) => [count, t('anomalies.days', {count})])}
            chosen={days}
            onChoose={(count) => go(withParams({days: count}), {replace: true})}
          />
        }
      >
        {t('view.trends')}
      </Title>
      <p class="soft">{t('trends.lead')}</p>
      <Answered answer={answer} rows={10}>
        {(data) => <Shown data={data} />}
      </Answered>
    </>
  );
};
