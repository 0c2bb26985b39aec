/** Days and hours unlike what is usual, the newest first, each with what explains it. */
import {useEffect, useRef} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {may} from '../../app/session.js';
import {Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {OneAnomaly} from './OneAnomaly.jsx';

const DAYS = [30, 90, 366];
const USUAL = 90;

/** Of an anomaly that somebody was sent it is not known how old it is. */
const daysOf = ({params, id}) => {
  const asked = DAYS.find((days) => String(days) === params.get('days'));
  return asked ?? (id ? DAYS.at(-1) : USUAL);
};

const Explained = ({count}) => (
  <details class="insight-help">
    <summary>{t('anomalies.how')}</summary>
    <p>{t('anomalies.how_text')}</p>
    {count > 0 && <p>{t('anomalies.how_severity')}</p>}
  </details>
);

const None = ({data, days}) =>
  data.is_ready ? (
    <Empty title={t('anomalies.none', {count: days})} hint={t('anomalies.none_hint')} />
  ) : (
    <Empty title={t('anomalies.too_young')} hint={t('anomalies.too_young_hint', {count: data.days_needed})} />
  );

const List = ({data, place, days}) => {
  const chosen = useRef(null);
  const isThere = data.anomalies.some(({id}) => id === place.id);
  useEffect(() => {
    chosen.current?.scrollIntoView({block: 'start'});
    chosen.current?.focus({preventScroll: true});
  }, [place.id, isThere]);
  if (data.anomalies.length === 0) return <None data={data} days={days} />;
  return (
    <>
      {place.id && !isThere && (
        <p class="g-note g-notice">
          {t('anomalies.gone')} {days < DAYS.at(-1) && t('anomalies.choose_more')}
        </p>
      )}
      <ul class="anomalies">
        {data.anomalies.map((anomaly) => (
          <li key={anomaly.id} tabIndex={-1} ref={anomaly.id === place.id ? chosen : undefined}>
            <OneAnomaly
              anomaly={anomaly}
              site={place.site}
              timezone={data.timezone}
              days={days}
              isOpen={anomaly.id === place.id}
              mayNote={may('manage', place.site)}
            />
          </li>
        ))}
      </ul>
    </>
  );
};

export const View = ({place}) => {
  const days = daysOf(place);
  const answer = useAnswer('/api/v1/anomalies', {site: place.site, days});
  const choices = DAYS.map((count) => [count, t('anomalies.days', {count})]);
  return (
    <>
      <Title
        extra={
          <Tabs
            label={t('anomalies.back')}
            choices={choices}
            chosen={days}
            onChoose={(count) => go(withParams({days: count}), {replace: true})}
          />
        }
      >
        {t('view.anomalies')}
      </Title>
      <p class="soft">{t('anomalies.lead')}</p>
      <Answered answer={answer} rows={8}>
        {(data) => <List data={data} place={place} days={days} />}
      </Answered>
      {may('manage', place.site) && (
        <p>
          <a href={toView('alerts')}>{t('anomalies.tell_me')}</a>
        </p>
      )}
      <Explained count={answer.data?.anomalies.length} />
    </>
  );
};
