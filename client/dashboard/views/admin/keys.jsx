/** API keys: one's own, and those of one's sites. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {may, useSession} from '../../app/session.js';
import {Confirm, Dialog} from '../../ui/dialog.jsx';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {Choice, Mark, Once, attempt, terms} from './shared.jsx';

const SCOPES = ['read', 'ingest', 'admin'];

const isOver = ({expires_at: ends}) => Boolean(ends) && new Date(ends) < Date.now();

const columns = (me, onRevoke) => [
  {
    name: 'name',
    title: t('keys.name'),
    show: (key) => (
      <>
        {key.name} {isOver(key) && <Mark kind="bad">{t('keys.over')}</Mark>}
        {key.user && key.user !== me.id && <small>{t('keys.of_other')}</small>}
        {!key.user && <small>{t('keys.of_server')}</small>}
      </>
    ),
  },
  {name: 'scopes', title: t('keys.may'), show: ({scopes}) => scopes.map((scope) => t(`scope.${scope}`)).join(', ')},
  {name: 'site', title: t('keys.site'), show: ({site}) => site ?? t('keys.every_site')},
  {name: 'ends', title: t('keys.ends'), show: ({expires_at: ends}) => (ends ? moment(ends) : t('admin.term.ever'))},
  {name: 'used', title: t('keys.used'), show: ({last_used_at: used}) => (used ? moment(used) : t('keys.never'))},
  {
    name: 'revoke',
    title: '',
    show: (key) => (
      <button
        type="button"
        class="button"
        aria-label={t('keys.revoke_one', {name: key.name})}
        onClick={() => onRevoke(key)}
      >
        {t('keys.revoke')}
      </button>
    ),
  },
];

const MakeKey = ({onMade, onClose}) => {
  const {sites, me} = useSession();
  const mine = sites.filter(({name}) => me.is_admin || me.roles[name]);
  const make = async ({name, site, expires_in: ends, ...chosen}) => {
    const scopes = SCOPES.filter((scope) => chosen[scope]);
    if (!scopes.length) throw new Error(t('keys.no_scope'));
    onMade(
      await send('POST', '/api/v1/keys', {name: name.trim(), scopes, site: site || null, expires_in: ends || null}),
    );
  };
  return (
    <Dialog title={t('keys.make')} onClose={onClose}>
      <Form onSend={make} submit={t('keys.make')}>
        <Field label={t('keys.name')} help={t('keys.name_help')} name="name" required maxLength={64} />
        <fieldset class="boxed">
          <legend>{t('keys.may')}</legend>
          {SCOPES.map((scope) => (
            <Check
              key={scope}
              name={scope}
              label={t(`scope.${scope}`)}
              help={t(`scope.${scope}_help`)}
              defaultChecked={scope === 'read'}
            />
          ))}
        </fieldset>
        <Choice
          label={t('keys.site')}
          name="site"
          options={[['', t('keys.every_site')], ...mine.map(({name}) => [name, name])]}
          chosen={may('admin') ? '' : mine[0]?.name}
        />
        <Choice label={t('keys.good_for')} name="expires_in" options={terms()} chosen="90d" />
      </Form>
    </Dialog>
  );
};

export const View = () => {
  const {me} = useSession();
  const answer = useAnswer('/api/v1/keys', {}, {isKept: false});
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const [doomed, setDoomed] = useState(null);
  const revoke = async () => {
    await attempt(() => send('DELETE', at`/api/v1/keys/${doomed.id}`), t('keys.revoked', {name: doomed.name}));
    setDoomed(null);
    answer.reload();
  };
  const onMade = (key) => {
    setMaking(false);
    setMade(key);
    answer.reload();
  };
  return (
    <>
      <Title
        extra={
          <button type="button" class="button primary" onClick={() => setMaking(true)}>
            <Icon name="plus" size={16} /> {t('keys.make')}
          </button>
        }
      >
        {t('view.keys')}
      </Title>
      <p class="soft">{t('keys.lead')}</p>
      <section class="panel">
        <Answered answer={answer}>
          {({keys}) =>
            keys.length ? (
              <Table caption={t('view.keys')} columns={columns(me, setDoomed)} rows={keys} keyOf={({id}) => id} />
            ) : (
              <Empty title={t('keys.none')} hint={t('keys.none_hint')} />
            )
          }
        </Answered>
      </section>
      {isMaking && <MakeKey onMade={onMade} onClose={() => setMaking(false)} />}
      {made && (
        <Once
          title={t('keys.made', {name: made.name})}
          texts={[[t('keys.key'), made.key]]}
          onClose={() => setMade(null)}
        />
      )}
      {doomed && (
        <Confirm
          title={t('keys.revoke_one', {name: doomed.name})}
          text={t('keys.revoke_hint')}
          yes={t('keys.revoke')}
          onYes={revoke}
          onClose={() => setDoomed(null)}
        />
      )}
    </>
  );
};
