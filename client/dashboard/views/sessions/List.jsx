/** The visits of a period, the newest first. */
import {at} from '../../app/api.js';
import {ago, duration, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {usePages} from './pages.js';
import {Badge, DeviceCell, Place, SourceCell, Two, VisitorLink} from './parts.jsx';

const HAVING = ['', 'recording', 'error', 'rage', 'dead'];
const OF_CHOSEN = ['', 'recording']; // what chosen visits are asked for: the answer has all of them
const MOST_CHOSEN = 100;

const Badges = ({visit}) => (
  <span class="visit-badges">
    {visit.recording && (
      <Badge kind="accent">
        <Icon name="play" size={13} /> {t('sessions.has_recording')}
      </Badge>
    )}
    {visit.errors > 0 && <Badge kind="bad">{t('sessions.has_errors', {count: visit.errors})}</Badge>}
    {visit.rage_clicks > 0 && <Badge kind="warn">{t('sessions.has_rage', {count: visit.rage_clicks})}</Badge>}
  </span>
);

const Way = ({visit: {entry, exit}}) => <Two first={entry || '–'} second={exit && exit !== entry ? `→ ${exit}` : ''} />;

const columns = () => [
  {
    name: 'when',
    title: t('sessions.when'),
    show: (visit) => (
      <a class="nowrap" href={toView('sessions', {id: visit.id})} title={moment(visit.started_at)}>
        {ago(visit.started_at)}
      </a>
    ),
  },
  {name: 'what', title: t('sessions.what'), show: (visit) => <Badges visit={visit} />},
  {name: 'visitor', title: t('sessions.visitor'), show: (visit) => <VisitorLink {...visit} />},
  {
    name: 'place',
    title: t('sessions.place'),
    show: (visit) => (
      <span class="nowrap">
        <Place code={visit.country} city={visit.city} />
      </span>
    ),
  },
  {name: 'source', title: t('sessions.source'), show: (visit) => <SourceCell visit={visit} />},
  {name: 'device', title: t('sessions.device'), show: (visit) => <DeviceCell visit={visit} />},
  {name: 'way', title: t('sessions.way'), show: (visit) => <Way visit={visit} />},
  {name: 'views', title: t('sessions.pages'), isNumber: true, show: (visit) => whole(visit.views)},
  {name: 'events', title: t('metric.events'), isNumber: true, show: (visit) => whole(visit.events)},
  {
    name: 'duration',
    title: t('metric.duration'),
    isNumber: true,
    show: (visit) => duration(visit.duration_seconds * 1000),
  },
  {
    name: 'engaged',
    title: t('metric.engaged'),
    isNumber: true,
    show: (visit) => duration(visit.engaged_seconds * 1000),
  },
];

const HINTS = {
  '': 'sessions.empty_hint',
  recording: 'sessions.empty_recording',
  error: 'sessions.empty_error',
  rage: 'sessions.empty_click',
  dead: 'sessions.empty_click',
};

const Nothing = ({having, site}) => <Empty title={t('sessions.empty')} hint={t(HINTS[having] ?? HINTS[''], {site})} />;

const Chosen = ({count}) => (
  <p class="chips">
    <span class="chip">
      {t('sessions.chosen', {count})}
      <button type="button" aria-label={t('sessions.all_again')} onClick={() => go(withParams({ids: null}))}>
        <Icon name="close" size={14} />
      </button>
    </span>
  </p>
);

const More = ({pages, looked}) =>
  pages.cursor && (
    <p class="list-more">
      <button type="button" class="button" aria-disabled={pages.isMore} onClick={() => !pages.isMore && pages.more()}>
        {t(pages.isMore ? 'state.loading' : 'sessions.more')}
      </button>
      {looked > pages.rows.length * 20 && <small>{t('sessions.looked', {count: whole(looked)})}</small>}
    </p>
  );

/** Returns what is asked of GET /api/v1/sites/{site}/visits. */
const queryOf = (question, ids, having) => {
  if (ids) return {ids, limit: MOST_CHOSEN};
  const {period, filter, segment} = toReport(question);
  return {period, filter, segment, with: having};
};

const Which = ({choices, having}) => (
  <Tabs
    label={t('sessions.which')}
    choices={choices.map((name) => [name, t(`sessions.with_${name || 'any'}`)])}
    chosen={having}
    onChoose={(name) => go(withParams({with: name}))}
  />
);

export const List = ({place}) => {
  const question = useQuestion();
  const ids = place.params.get('ids') ?? '';
  const choices = ids ? OF_CHOSEN : HAVING;
  const having = choices.includes(place.params.get('with')) ? place.params.get('with') : '';
  const pages = usePages(at`/api/v1/sites/${place.site}/visits`, queryOf(question, ids, having), 'visits');
  const rows = ids && having ? pages.rows.filter(({recording}) => recording) : pages.rows;
  return (
    <>
      <Title>{t('view.sessions')}</Title>
      {ids && <Chosen count={ids.split(',').length} />}
      <Which choices={choices} having={having} />
      <Panel title={t('sessions.newest')}>
        <Answered answer={pages.answer} rows={10}>
          {(data) =>
            rows.length || data.cursor ? (
              <>
                <Table caption={t('sessions.newest')} columns={columns()} rows={rows} keyOf={({id}) => id} />
                <More pages={pages} looked={data.looked_at} />
              </>
            ) : (
              <Nothing having={having} site={place.site} />
            )
          }
        </Answered>
      </Panel>
    </>
  );
};
