/** One problem: where and how often, its stack, and the sessions that met it. */
import {moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Address} from '../sessions/parts.jsx';

const Back = () => <a href={toView('errors')}>{t('errors.back')}</a>;

const Facts = ({problem}) => (
  <dl class="person-facts">
    <div>
      <dt>{t('errors.count')}</dt>
      <dd>{whole(problem.count)}</dd>
    </div>
    <div>
      <dt>{t('errors.visitors')}</dt>
      <dd>{whole(problem.visitors)}</dd>
    </div>
    <div>
      <dt>{t('errors.first')}</dt>
      <dd>{moment(problem.first_seen)}</dd>
    </div>
    <div>
      <dt>{t('errors.last')}</dt>
      <dd>{moment(problem.last_seen)}</dd>
    </div>
    {problem.source && (
      <div>
        <dt>{t('errors.where')}</dt>
        <dd>
          {problem.source}:{problem.line}:{problem.column}
        </dd>
      </div>
    )}
  </dl>
);

const Parts = ({title, parts, show = ({value}) => value || t('value.unknown'), hint}) => (
  <Panel title={title}>
    {parts.length > 0 && (
      <Table
        caption={title}
        columns={[
          {name: 'value', title: t('errors.value'), show},
          {name: 'count', title: t('errors.count'), isNumber: true, show: ({count}) => whole(count)},
        ]}
        rows={parts}
        keyOf={({value}) => value}
      />
    )}
    {hint && parts.length === 0 && <p class="soft">{hint}</p>}
  </Panel>
);

const Sessions = ({ids}) =>
  ids.length ? (
    <a class="button primary" href={toView('sessions', {ids: ids.join(',')})}>
      {t('errors.sessions', {count: ids.length})}
    </a>
  ) : (
    <p class="soft">{t('errors.no_sessions')}</p>
  );

/** `problem` is undefined where the days have none of that group. */
export const Problem = ({problem}) => {
  if (!problem) {
    return (
      <>
        <Title extra={<Back />}>{t('errors.one')}</Title>
        <Empty title={t('errors.gone')} hint={t('errors.gone_hint')} />
      </>
    );
  }
  return (
    <>
      <Title extra={<Back />}>
        <span class="address-text">{problem.message || t('value.none')}</span>
      </Title>
      <Panel title={t('errors.one')} extra={<Sessions ids={problem.sessions} />}>
        <Facts problem={problem} />
      </Panel>
      <Panel title={t('errors.stack')}>
        {problem.stack ? (
          // A box that scrolls must be reachable by keyboard.
          <pre tabIndex={0}>{problem.stack.split(' | ').join('\n')}</pre>
        ) : (
          <p class="soft">{t('errors.no_stack')}</p>
        )}
      </Panel>
      <div class="grid">
        <Parts title={t('errors.pages')} parts={problem.pages} show={({value}) => <Address address={value} />} />
        <Parts title={t('errors.browsers')} parts={problem.browsers} />
        <Parts title={t('errors.releases')} parts={problem.releases} hint={t('errors.release_hint')} />
      </div>
    </>
  );
};
