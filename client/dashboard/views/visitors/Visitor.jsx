/** One visitor: the record, a note, the visits; for owners export and erasure. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, request, send} from '../../app/api.js';
import {duration, moment, whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toView} from '../../app/place.js';
import {may} from '../../app/session.js';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {say, sayTrouble} from '../../ui/toast.jsx';
import {usePages} from '../sessions/pages.js';
import {Place, shortId} from '../sessions/parts.jsx';
import {Erase} from './Erase.jsx';
import {PolicyNote} from './policy.jsx';
import {keepFile} from './download.js';

const PATHS_SHOWN = 20;

const Fact = ({name, children}) =>
  children ? (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  ) : null;

const known = (text) => (text && text !== 'Unknown' ? text : '');

const Paths = ({paths}) => (
  <details>
    <summary>{t('visitors.paths')}</summary>
    <ul class="person-paths">
      {paths.slice(0, PATHS_SHOWN).map((path) => (
        <li key={path}>
          <code>{path.replace(/^GET /, '')}</code>
        </li>
      ))}
    </ul>
    {paths.length > PATHS_SHOWN && <p>{t('visitors.paths_more', {count: whole(paths.length - PATHS_SHOWN)})}</p>}
  </details>
);

/** The record that visitor-tracking middleware knows: of an address where the policy keeps one, else of the hash. */
const Record = ({site, visitor, address}) => {
  const {data} = useAnswer(address ? at`/v1/monitoring/visitors/${address}` : null, {site_id: site});
  const record = data && !data.error ? data : null;
  return (
    <>
      <dl class="person-facts">
        <Fact name={t('visitors.first')}>{moment(visitor.first_visit)}</Fact>
        <Fact name={t('visitors.last')}>{moment(visitor.last_visit)}</Fact>
        <Fact name={t('visitors.visits')}>{whole(visitor.visits)}</Fact>
        {record && (
          <>
            <Fact name={t('visitors.pages')}>{whole(record.visit_count)}</Fact>
            <Fact name={t('visitors.address')}>{/[.:]/.test(record.ip) ? record.ip : ''}</Fact>
            <Fact name={t('visitors.country')}>{<Place code={record.country_code} />}</Fact>
            <Fact name={t('visitors.region')}>{known(record.region)}</Fact>
            <Fact name={t('visitors.city')}>{known(record.city)}</Fact>
            <Fact name={t('visitors.isp')}>{known(record.isp)}</Fact>
            <Fact name={t('visitors.organisation')}>{known(record.org)}</Fact>
            <Fact name={t('visitors.agents')}>{record.user_agents.join(', ')}</Fact>
          </>
        )}
      </dl>
      {record?.paths_visited.length > 0 && <Paths paths={record.paths_visited} />}
    </>
  );
};

const Note = ({site, visitor, onKept}) => {
  if (!may('manage', site)) return visitor.note ? <p>{visitor.note}</p> : null;
  const keep = async ({note}) => {
    await send('PATCH', at`/api/v1/sites/${site}/visitors/${visitor.id}`, {note});
    say(t('visitors.noted'));
    onKept();
  };
  return (
    <Form onSend={keep}>
      <Field
        label={t('visitors.note')}
        type="textarea"
        name="note"
        maxLength={1000}
        defaultValue={visitor.note}
        help={t('visitors.note_hint')}
      />
    </Form>
  );
};

const columns = () => [
  {
    name: 'began',
    title: t('visitors.began'),
    show: (visit) => (
      <a class="nowrap" href={toView('sessions', {id: visit.id})}>
        {moment(visit.started_at)}
      </a>
    ),
  },
  {name: 'source', title: t('sessions.source'), show: (visit) => visit.source},
  {name: 'agent', title: t('sessions.device'), show: (visit) => visit.user_agent},
  {
    name: 'pages',
    title: t('visitors.seen'),
    show: (visit) => <span class="path-list">{visit.pages.slice(0, 4).join(', ')}</span>,
  },
  {name: 'duration', title: t('metric.duration'), isNumber: true, show: (visit) => duration(visit.duration_seconds * 1000)}, // prettier-ignore
  {name: 'engaged', title: t('metric.engaged'), isNumber: true, show: (visit) => duration(visit.engaged_seconds * 1000)}, // prettier-ignore
];

const Actions = ({site, id, onErase}) => {
  const keep = async () => {
    const answer = await request('GET', at`/api/v1/sites/${site}/visitors/${id}/export`);
    keepFile(`visitor-${shortId(id)}.json`, await answer.text());
    say(t('visitors.exported'));
  };
  return (
    <span class="actions">
      <a href={toView('visitors')}>{t('visitors.back')}</a>
      {may('manage', site) && (
        <>
          <button type="button" class="button" onClick={() => keep().catch(sayTrouble)}>
            <Icon name="download" /> {t('visitors.export')}
          </button>
          <button type="button" class="button danger" onClick={onErase}>
            <Icon name="trash" /> {t('visitors.erase')}
          </button>
        </>
      )}
    </span>
  );
};

export const Visitor = ({place}) => {
  const {site, id} = place;
  const [isErasing, setErasing] = useState(false);
  const answer = useAnswer(at`/api/v1/sites/${site}/visitors/${id}`, undefined, {isKept: false});
  const visits = usePages(at`/api/v1/sites/${site}/visitors/${id}/visits`, {limit: 50}, 'visits');
  const address = visits.answer.data && (visits.rows[0]?.ip || id);
  return (
    <>
      <Title extra={<Actions site={site} id={id} onErase={() => setErasing(true)} />}>
        {t('visitors.one')} <code>{shortId(id)}</code>
      </Title>
      <PolicyNote site={site} />
      <Panel title={t('visitors.record')}>
        <Answered answer={answer} rows={4}>
          {(visitor) => (
            <>
              <Record site={site} visitor={visitor} address={address} />
              <Note site={site} visitor={visitor} onKept={answer.reload} />
            </>
          )}
        </Answered>
      </Panel>
      {!answer.error && (
        <Panel title={t('visitors.visits_of')}>
          <Answered answer={visits.answer} rows={5}>
            {() =>
              visits.rows.length ? (
                <Table
                  caption={t('visitors.visits_of')}
                  columns={columns()}
                  rows={visits.rows}
                  keyOf={(row) => row.id}
                />
              ) : (
                <Empty title={t('visitors.no_visits')} />
              )
            }
          </Answered>
          {visits.cursor && (
            <p class="list-more">
              <button type="button" class="button" onClick={() => !visits.isMore && visits.more()}>
                {t('visitors.more')}
              </button>
            </p>
          )}
        </Panel>
      )}
      {isErasing && (
        <Erase
          site={site}
          subject={{visitor: id}}
          onClose={() => setErasing(false)}
          onErased={() => go(toView('visitors'))}
        />
      )}
    </>
  );
};
