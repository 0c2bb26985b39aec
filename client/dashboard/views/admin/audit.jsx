/** The audit log: who changed what, filtered by site, person, kind of change and days. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {get} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {hasText, t} from '../../app/i18n.js';
import {go, withParams} from '../../app/place.js';
import {may, useSession} from '../../app/session.js';
import {Field, valuesOf} from '../../ui/form.jsx';
import {Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {sayTrouble} from '../../ui/toast.jsx';
import {Choice} from './shared.jsx';

const LIMIT = 100;
const NAMES = ['site', 'name', 'action', 'since', 'until'];
const KINDS = ['user.', 'login.', 'key.', 'site.', 'share.', 'signing_key.', 'visitor.', 'visit.', 'goal.', 'funnel.', 'segment.', 'annotation.', 'alert.', 'channel.', 'report.']; // prettier-ignore

const filtersOf = (params) => Object.fromEntries(NAMES.map((name) => [name, params.get(name) ?? '']));

const actionText = (action) => (hasText(`action.${action}`) ? t(`action.${action}`) : action);
const detailText = (detail) =>
  Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');

const whoText = ({who, name}) => (who === 'user' ? name : `${name} (${hasText(`who.${who}`) ? t(`who.${who}`) : who})`);

const columns = () => [
  {name: 'at', title: t('audit.at'), show: ({at}) => <time dateTime={at}>{moment(at)}</time>},
  {name: 'who', title: t('audit.who'), show: whoText},
  {
    name: 'action',
    title: t('audit.action'),
    show: ({action}) => <span title={action}>{actionText(action)}</span>,
  },
  {name: 'target', title: t('audit.target'), show: ({target}) => target},
  {name: 'site', title: t('audit.site'), show: ({site}) => site},
  {name: 'detail', title: t('audit.detail'), show: ({detail}) => <small class="detail">{detailText(detail)}</small>},
];

const Filters = ({filters, sites}) => {
  const change = (event) => go(withParams(valuesOf(event.currentTarget)), {replace: true});
  return (
    <form class="filter-row" onChange={change} onSubmit={(event) => event.preventDefault()}>
      <Choice
        label={t('audit.site')}
        name="site"
        options={[['', t('audit.any')], ...sites.map(({name}) => [name, name])]}
        chosen={filters.site}
      />
      <Choice
        label={t('audit.action')}
        name="action"
        options={[['', t('audit.any')], ...KINDS.map((kind) => [kind, t(`audit.kind_${kind.slice(0, -1)}`)])]}
        chosen={filters.action}
      />
      <Field label={t('audit.who')} name="name" defaultValue={filters.name} autocapitalize="none" spellcheck={false} />
      <Field label={t('audit.since')} name="since" type="date" defaultValue={filters.since} />
      <Field label={t('audit.until')} name="until" type="date" defaultValue={filters.until} />
    </form>
  );
};

const Lines = ({first, filters}) => {
  const [more, setMore] = useState([]);
  const [isBusy, setBusy] = useState(false);
  const lines = [...first, ...more];
  const isMore = lines.length > 0 && lines.length % LIMIT === 0;
  const load = async () => {
    setBusy(true);
    try {
      const found = await get('/api/v1/audit', {...filters, limit: LIMIT, before: lines.at(-1).id});
      setMore([...more, ...found.lines]);
    } catch (error) {
      sayTrouble(error);
    }
    setBusy(false);
  };
  if (!lines.length) return <Empty title={t('audit.none')} hint={t('audit.none_hint')} />;
  return (
    <>
      <Table caption={t('view.audit')} columns={columns()} rows={lines} keyOf={({id}) => id} />
      {isMore && (
        <p class="actions">
          <button type="button" class="button" aria-disabled={isBusy} onClick={load}>
            {t('audit.more')}
          </button>
        </p>
      )}
    </>
  );
};

export const View = ({place}) => {
  const {sites} = useSession();
  const filters = filtersOf(place.params);
  const answer = useAnswer('/api/v1/audit', {...filters, limit: LIMIT}, {isKept: false});
  const own = sites.filter(({name}) => may('manage', name));
  return (
    <>
      <Title>{t('view.audit')}</Title>
      <p class="soft">{t('audit.lead')}</p>
      <section class="panel">
        <Filters filters={filters} sites={own} />
        <Answered answer={answer} rows={10}>
          {({lines}) => <Lines key={JSON.stringify(filters) + lines[0]?.id} first={lines} filters={filters} />}
        </Answered>
      </section>
    </>
  );
};
