/** The visitors of a site, the latest first. */
import {at} from '../../app/api.js';
import {ago, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {may} from '../../app/session.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {usePages} from '../sessions/pages.js';
import {shortId} from '../sessions/parts.jsx';
import {Find} from './Find.jsx';
import {PolicyNote} from './policy.jsx';

const Moment = ({at: time}) => (
  <time class="nowrap" dateTime={time} title={moment(time)}>
    {ago(time)}
  </time>
);

const columns = () => [
  {
    name: 'id',
    title: t('visitors.id'),
    show: ({id}) => (
      <a href={toView('visitors', {id})}>
        <code>{shortId(id)}</code>
      </a>
    ),
  },
  {name: 'last', title: t('visitors.last'), show: (row) => <Moment at={row.last_visit} />},
  {name: 'first', title: t('visitors.first'), show: (row) => <Moment at={row.first_visit} />},
  {name: 'visits', title: t('visitors.visits'), isNumber: true, show: (row) => whole(row.visits)},
  {name: 'note', title: t('visitors.note'), show: (row) => <span class="person-note">{row.note}</span>},
];

export const List = ({place}) => {
  const {site} = place;
  const pages = usePages(at`/api/v1/sites/${site}/visitors`, {limit: 50}, 'visitors');
  return (
    <>
      <Title>{t('view.visitors')}</Title>
      <PolicyNote site={site} />
      <Panel title={t('visitors.latest')}>
        <Answered answer={pages.answer} rows={10}>
          {() =>
            pages.rows.length ? (
              <Table caption={t('visitors.latest')} columns={columns()} rows={pages.rows} keyOf={({id}) => id} />
            ) : (
              <Empty title={t('visitors.empty')} hint={t('visitors.empty_hint')} />
            )
          }
        </Answered>
        {pages.cursor && (
          <p class="list-more">
            <button type="button" class="button" onClick={() => !pages.isMore && pages.more()}>
              {t(pages.isMore ? 'state.loading' : 'visitors.more')}
            </button>
          </p>
        )}
      </Panel>
      {may('manage', site) && <Find site={site} onErased={pages.answer.reload} />}
    </>
  );
};
