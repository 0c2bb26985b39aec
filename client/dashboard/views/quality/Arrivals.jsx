/** What came of what browsers and programs sent: accepted, stored, twice, late, lost; by the hour or the day. */
import {useAnswer} from '../../app/answers.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {fullTime} from '../../ui/chart/times.js';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Tiles} from '../goals/parts.jsx';

const NONE = {accepted: 0, stored: 0, duplicates: 0, late: 0};

/** Returns a row for each hour or day in which something arrived or a tab began, the latest first. */
const rowsOf = (arrivals, losses) => {
  const rows = new Map();
  for (const point of arrivals.points) rows.set(point.start, {...point, tabs: 0, lost: null});
  for (const {start, tabs, lost, expected} of losses.points) {
    rows.set(start, {...NONE, start, ...rows.get(start), tabs, lost, expected});
  }
  return [...rows.values()].sort((one, other) => (one.start < other.start ? 1 : -1));
};

const Lost = ({lost, expected}) => {
  if (lost === null) return <span class="soft">–</span>;
  return (
    <span class={lost ? 'bad' : ''}>
      {whole(lost)}
      {lost > 0 && expected > 0 && ` (${percent(lost / expected, 2)})`}
    </span>
  );
};

const columnsOf = (interval) => [
  {name: 'start', title: t(`quality.${interval}`), show: ({start}) => fullTime(start, interval)},
  {name: 'accepted', title: t('quality.accepted'), isNumber: true, show: ({accepted}) => whole(accepted)},
  {name: 'stored', title: t('quality.stored'), isNumber: true, show: ({stored}) => whole(stored)},
  {name: 'duplicates', title: t('quality.duplicates'), isNumber: true, show: ({duplicates}) => whole(duplicates)},
  {name: 'late', title: t('quality.late'), isNumber: true, show: ({late}) => whole(late)},
  {name: 'tabs', title: t('quality.tabs'), isNumber: true, show: ({tabs}) => whole(tabs)},
  {name: 'lost', title: t('quality.lost'), isNumber: true, show: (row) => <Lost {...row} />},
];

const tilesOf = (arrivals, losses) => [
  [t('quality.accepted'), whole(arrivals.accepted)],
  [t('quality.stored'), whole(arrivals.stored)],
  [t('quality.duplicates'), whole(arrivals.duplicates)],
  [t('quality.late'), whole(arrivals.late)],
  [t('quality.lost'), <Lost key="lost" lost={losses.lost} expected={losses.expected} />],
  [t('quality.waiting'), whole(arrivals.waiting)],
  [t('quality.set_aside'), whole(arrivals.set_aside)],
];

const Ways = ({arrivals}) =>
  arrivals.stored > 0 && (
    <p>
      {t('quality.numbered', {
        share: percent(arrivals.numbered / arrivals.stored),
        rest: percent(1 - arrivals.numbered / arrivals.stored),
      })}
    </p>
  );

const Shown = ({arrivals, losses}) => {
  const rows = rowsOf(arrivals, losses);
  const {interval} = arrivals;
  return (
    <>
      <Tiles tiles={tilesOf(arrivals, losses)} />
      <Ways arrivals={arrivals} />
      {arrivals.set_aside > 0 && <p class="g-note g-notice">{t('quality.set_aside_help')}</p>}
      {rows.length > 0 ? (
        <details>
          <summary>{t(`quality.by_${interval}`)}</summary>
          <Table
            caption={t(`quality.by_${interval}`)}
            columns={columnsOf(interval)}
            rows={rows}
            keyOf={({start}) => start}
          />
        </details>
      ) : (
        <Empty title={t('quality.nothing')} hint={t('quality.nothing_hint')} />
      )}
      <p class="g-note">{t('quality.arrivals_help')}</p>
      {losses.tabs === 0 && rows.length > 0 && <p class="g-note g-notice">{t('quality.no_tabs')}</p>}
      {arrivals.since && <p class="g-note">{t('quality.since', {day: fullTime(arrivals.since, 'day')})}</p>}
    </>
  );
};

export const Arrivals = ({site, period}) => {
  const arrivals = useAnswer('/api/v1/quality/arrivals', {site, period});
  const losses = useAnswer('/api/v1/quality', {site, period});
  return (
    <Panel title={t('quality.arrivals')}>
      <Answered answer={arrivals} rows={4}>
        {(found) => (
          <Answered answer={losses} rows={4}>
            {(lost) => <Shown arrivals={found} losses={lost} />}
          </Answered>
        )}
      </Answered>
    </Panel>
  );
};
