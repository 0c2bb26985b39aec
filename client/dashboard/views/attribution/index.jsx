/** Attribution: what brought the visitors who reached a goal. */
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {addFilter, toReport, useQuestion} from '../../app/question.js';
import {Field} from '../../ui/form.jsx';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {BarCell, Note, Revenue, Tiles, mayChange} from '../goals/parts.jsx';

const BY = ['channel', 'source', 'referrer', 'campaign', 'utm_source', 'utm_medium'];
const DAYS = [1, 7, 14, 30, 60, 90];
const ROWS = 50;
const DIMENSIONS = {campaign: 'utm_campaign'};

const set = (more) => go(withParams(more), {replace: true});

const askedOf = ({params}, goals) => ({
  goal: goals.find(({id, name}) => [id, name].includes(params.get('goal'))) ?? goals[0],
  model: params.get('model') === 'first' ? 'first' : 'last',
  by: BY.includes(params.get('by')) ? params.get('by') : 'channel',
  lookback: DAYS.includes(Number(params.get('lookback'))) ? Number(params.get('lookback')) : 30,
});

const dimensionOf = (by) => DIMENSIONS[by] ?? by;
const valueText = (by, value) => {
  if (value === '') return t('attribution.without', {name: t(`dimension.${dimensionOf(by)}`)});
  return by === 'channel' && hasText(`attribution.channel.${value}`) ? t(`attribution.channel.${value}`) : value;
};

const columnsOf = (by, most) => [
  {
    name: 'value',
    title: t(`dimension.${dimensionOf(by)}`),
    show: ({value, conversions}) => (
      <BarCell share={conversions / most}>
        {value === '' ? (
          valueText(by, value)
        ) : (
          <button type="button" class="g-link" onClick={() => addFilter(dimensionOf(by), value)}>
            {valueText(by, value)}
          </button>
        )}
      </BarCell>
    ),
  },
  {name: 'conversions', title: t('metric.conversions'), isNumber: true, show: ({conversions}) => whole(conversions)},
  {name: 'share', title: t('metric.share'), isNumber: true, show: ({share}) => percent(share)},
  {name: 'visitors', title: t('metric.visitors'), isNumber: true, show: ({visitors}) => whole(visitors)},
  {name: 'revenue', title: t('metric.revenue'), isNumber: true, show: ({revenue}) => <Revenue revenue={revenue} />},
];

const Controls = ({asked, goals}) => (
  <div class="g-controls">
    <Field
      label={t('attribution.goal')}
      type="select"
      class="g-inline"
      value={asked.goal.id}
      onChange={({target}) => set({goal: target.value})}
    >
      {goals.map(({id, name}) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Field>
    <Field
      label={t('attribution.by')}
      type="select"
      class="g-inline"
      value={asked.by}
      onChange={({target}) => set({by: target.value})}
    >
      {BY.map((by) => (
        <option key={by} value={by}>
          {t(`dimension.${dimensionOf(by)}`)}
        </option>
      ))}
    </Field>
    <Field
      label={t('attribution.lookback')}
      type="select"
      class="g-inline"
      value={asked.lookback}
      onChange={({target}) => set({lookback: target.value})}
    >
      {DAYS.map((days) => (
        <option key={days} value={days}>
          {t('attribution.days', {count: days})}
        </option>
      ))}
    </Field>
    <Tabs
      label={t('attribution.model')}
      choices={['last', 'first'].map((model) => [model, t(`attribution.models.${model}`)])}
      chosen={asked.model}
      onChoose={(model) => set({model})}
    />
  </div>
);

const Rows = ({data}) => {
  if (!data.conversions) return <Empty title={t('attribution.none')} hint={t('attribution.none_hint')} />;
  const most = Math.max(...data.rows.map(({conversions}) => conversions), 1);
  return (
    <>
      <Tiles
        tiles={[
          [t('metric.conversions'), whole(data.conversions)],
          [t('metric.visitors'), whole(data.visitors)],
          ...(data.revenue.length ? [[t('metric.revenue'), <Revenue key="sum" revenue={data.revenue} />]] : []),
        ]}
      />
      <Table
        caption={t('attribution.table', {goal: data.goal})}
        columns={columnsOf(data.by, most)}
        rows={data.rows}
        keyOf={({value}) => value}
      />
      {data.rows_in_all > data.rows.length && (
        <p class="g-note">{t('goals.rows_in_all', {shown: data.rows.length, count: data.rows_in_all})}</p>
      )}
    </>
  );
};

const Report = ({asked, question}) => {
  const {goal, ...rest} = asked;
  const answer = useAnswer('/api/v1/stats/attribution', toReport(question, {goal: goal.id, ...rest, limit: ROWS}));
  return (
    <Panel title={t('attribution.title', {goal: goal.name})}>
      <p class="g-note">{t(`attribution.model_help.${asked.model}`, {count: asked.lookback})}</p>
      <Answered answer={answer} rows={8}>
        {(data) => (
          <>
            <Rows data={data} />
            {data.known_for !== 'always' && <p class="g-note g-notice">{t(`attribution.known.${data.known_for}`)}</p>}
            <Note text={data.note} />
          </>
        )}
      </Answered>
    </Panel>
  );
};

const NoGoals = ({place}) => (
  <Empty title={t('goals.none')} hint={mayChange(place) ? t('attribution.no_goals') : t('goals.none_hint_viewer')}>
    <a class="button" href={toView('goals')}>
      {t('view.goals')}
    </a>
  </Empty>
);

export const View = ({place}) => {
  const question = useQuestion();
  const all = useAnswer(at`/api/v1/sites/${place.site}/goals`, null, {isKept: false});
  return (
    <>
      <Title>{t('view.attribution')}</Title>
      <Answered answer={all} rows={8}>
        {({goals}) => {
          if (!goals.length) return <NoGoals place={place} />;
          const asked = askedOf(place, goals);
          return (
            <>
              <Controls asked={asked} goals={goals} />
              <Report asked={asked} question={question} />
            </>
          );
        }}
      </Answered>
    </>
  );
};
