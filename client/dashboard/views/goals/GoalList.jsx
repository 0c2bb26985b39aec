/** All goals of a site: how often each was reached, by whom, and how that moved. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {GoalDialog, RemoveGoal} from './GoalDialog.jsx';
import {before} from './days.js';
import {meaning} from './meaning.js';
import {Moved, Note, Revenue, Sparkline, mayChange} from './parts.jsx';

const REPORT = '/api/v1/stats/goals';

const RowActions = ({goal, onChange, onRemove}) => (
  <span class="g-row-actions">
    <button type="button" class="button quiet" aria-label={t('goals.edit_one', {name: goal.name})} onClick={onChange}>
      <Icon name="edit" />
    </button>
    <button type="button" class="button quiet" aria-label={t('goals.remove_one', {name: goal.name})} onClick={onRemove}>
      <Icon name="trash" />
    </button>
  </span>
);

const Name = ({goal, known}) => (
  <>
    <a href={toView('goals', {id: goal.id})}>{goal.name}</a>
    {known && <small class="g-below">{meaning(known)}</small>}
  </>
);

const columnsOf = ({defined, earlier, onEdit, onRemove, isOwner}) => [
  {name: 'name', title: t('goals.name'), show: (goal) => <Name goal={goal} known={defined.get(goal.id)} />},
  {name: 'conversions', title: t('metric.conversions'), isNumber: true, show: ({conversions}) => whole(conversions)},
  {
    name: 'moved',
    title: t('goals.change'),
    isNumber: true,
    show: ({id, conversions}) => <Moved now={conversions} before={earlier.get(id)} />,
  },
  {
    name: 'trend',
    title: t('goals.trend'),
    show: ({series, name}) => (
      <Sparkline values={series.map(({conversions}) => conversions)} label={t('goals.trend_of', {name})} />
    ),
  },
  {name: 'visitors', title: t('metric.visitors'), isNumber: true, show: ({visitors}) => whole(visitors)},
  {name: 'rate', title: t('metric.conversion_rate'), isNumber: true, show: ({rate}) => percent(rate, 2)},
  {name: 'revenue', title: t('metric.revenue'), isNumber: true, show: ({revenue}) => <Revenue revenue={revenue} />},
  ...(isOwner
    ? [
        {
          name: 'actions',
          title: <span class="unseen">{t('goals.actions')}</span>,
          show: ({id}) => (
            <RowActions
              goal={defined.get(id)}
              onChange={() => onEdit(defined.get(id))}
              onRemove={() => onRemove(defined.get(id))}
            />
          ),
        },
      ]
    : []),
];

const NoGoals = ({isOwner, onMake}) => (
  <Empty title={t('goals.none')} hint={isOwner ? t('goals.none_hint') : t('goals.none_hint_viewer')}>
    {isOwner && (
      <button type="button" class="button primary" onClick={onMake}>
        <Icon name="plus" /> {t('goals.make')}
      </button>
    )}
  </Empty>
);

/** Returns the conversions of the days before by goal, once they are known. */
const useEarlier = (question, report) => {
  const period = report.data && before(report.data.from, report.data.to);
  const answer = useAnswer(period ? REPORT : null, toReport(question, {period}));
  if (answer.error) return {get: () => null}; // such as events that are not kept so long
  return new Map((answer.data?.goals ?? []).map(({id, conversions}) => [id, conversions]));
};

const GoalTable = ({report, defined, earlier, isOwner, onShow}) => (
  <Panel title={t('goals.all')}>
    <Table
      caption={t('goals.all')}
      columns={columnsOf({
        defined,
        earlier,
        isOwner,
        onEdit: (goal) => onShow({goal}),
        onRemove: (removed) => onShow({removed}),
      })}
      rows={report.goals.filter(({id}) => defined.has(id))}
      keyOf={({id}) => id}
    />
    <p class="g-note">{t('goals.rate_of', {visitors: whole(report.visitors)})}</p>
    <Note text={report.note} />
  </Panel>
);

export const GoalList = ({place}) => {
  const question = useQuestion();
  const goals = useAnswer(at`/api/v1/sites/${place.site}/goals`, null, {isKept: false});
  const defined = new Map((goals.data?.goals ?? []).map((goal) => [goal.id, goal]));
  const report = useAnswer(defined.size ? REPORT : null, toReport(question));
  const earlier = useEarlier(question, report);
  const [shown, setShown] = useState({});
  const isOwner = mayChange(place);
  const close = () => setShown({});
  const done = () => {
    close();
    goals.reload();
    report.reload();
  };
  return (
    <>
      <Title
        extra={
          isOwner && (
            <button type="button" class="button primary" onClick={() => setShown({goal: null})}>
              <Icon name="plus" /> {t('goals.make')}
            </button>
          )
        }
      >
        {t('view.goals')}
      </Title>
      <Answered answer={goals} rows={6}>
        {() =>
          defined.size === 0 ? (
            <NoGoals isOwner={isOwner} onMake={() => setShown({goal: null})} />
          ) : (
            <Answered answer={report} rows={6}>
              {(data) => (
                <GoalTable report={data} defined={defined} earlier={earlier} isOwner={isOwner} onShow={setShown} />
              )}
            </Answered>
          )
        }
      </Answered>
      {shown.goal !== undefined && <GoalDialog place={place} goal={shown.goal} onClose={close} onDone={done} />}
      {shown.removed && <RemoveGoal place={place} goal={shown.removed} onClose={close} onDone={done} />}
    </>
  );
};
