/** Web vitals: how quick and steady pages are for three quarters of the views, over time, by page and device. */
import {useAnswer} from '../../app/answers.js';
import {country, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {OverTime} from './OverTime.jsx';
import {Rated, Tile} from './Tile.jsx';
import {VITALS} from './thresholds.js';

const BY = ['page', 'device', 'browser', 'country'];
const ROWS = 50;

const names = {page: (value) => value, country, device: (value) => value, browser: (value) => value};

const Value = ({by, value}) =>
  by === 'page' ? (
    <a class="address-text" href={withParams({page: value})}>
      {value}
    </a>
  ) : (
    names[by](value) || t('value.unknown')
  );

const columns = (by) => [
  {name: 'value', title: t(`vitals.by_${by}`), show: ({value}) => <Value by={by} value={value} />},
  {name: 'samples', title: t('vitals.views'), isNumber: true, show: ({samples}) => whole(samples)},
  ...VITALS.map((name) => ({
    name,
    title: <abbr title={t(`vitals.${name}`)}>{name}</abbr>,
    isNumber: true,
    show: ({vitals}) => <Rated vital={vitals.find((vital) => vital.name === name)} />,
  })),
];

const Rows = ({data, by}) => (
  <Panel
    title={t(`vitals.by_${by}`)}
    extra={
      <Tabs
        label={t('vitals.by')}
        choices={BY.map((name) => [name, t(`vitals.by_${name}`)])}
        chosen={by}
        onChoose={(name) => go(withParams({by: name}))}
      />
    }
  >
    <Table caption={t(`vitals.by_${by}`)} columns={columns(by)} rows={data.rows} keyOf={({value}) => value} />
    {data.rows_in_all > data.rows.length && (
      <p class="soft">{t('vitals.more', {count: whole(data.rows.length), all: whole(data.rows_in_all)})}</p>
    )}
  </Panel>
);

const Shown = ({data, by, vital}) => (
  <>
    <ul class="vital-tiles">
      {VITALS.map((name) => (
        <Tile
          key={name}
          name={name}
          vital={data.vitals.find((each) => each.name === name)}
          isChosen={name === vital}
          onChoose={() => go(withParams({vital: name}))}
        />
      ))}
    </ul>
    <p class="soft">{t('vitals.explain')}</p>
    <OverTime name={vital} series={data.series} />
    <Rows data={data} by={by} />
  </>
);

export const View = ({place}) => {
  const page = place.params.get('page') ?? '';
  const by = BY.find((name) => name === place.params.get('by')) ?? 'page';
  const vital = VITALS.find((name) => name === place.params.get('vital')) ?? 'LCP';
  const question = useQuestion();
  const answer = useAnswer('/api/v1/vitals', toReport(question, {by, page, series: true, limit: ROWS}));
  return (
    <>
      <Title>{t('view.vitals')}</Title>
      {page && (
        <p class="chips">
          <span class="chip">
            {t('dimension.page')} <strong>{page}</strong>
            <button type="button" aria-label={t('vitals.all_pages')} onClick={() => go(withParams({page: null}))}>
              <Icon name="close" size={14} />
            </button>
          </span>
        </p>
      )}
      <Answered answer={answer} rows={8}>
        {(data) =>
          data.vitals.length ? (
            <Shown data={data} by={by} vital={vital} />
          ) : (
            <Empty title={t('vitals.empty')} hint={t('vitals.empty_hint', {site: place.site})} />
          )
        }
      </Answered>
    </>
  );
};
