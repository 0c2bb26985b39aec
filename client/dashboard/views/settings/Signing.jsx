/** Public keys with which programs and apps sign what they ask, and a pair for an app. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {may} from '../../app/session.js';
import {Confirm, Dialog} from '../../ui/dialog.jsx';
import {Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {say} from '../../ui/toast.jsx';
import {Choice, attempt} from '../admin/shared.jsx';

const columns = (onRevoke) => [
  {name: 'name', title: t('keys.name'), show: ({name}) => name},
  {name: 'id', title: t('signing.id'), show: ({id}) => <code>{id}</code>},
  {name: 'may', title: t('keys.may'), show: ({scope}) => t(`scope.${scope}`)},
  {name: 'made', title: t('share.made_at'), show: ({created_at: made}) => moment(made)},
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

const Register = ({path, onDone, onClose}) => {
  const register = async ({name, public_key: key, scope}) => {
    await send('POST', path, {name: name.trim(), public_key: key.trim().toLowerCase(), scope});
    say(t('signing.registered'));
    onDone();
  };
  return (
    <Dialog title={t('signing.register')} onClose={onClose}>
      <Form onSend={register} submit={t('signing.register')}>
        <Field label={t('keys.name')} help={t('keys.name_help')} name="name" required maxLength={64} />
        <Field
          label={t('signing.public_key')}
          help={t('signing.public_key_help')}
          name="public_key"
          required
          minLength={64}
          maxLength={64}
          spellcheck={false}
          autocomplete="off"
        />
        <Choice
          label={t('keys.may')}
          name="scope"
          options={['read', 'admin'].map((scope) => [scope, t(`scope.${scope}`)])}
          chosen="read"
        />
      </Form>
    </Dialog>
  );
};

/** The page makes the pair: its key is shown there, once, and kept nowhere. */
const Pairing = ({site, hasKeys}) => (
  <Panel title={t('signing.pair')}>
    <p>{t('signing.pair_hint')}</p>
    {hasKeys && <p class="warn-text">{t('signing.pair_replaces')}</p>}
    <p class="actions start">
      <a
        class="button"
        href={`/pair/${encodeURIComponent(site)}${hasKeys ? '?force=true' : ''}`}
        target="_blank"
        rel="noopener"
      >
        {t('signing.pair_open')}
      </a>
    </p>
  </Panel>
);

export const Signing = ({site}) => {
  const path = at`/api/v1/sites/${site.name}/signing-keys`;
  const answer = useAnswer(path, {}, {isKept: false});
  const [isAdding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState(null);
  const revoke = async () => {
    await attempt(() => send('DELETE', `${path}/${doomed.id}`), t('keys.revoked', {name: doomed.name}));
    setDoomed(null);
    answer.reload();
  };
  const onDone = () => {
    setAdding(false);
    answer.reload();
  };
  return (
    <>
      <Panel
        title={t('settings.signing')}
        extra={
          <button type="button" class="button primary" onClick={() => setAdding(true)}>
            <Icon name="plus" size={16} /> {t('signing.register')}
          </button>
        }
      >
        <p class="soft">{t('signing.hint')}</p>
        <Answered answer={answer} rows={3}>
          {({signing_keys: keys}) =>
            keys.length ? (
              <Table caption={t('settings.signing')} columns={columns(setDoomed)} rows={keys} keyOf={({id}) => id} />
            ) : (
              <Empty title={t('signing.none')} hint={t('signing.none_hint')} />
            )
          }
        </Answered>
      </Panel>
      {may('admin') && answer.data && <Pairing site={site.name} hasKeys={answer.data.signing_keys.length > 0} />}
      {isAdding && <Register path={path} onDone={onDone} onClose={() => setAdding(false)} />}
      {doomed && (
        <Confirm
          title={t('keys.revoke_one', {name: doomed.name})}
          text={t('signing.revoke_hint')}
          yes={t('keys.revoke')}
          onYes={revoke}
          onClose={() => setDoomed(null)}
        />
      )}
    </>
  );
};
