/** One account, for admins. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {go, toAdmin} from '../../app/place.js';
import {useSession} from '../../app/session.js';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';
import {absolute} from '../settings/frames.js';
import {Logins} from './Logins.jsx';
import {Roles, chosenRoles} from './Roles.jsx';
import {Mark, Once, TypedConfirm, attempt} from './shared.jsx';

const Rights = ({user, reload}) => {
  const {sites} = useSession();
  const save = async ({email, is_admin: isAdmin, disabled, ...values}) => {
    const body = {email: email.trim(), is_admin: isAdmin, disabled, roles: chosenRoles(values, user.roles)};
    await send('PATCH', at`/api/v1/users/${user.id}`, body);
    say(t('state.saved'));
    reload();
  };
  return (
    <Panel title={t('users.rights')}>
      <Form onSend={save}>
        <Field label={t('users.email')} name="email" type="email" defaultValue={user.email} maxLength={254} />
        <Check
          label={t('users.make_admin')}
          help={t('users.make_admin_help')}
          name="is_admin"
          defaultChecked={user.is_admin}
        />
        <Check
          label={t('users.make_disabled')}
          help={t('users.make_disabled_help')}
          name="disabled"
          defaultChecked={user.disabled}
        />
        <Roles sites={sites} roles={user.roles} />
      </Form>
    </Panel>
  );
};

const Access = ({user, reload}) => {
  const [link, setLink] = useState(null);
  const invite = () => attempt(async () => setLink(await send('POST', at`/api/v1/users/${user.id}/invitation`)));
  const noFactor = () =>
    attempt(() => send('DELETE', at`/api/v1/users/${user.id}/totp`), t('users.factor_off')).then(reload);
  return (
    <Panel title={t('users.access')}>
      <p>
        {user.has_password ? t('users.has_password') : t('users.has_no_password')}{' '}
        {user.second_factor && <Mark kind="good">{t('users.second_factor')}</Mark>}
      </p>
      <p class="actions start">
        <button type="button" class="button" onClick={invite}>
          {t('users.invite')}
        </button>
        {user.second_factor && (
          <button type="button" class="button" onClick={noFactor}>
            {t('users.no_factor')}
          </button>
        )}
      </p>
      {link && (
        <Once
          title={t('users.invitation', {name: user.username})}
          hint={t('users.invitation_hint')}
          texts={[[t('users.link'), absolute(link.link)]]}
          onClose={() => setLink(null)}
        />
      )}
    </Panel>
  );
};

const WhereLoggedIn = ({user}) => {
  const path = at`/api/v1/users/${user.id}/logins`;
  const answer = useAnswer(path, {}, {isKept: false});
  const end = () => attempt(() => send('DELETE', path), t('logins.all_ended')).then(answer.reload);
  return (
    <Panel
      title={t('logins.title')}
      extra={
        answer.data?.logins.length > 0 && (
          <button type="button" class="button" onClick={end}>
            {t('logins.end_all')}
          </button>
        )
      }
    >
      <Answered answer={answer} rows={2}>
        {({logins}) => (logins.length ? <Logins logins={logins} /> : <Empty title={t('logins.none')} />)}
      </Answered>
    </Panel>
  );
};

const Removal = ({user}) => {
  const [isAsking, setAsking] = useState(false);
  const remove = async () => {
    await send('DELETE', at`/api/v1/users/${user.id}`);
    say(t('users.removed', {name: user.username}));
    go(toAdmin('users'));
  };
  return (
    <Panel title={t('users.remove')}>
      <p>{t('users.remove_hint')}</p>
      <p class="actions start">
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          {t('users.remove')} …
        </button>
      </p>
      {isAsking && (
        <TypedConfirm
          title={t('users.remove')}
          text={t('users.remove_hint')}
          word={user.username}
          yes={t('users.remove')}
          onYes={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </Panel>
  );
};

export const OneUser = ({id}) => {
  const answer = useAnswer(at`/api/v1/users/${id}`, {}, {isKept: false});
  return (
    <>
      <Title extra={<a href={toAdmin('users')}>{t('users.all')}</a>}>{answer.data?.username ?? t('view.users')}</Title>
      <Answered answer={answer}>
        {(user) => (
          <>
            <p class="soft">{t('users.made', {made: moment(user.created_at), seen: moment(user.seen_at)})}</p>
            <Rights key={JSON.stringify(user.roles)} user={user} reload={answer.reload} />
            <Access user={user} reload={answer.reload} />
            <WhereLoggedIn user={user} />
            <Removal user={user} />
          </>
        )}
      </Answered>
    </>
  );
};
