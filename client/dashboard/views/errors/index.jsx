/** Errors of the site's pages, each problem once, and one of them in detail. */
import {useAnswer} from '../../app/answers.js';
import {ago, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {toReport, useQuestion} from '../../app/question.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Problem} from './Problem.jsx';

const LIMIT = 100;
const LIMIT_OF_ONE = 1000; // one is looked for among all

const Moment = ({at}) => (
  <time class="nowrap" dateTime={at} title={moment(at)}>
    {ago(at)}
  </time>
);

const first = (parts, count = 2) => parts.slice(0, count).map(({value}) => value);

const columns = () => [
  {
    name: 'message',
    title: t('errors.message'),
    show: (problem) => (
      <span class="problem">
        <a href={toView('errors', {id: problem.group})}>{problem.message || t('value.none')}</a>
        <small>
          {[problem.source && `${problem.source}:${problem.line}`, ...first(problem.releases)]
            .filter(Boolean)
            .join(' · ')}
        </small>
      </span>
    ),
  },
  {name: 'count', title: t('errors.count'), isNumber: true, show: (problem) => whole(problem.count)},
  {name: 'visitors', title: t('errors.visitors'), isNumber: true, show: (problem) => whole(problem.visitors)},
  {name: 'last', title: t('errors.last'), show: (problem) => <Moment at={problem.last_seen} />},
  {name: 'first', title: t('errors.first'), show: (problem) => <Moment at={problem.first_seen} />},
  {name: 'browsers', title: t('errors.browsers'), show: (problem) => first(problem.browsers).join(', ')},
  {name: 'pages', title: t('errors.pages'), isNumber: true, show: (problem) => whole(problem.pages.length)},
];

const List = ({data, site}) =>
  data.problems.length ? (
    <>
      <Table caption={t('view.errors')} columns={columns()} rows={data.problems} keyOf={({group}) => group} />
      {data.groups > data.problems.length && (
        <p class="soft">{t('errors.more', {count: whole(data.problems.length), all: whole(data.groups)})}</p>
      )}
    </>
  ) : (
    <Empty title={t('errors.empty')} hint={t('errors.empty_hint', {site})} />
  );

const titleOf = ({errors, groups}) =>
  t('errors.title', {errors: t('errors.of', {count: errors}), groups: t('errors.groups', {count: groups})});

export const View = ({place}) => {
  const limit = place.id ? LIMIT_OF_ONE : LIMIT;
  const answer = useAnswer('/api/v1/errors', toReport(useQuestion(), {limit}));
  if (place.id) {
    return (
      <Answered answer={answer} rows={8}>
        {({problems}) => <Problem problem={problems.find(({group}) => group === place.id)} />}
      </Answered>
    );
  }
  return (
    <>
      <Title extra={<a href={toView('sessions', {with: 'error'})}>{t('errors.all_sessions')}</a>}>
        {t('view.errors')}
      </Title>
      <Panel title={answer.data ? titleOf(answer.data) : t('view.errors')}>
        <Answered answer={answer} rows={8}>
          {(data) => <List data={data} site={place.site} />}
        </Answered>
      </Panel>
    </>
  );
};
