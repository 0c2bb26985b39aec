/** Robots by the names that they give themselves, how often each came, and which pages it asked for. */
import {useAnswer} from '../../app/answers.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {Panel, Tabs} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {BarCell, Sparkline} from '../goals/parts.jsx';

const QUERY = '/api/v1/stats/query';
const BY_DAY_MOST = 45; // days: more of them are shown by the week, a year by the month
const BY_WEEK_MOST = 200;
const set = (more) => go(withParams(more), {replace: true});

const intervalOf = ({from, to}) => {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  if (days <= BY_DAY_MOST) return '';
  return days <= BY_WEEK_MOST ? 'week' : 'month';
};

/** Returns the numbers of each crawler over time: a Map of lists, as soon as they are there. */
const useTrends = (site, range, names) => {
  const interval = names.data && intervalOf(names.data.meta);
  const isAsked = names.data?.rows.length > 0;
  const answer = useAnswer(isAsked ? QUERY : null, {
    site,
    date_range: range,
    dimensions: 'crawler,time',
    metrics: 'events',
    interval,
    limit: 1000,
  });
  const rows = answer.data?.rows ?? [];
  const times = [...new Set(rows.map(({dimensions}) => dimensions.time))].sort();
  const trends = new Map();
  for (const {dimensions, metrics} of rows) {
    if (!trends.has(dimensions.crawler)) {
      trends.set(
        dimensions.crawler,
        times.map(() => 0),
      );
    }
    trends.get(dimensions.crawler)[times.indexOf(dimensions.time)] = metrics.events;
  }
  return trends;
};

const columnsOf = ({most, trends, ai, chosen}) => [
  {
    name: 'crawler',
    title: t('dimension.crawler'),
    show: ({name, events}) => (
      <BarCell share={events / most}>
        <button
          type="button"
          class="g-link"
          aria-pressed={name === chosen}
          onClick={() => set({crawler: name === chosen ? null : name})}
        >
          {name}
        </button>
        {ai.has(name) && <span class="g-badge">{t('quality.ai')}</span>}
      </BarCell>
    ),
  },
  {
    name: 'trend',
    title: t('goals.trend'),
    show: ({name}) => <Sparkline values={trends.get(name) ?? []} label={t('quality.trend_of', {name})} />,
  },
  {name: 'events', title: t('metric.events'), isNumber: true, show: ({events}) => whole(events)},
];

const Pages = ({robots, crawler, isAi}) => {
  const whose = crawler || t(isAi ? 'quality.ai_crawlers' : 'quality.all_robots');
  return (
    <Panel
      title={t('quality.pages_of', {name: whose})}
      extra={
        crawler && (
          <a class="button quiet" href={withParams({crawler: null})}>
            {t('quality.all_of_them')}
          </a>
        )
      }
    >
      <Answered answer={robots} rows={5}>
        {({pages, pages_in_all: all}) =>
          pages.length ? (
            <>
              <Table
                caption={t('quality.pages_of', {name: whose})}
                columns={[
                  {
                    name: 'page',
                    title: t('dimension.page'),
                    show: ({host, page, events}) => (
                      <BarCell share={events / pages[0].events}>
                        {page || t('value.none')} <small>{host}</small>
                      </BarCell>
                    ),
                  },
                  {name: 'events', title: t('metric.events'), isNumber: true, show: ({events}) => whole(events)},
                ]}
                rows={pages}
                keyOf={({host, page}) => `${host}${page}`}
              />
              {all > pages.length && <p class="g-note">{t('goals.rows_in_all', {shown: pages.length, count: all})}</p>}
            </>
          ) : (
            <Empty hint={t('quality.no_pages')} />
          )
        }
      </Answered>
    </Panel>
  );
};

const List = ({names, robots, trends, isAi, crawler}) => {
  const ai = new Set((robots.data?.crawlers ?? []).filter(({is_ai: found}) => found).map(({name}) => name));
  const rows = names.rows
    .map(({dimensions, metrics}) => ({name: dimensions.crawler, events: metrics.events}))
    .filter(({name}) => !isAi || ai.has(name));
  if (!rows.length) return <Empty title={t(isAi ? 'quality.no_ai' : 'quality.no_robots')} />;
  return (
    <>
      <Table
        caption={t('quality.crawlers')}
        columns={columnsOf({most: rows[0].events, trends, ai, chosen: crawler})}
        rows={rows}
        keyOf={({name}) => name}
      />
      <p class="g-note">{t('quality.crawlers_help')}</p>
    </>
  );
};

export const Crawlers = ({robots, site, range, crawler, isAi}) => {
  const names = useAnswer(QUERY, {site, date_range: range, dimensions: 'crawler', metrics: 'events', limit: 100});
  const trends = useTrends(site, range, names);
  return (
    <div class="grid">
      <Panel
        title={t('quality.crawlers')}
        extra={
          <Tabs
            label={t('quality.which')}
            choices={[
              ['', t('quality.all')],
              ['ai', t('quality.ai_only')],
            ]}
            chosen={isAi ? 'ai' : ''}
            onChoose={(which) => set({robots: which, crawler: null})}
          />
        }
      >
        <Answered answer={names} rows={5}>
          {(data) => <List names={data} robots={robots} trends={trends} isAi={isAi} crawler={crawler} />}
        </Answered>
      </Panel>
      <Pages robots={robots} crawler={crawler} isAi={isAi} />
    </div>
  );
};
