/** The report of one funnel. */
import {useState} from 'preact/hooks';
import {forgetAnswers, useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView, withParams} from '../../app/place.js';
import {addFilter, toReport, useQuestion} from '../../app/question.js';
import {Confirm} from '../../ui/dialog.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty, ErrorBox} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';
import {BarCell, DimensionField, Note, mayChange, valueName} from '../goals/parts.jsx';
import {Bars} from './Bars.jsx';
import {FunnelDialog} from './FunnelDialog.jsx';
import {countOf} from './numbers.js';
import {windowOf} from './steps.js';

const ROWS = 25;

const columnsOf = (report) => [
  {
    name: 'value',
    title: t(`dimension.${report.by}`),
    show: ({value, steps}) => (
      <BarCell share={steps.at(-1).of_first ?? 0}>
        {value === '' ? (
          valueName(report.by, value)
        ) : (
          <button type="button" class="g-link" onClick={() => addFilter(report.by, value)}>
            {valueName(report.by, value)}
          </button>
        )}
      </BarCell>
    ),
  },
  ...report.steps.map((step, place) => ({
    name: String(place),
    title: `${place + 1} ${step.name}`,
    isNumber: true,
    show: ({steps}) => (
      <>
        {whole(countOf(report, steps[place]))}
        {place > 0 && <small class="g-below">{percent(steps[place].of_previous)}</small>}
      </>
    ),
  })),
  {
    name: 'rate',
    title: t('funnels.rate'),
    isNumber: true,
    show: ({steps}) => percent(steps.at(-1).of_first, 2),
  },
];

const Rows = ({report, by, onBy}) => (
  <Panel
    title={t('funnels.by')}
    extra={<DimensionField label={t('goals.by_field')} value={by} onChange={onBy} none={t('goals.by_none')} />}
  >
    {report.rows?.length > 0 && (
      <Table
        caption={t('funnels.by_of', {name: report.name, dimension: t(`dimension.${report.by}`)})}
        columns={columnsOf(report)}
        rows={report.rows}
        keyOf={({value}) => value}
      />
    )}
    {report.rows?.length === 0 && <Empty hint={t('funnels.nobody')} />}
    {report.rows && report.rows_in_all > report.rows.length && (
      <p class="g-note">{t('goals.rows_in_all', {shown: report.rows.length, count: report.rows_in_all})}</p>
    )}
  </Panel>
);

const Report = ({report, by, onBy}) => (
  <>
    <Panel title={t('funnels.steps')}>
      {countOf(report, report.steps[0]) === 0 && <Empty title={t('funnels.nobody')} hint={t('funnels.nobody_hint')} />}
      <Bars report={report} />
      {report.follows === 'visitors' && <Note text={t('funnels.known', {known: report.known})} />}
      <Note text={report.note} />
    </Panel>
    <Rows report={report} by={by} onBy={onBy} />
  </>
);

const Removing = ({place, funnel, onClose}) => {
  const remove = async () => {
    try {
      await send('DELETE', at`/api/v1/sites/${place.site}/funnels/${funnel.id}`);
      forgetAnswers();
      say(t('funnels.removed', {name: funnel.name}));
      go(toView('funnels'));
    } catch (error) {
      sayTrouble(error);
    }
  };
  return (
    <Confirm
      title={t('funnels.remove_one', {name: funnel.name})}
      text={t('funnels.remove_text')}
      yes={t('goals.remove')}
      onYes={remove}
      onClose={onClose}
    />
  );
};

const Actions = ({onShow}) => (
  <span class="actions">
    <button type="button" class="button" onClick={() => onShow('edit')}>
      <Icon name="edit" /> {t('goals.edit')}
    </button>
    <button type="button" class="button" onClick={() => onShow('remove')}>
      <Icon name="trash" /> {t('goals.remove')}
    </button>
  </span>
);

const Found = ({place, funnel, onChanged}) => {
  const question = useQuestion();
  const by = place.params.get('by') ?? '';
  const report = useAnswer('/api/v1/stats/funnel', toReport(question, {funnel: funnel.id, by, limit: ROWS}));
  const [shown, setShown] = useState('');
  const close = () => setShown('');
  const saved = () => {
    close();
    onChanged();
    report.reload();
  };
  return (
    <>
      <Title extra={mayChange(place) && <Actions onShow={setShown} />}>{funnel.name}</Title>
      <p class="soft g-lead">
        {windowOf(funnel)} · {t(`funnels.order_help.${funnel.order}`)}
      </p>
      <Answered answer={report} rows={8}>
        {(data) => <Report report={data} by={by} onBy={(next) => go(withParams({by: next}), {replace: true})} />}
      </Answered>
      {shown === 'edit' && <FunnelDialog place={place} funnel={funnel} onClose={close} onDone={saved} />}
      {shown === 'remove' && <Removing place={place} funnel={funnel} onClose={close} />}
    </>
  );
};

export const OneFunnel = ({place}) => {
  const all = useAnswer(at`/api/v1/sites/${place.site}/funnels`, null, {isKept: false});
  const funnel = all.data?.funnels.find(({id}) => id === place.id);
  return (
    <>
      <p class="g-crumbs">
        <a href={toView('funnels')}>{t('view.funnels')}</a>
      </p>
      <Answered answer={all} rows={8}>
        {() =>
          funnel ? (
            <Found place={place} funnel={funnel} onChanged={all.reload} />
          ) : (
            <ErrorBox title={t('funnels.unknown')} hint={t('goals.unknown_hint')} />
          )
        }
      </Answered>
    </>
  );
};
