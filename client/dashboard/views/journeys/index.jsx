/** Journeys: which pages visits went to one after the other, from where they began, or from a page, or to it. */
import {useId} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {percent, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Field, valuesOf} from '../../ui/form.jsx';
import {Panel, Tabs, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Known} from '../goals/Known.jsx';
import {Flow, pageName} from './Flow.jsx';

const STEPS = [3, 4, 5, 6, 7, 8, 9, 10];
const LIMITS = [5, 10, 20, 50];

const set = (more) => go(withParams(more), {replace: true});

/** What the address asks for: {start, direction, steps, limit, shown}. */
const askedOf = ({params}) => {
  const number = (name, allowed, usual) => {
    const found = Number(params.get(name));
    return allowed.includes(found) ? found : usual;
  };
  return {
    start: params.get('start') ?? '',
    direction: params.get('direction') === 'previous' ? 'previous' : 'next',
    steps: number('steps', STEPS, 3),
    limit: number('pages', LIMITS, 5),
    shown: params.get('shown') === 'table' ? 'table' : 'drawing',
  };
};

const Numbers = ({name, label, value, choices}) => (
  <Field
    label={label}
    type="select"
    class="g-inline"
    value={value}
    onChange={({target}) => set({[name]: target.value})}
  >
    {choices.map((choice) => (
      <option key={choice} value={choice}>
        {choice}
      </option>
    ))}
  </Field>
);

const Controls = ({asked, question}) => {
  const list = useId();
  const start = (event) => {
    event.preventDefault();
    go(withParams({start: valuesOf(event.target).start.trim()}));
  };
  return (
    <div class="g-controls">
      <form class="g-start" onSubmit={start}>
        <Field
          key={asked.start}
          label={t(`journeys.start.${asked.direction}`)}
          name="start"
          class="g-inline"
          list={list}
          autocomplete="off"
          placeholder={t(`journeys.start_none.${asked.direction}`)}
          defaultValue={asked.start}
        />
        <Known id={list} dimension="page" question={question} />
        <button type="submit" class="button">
          {t('journeys.show')}
        </button>
        {asked.start && (
          <a class="button quiet" href={withParams({start: null})}>
            {t('journeys.from_all')}
          </a>
        )}
      </form>
      <Tabs
        label={t('journeys.direction')}
        choices={[
          ['next', t('journeys.next')],
          ['previous', t('journeys.previous')],
        ]}
        chosen={asked.direction}
        onChoose={(direction) => set({direction})}
      />
      <Numbers name="steps" label={t('journeys.steps')} value={asked.steps} choices={STEPS} />
      <Numbers name="pages" label={t('journeys.limit')} value={asked.limit} choices={LIMITS} />
    </div>
  );
};

const Page = ({page}) => (page.startsWith('(') ? pageName(page) : <a href={withParams({start: page})}>{page}</a>);

const LinkTable = ({answer}) => (
  <Table
    caption={t('journeys.table')}
    columns={[
      {name: 'step', title: t('journeys.step'), isNumber: true, show: ({step}) => step},
      {name: 'from', title: t('journeys.from'), show: ({from}) => <Page page={from} />},
      {name: 'to', title: t('journeys.to'), show: ({to}) => <Page page={to} />},
      {name: 'visits', title: t('metric.visits'), isNumber: true, show: ({visits}) => whole(visits)},
      {name: 'share', title: t('journeys.share'), isNumber: true, show: ({visits}) => percent(visits / answer.visits)},
    ]}
    rows={answer.links}
    keyOf={({step, from, to}) => `${step} ${from} ${to}`}
  />
);

const Found = ({answer, asked}) => {
  if (!answer.links.length) {
    return (
      <Empty
        title={t('journeys.none')}
        hint={t(asked.start ? 'journeys.none_start' : 'journeys.none_hint', {page: asked.start})}
      />
    );
  }
  return (
    <>
      <p class="g-note">
        {t(asked.start ? 'journeys.sum_of' : 'journeys.sum', {
          count: answer.visits,
          number: whole(answer.visits),
          page: asked.start,
        })}{' '}
        {t(`journeys.hint.${asked.direction}`)}
      </p>
      {asked.shown === 'table' ? <LinkTable answer={answer} /> : <Flow answer={answer} />}
    </>
  );
};

export const View = ({place}) => {
  const question = useQuestion();
  const asked = askedOf(place);
  const {start, direction, steps, limit} = asked;
  const answer = useAnswer('/api/v1/stats/journeys', toReport(question, {start, direction, steps, limit}));
  const shown = [
    ['drawing', t('journeys.as_drawing')],
    ['table', t('journeys.as_table')],
  ];
  return (
    <>
      <Title>{t('view.journeys')}</Title>
      <Controls asked={asked} question={question} />
      <Panel
        title={t(`journeys.title.${direction}`)}
        extra={
          <Tabs
            label={t('journeys.shown')}
            choices={shown}
            chosen={asked.shown}
            onChoose={(next) => set({shown: next})}
          />
        }
      >
        <Answered answer={answer} rows={10}>
          {(data) => <Found answer={data} asked={asked} />}
        </Answered>
      </Panel>
    </>
  );
};
