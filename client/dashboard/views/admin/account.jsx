/** One's own account. */
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {LANGUAGES, setLanguage, t, useLanguage} from '../../app/i18n.js';
import {loadSession, useSession} from '../../app/session.js';
import {THEMES, setTheme, useTheme} from '../../app/theme.js';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Panel, Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';
import {Logins} from './Logins.jsx';
import {SecondFactor} from './SecondFactor.jsx';
import {Choice, attempt} from './shared.jsx';

const Email = ({me}) => {
  const save = async ({email}) => {
    await send('PATCH', '/api/v1/me', {email: email.trim()});
    await loadSession();
    say(t('state.saved'));
  };
  return (
    <Panel title={t('account.email')}>
      <Form onSend={save}>
        <Field
          label={t('users.email')}
          help={t('users.email_help')}
          name="email"
          type="email"
          autocomplete="email"
          maxLength={254}
          defaultValue={me.email}
        />
      </Form>
    </Panel>
  );
};

const Password = ({me}) => {
  const save = async ({old, new: chosen, revoke_keys: isRevoking}, form) => {
    const {keys_left: left, keys_revoked: revoked} = await send('POST', '/api/v1/me/password', {
      old,
      new: chosen,
      revoke_keys: isRevoking,
    });
    form.reset();
    await loadSession();
    say(revoked ? t('account.password_set_revoked', {count: revoked}) : t('account.password_set', {count: left}));
  };
  return (
    <Panel title={t('account.password')}>
      <p class="soft">{t('account.password_hint')}</p>
      <Form onSend={save} submit={t('account.password_change')}>
        <input hidden type="text" autocomplete="username" value={me.username} readOnly />
        <Field label={t('account.old')} name="old" type="password" autocomplete="current-password" required />
        <Field
          label={t('account.new')}
          help={t('account.new_help')}
          name="new"
          type="password"
          autocomplete="new-password"
          required
        />
        <Check label={t('account.revoke_keys')} help={t('account.revoke_keys_help')} name="revoke_keys" />
      </Form>
    </Panel>
  );
};

const OwnLogins = () => {
  const answer = useAnswer('/api/v1/me/logins', {}, {isKept: false});
  const end = async (login) => {
    const isDone = await attempt(() => send('DELETE', at`/api/v1/me/logins/${login.id}`), t('logins.ended'));
    if (isDone && login.present) location.assign('/login');
    else answer.reload();
  };
  return (
    <Panel title={t('logins.title')}>
      <Answered answer={answer} rows={3}>
        {({logins}) => <Logins logins={logins} onEnd={end} />}
      </Answered>
    </Panel>
  );
};

const Looks = () => {
  const {code} = useLanguage();
  const theme = useTheme();
  return (
    <Panel title={t('account.looks')}>
      <div class="field-columns">
        <Choice
          label={t('language.title')}
          options={Object.entries(LANGUAGES).map(([one, {name}]) => [one, name])}
          chosen={code}
          onChange={({target}) => setLanguage(target.value)}
        />
        <Choice
          label={t('theme.title')}
          options={THEMES.map((name) => [name, t(`theme.${name}`)])}
          chosen={theme}
          onChange={({target}) => setTheme(target.value)}
        />
      </div>
    </Panel>
  );
};

export const View = () => {
  const {me} = useSession();
  return (
    <>
      <Title>{t('view.account')}</Title>
      <p class="soft">
        {me.is_admin ? t('account.admin', {name: me.username}) : t('account.user', {name: me.username})}
      </p>
      <div class="grid">
        <Email me={me} />
        <Looks />
        {me.has_password && <Password me={me} />}
        <SecondFactor me={me} />
      </div>
      <OwnLogins />
    </>
  );
};
