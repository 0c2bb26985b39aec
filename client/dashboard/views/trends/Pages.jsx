/** Pages that rise, fall, are new, or lose their readers slowly; each leads to its days in the overview. */
import {change, day, percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';
import {periodOf} from '../../ui/period/days.js';
import {Table} from '../../ui/table.jsx';
import {toValue} from '../anomalies/links.js';
import {BarCell} from '../goals/parts.jsx';

const Page = ({page, period, share}) => (
  <BarCell share={share}>
    <a class="address-text" href={toValue(period, 'page', page, {metric: 'views'})}>
      {page}
    </a>
  </BarCell>
);

const columnsOf = (name, {from, to}, most) => {
  const shared = [
    {
      name: 'page',
      title: t('dimension.page'),
      show: (row) => (
        <Page page={row.page} period={periodOf(from, to)} share={Math.max(row.views, row.views_before) / most} />
      ),
    },
    {name: 'views', title: t('metric.views'), isNumber: true, show: (row) => whole(row.views)},
  ];
  if (name === 'new_pages') return shared;
  return [
    ...shared,
    {name: 'before', title: t('chart.compared'), isNumber: true, show: (row) => whole(row.views_before)},
    {
      name: 'change',
      title: t('list.change'),
      isNumber: true,
      show: ({percent: moved}) => (moved === null ? t('overview.was_none') : change(moved)),
    },
  ];
};

/** `name` is risers, fallers or new_pages. */
export const Pages = ({name, rows, data}) => {
  const most = Math.max(...rows.map((row) => Math.max(row.views, row.views_before)), 1);
  return (
    <Panel title={t(`trends.${name}`)}>
      {rows.length > 0 ? (
        <Table
          caption={t(`trends.${name}`)}
          columns={columnsOf(name, data, most)}
          rows={rows}
          keyOf={({page}) => page}
        />
      ) : (
        <p class="g-note">{t(`trends.no_${name}`)}</p>
      )}
      <p class="g-note">{t(`trends.${name}_help`)}</p>
    </Panel>
  );
};

const fadingColumns = () => [
  {
    name: 'page',
    title: t('dimension.page'),
    show: ({page, left}) => <Page page={page} period="12mo" share={left} />,
  },
  {name: 'now', title: t('trends.a_week'), isNumber: true, show: (row) => whole(row.views_a_week)},
  {
    name: 'then',
    title: t('trends.at_best'),
    isNumber: true,
    show: ({views_a_week_then: best, then}) => (
      <>
        {whole(best)} <small class="g-below">{day(then, {month: 'short', year: 'numeric'})}</small>
      </>
    ),
  },
  {
    name: 'left',
    title: t('trends.left'),
    isNumber: true,
    show: ({left, left_of_site: site}) => (
      <>
        {percent(left, 0)} <small class="g-below">{t('trends.site_left', {share: percent(site, 0)})}</small>
      </>
    ),
  },
];

export const Fading = ({rows}) => (
  <Panel title={t('trends.fading')}>
    {rows.length > 0 ? (
      <Table caption={t('trends.fading')} columns={fadingColumns()} rows={rows} keyOf={({page}) => page} />
    ) : (
      <p class="g-note">{t('trends.no_fading')}</p>
    )}
    <p class="g-note">{t('trends.fading_help')}</p>
  </Panel>
);
