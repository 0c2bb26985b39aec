/** One goal: over time, and by any dimension of visits. */
import {useState} from 'preact/hooks';
import {forgetAnswers, useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {addFilter, toReport, useQuestion} from '../../app/question.js';
import {getWeekStart} from '../../app/week.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty, ErrorBox} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {GoalDialog, RemoveGoal} from './GoalDialog.jsx';
import {OverTime} from './OverTime.jsx';
import {meaning} from './meaning.js';
import {BarCell, DimensionField, Note, Revenue, Tiles, mayChange, valueName} from './parts.jsx';

const ROWS = 25;

const columnsOf = (by, most) => [
  {
    name: by,
    title: t(`dimension.${by}`),
    show: ({value, conversions}) => (
      <BarCell share={conversions / most}>
        {value === '' ? (
          valueName(by, value)
        ) : (
          <button type="button" class="g-link" onClick={() => addFilter(by, value)}>
            {valueName(by, value)}
          </button>
        )}
      </BarCell>
    ),
  },
  {name: 'conversions', title: t('metric.conversions'), isNumber: true, show: ({conversions}) => whole(conversions)},
  {name: 'visitors', title: t('metric.visitors'), isNumber: true, show: ({visitors}) => whole(visitors)},
  {name: 'rate', title: t('metric.conversion_rate'), isNumber: true, show: ({rate}) => percent(rate, 2)},
  {name: 'revenue', title: t('metric.revenue'), isNumber: true, show: ({revenue}) => <Revenue revenue={revenue} />},
];

const Rows = ({found, by, onBy}) => (
  <Panel title={t('goals.by')} extra={<DimensionField label={t('goals.by_field')} value={by} onChange={onBy} />}>
    {found.rows.length ? (
      <Table
        caption={t('goals.by_of', {name: found.name, dimension: t(`dimension.${by}`)})}
        columns={columnsOf(by, Math.max(...found.rows.map(({conversions}) => conversions), 1))}
        rows={found.rows}
        keyOf={({value}) => value}
      />
    ) : (
      <Empty hint={t('goals.no_rows')} />
    )}
    {found.rows_in_all > found.rows.length && (
      <p class="g-note">{t('goals.rows_in_all', {shown: found.rows.length, count: found.rows_in_all})}</p>
    )}
  </Panel>
);

const Report = ({data, by, onBy}) => {
  const [found] = data.goals;
  const tiles = [
    [t('metric.conversions'), whole(found.conversions)],
    [t('goals.visitors_reached'), whole(found.visitors)],
    [t('metric.conversion_rate'), percent(found.rate, 2)],
    ...found.revenue.flatMap(({currency, sum, mean, events}) => [
      [t('goals.revenue_in', {currency: currency || '–'}), <Revenue key="sum" revenue={[{currency, sum}]} />],
      [
        t('goals.mean_of', {count: events, number: whole(events)}),
        <Revenue key="mean" revenue={[{currency, sum: mean}]} />,
      ],
    ]),
  ];
  return (
    <>
      <Panel title={t('goals.over_time')}>
        <Tiles tiles={tiles} />
        <OverTime series={found.series} interval={data.interval} />
        <Note text={data.note} />
      </Panel>
      <Rows found={found} by={by} onBy={onBy} />
    </>
  );
};

const Actions = ({goal, isOwner, onShow}) => (
  <span class="actions">
    <a class="button" href={toView('attribution', {goal: goal.id})}>
      <Icon name="attribution" /> {t('goals.to_attribution')}
    </a>
    {isOwner && (
      <>
        <button type="button" class="button" onClick={() => onShow('edit')}>
          <Icon name="edit" /> {t('goals.edit')}
        </button>
        <button type="button" class="button" onClick={() => onShow('remove')}>
          <Icon name="trash" /> {t('goals.remove')}
        </button>
      </>
    )}
  </span>
);

const Dialogs = ({shown, goal, place, onClose, onSaved}) => {
  if (shown === 'edit') return <GoalDialog place={place} goal={goal} onClose={onClose} onDone={onSaved} />;
  if (shown !== 'remove') return null;
  const gone = () => {
    forgetAnswers();
    go(toView('goals'));
  };
  return <RemoveGoal place={place} goal={goal} onClose={onClose} onDone={gone} />;
};

export const OneGoal = ({place}) => {
  const question = useQuestion();
  const by = place.params.get('by') || 'source';
  const all = useAnswer(at`/api/v1/sites/${place.site}/goals`, null, {isKept: false});
  const goal = all.data?.goals.find(({id}) => id === place.id);
  const {interval} = question;
  const report = useAnswer(
    goal ? '/api/v1/stats/goals' : null,
    toReport(question, {goal: goal?.id, by, limit: ROWS, interval, week_start: getWeekStart()}),
  );
  const [shown, setShown] = useState('');
  const saved = () => {
    setShown('');
    all.reload();
    report.reload();
  };
  return (
    <Answered answer={all} rows={8}>
      {() =>
        goal ? (
          <>
            <p class="g-crumbs">
              <a href={toView('goals')}>{t('view.goals')}</a>
            </p>
            <Title extra={<Actions goal={goal} isOwner={mayChange(place)} onShow={setShown} />}>{goal.name}</Title>
            <p class="soft g-lead">{meaning(goal)}</p>
            <Answered answer={report} rows={8}>
              {(data) => <Report data={data} by={by} onBy={(next) => go(withParams({by: next}), {replace: true})} />}
            </Answered>
            <Dialogs shown={shown} goal={goal} place={place} onClose={() => setShown('')} onSaved={saved} />
          </>
        ) : (
          <ErrorBox title={t('goals.unknown')} hint={t('goals.unknown_hint')}>
            <a href={toView('goals')}>{t('goals.back')}</a>
          </ErrorBox>
        )
      }
    </Answered>
  );
};
