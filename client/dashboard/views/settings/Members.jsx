/** Who has a role on a site. */
import {useAnswer} from '../../app/answers.js';
import {at, send} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {toAdmin} from '../../app/place.js';
import {may} from '../../app/session.js';
import {Field, Form} from '../../ui/form.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {say} from '../../ui/toast.jsx';
import {Choice, attempt} from '../admin/shared.jsx';

const options = () => ['viewer', 'owner'].map((role) => [role, t(`role.${role}`)]);

export const Members = ({site}) => {
  const path = at`/api/v1/sites/${site.name}/members`;
  const answer = useAnswer(path, {}, {isKept: false});
  const one = (username) => `${path}/${encodeURIComponent(username)}`;
  const add = async ({username, role}, form) => {
    await send('PUT', one(username.trim()), {role});
    form.reset();
    say(t('members.added', {name: username.trim()}));
    answer.reload();
  };
  const change = (username, role) =>
    attempt(() => send('PUT', one(username), {role}), t('state.saved')).then(answer.reload);
  const remove = (username) =>
    attempt(() => send('DELETE', one(username)), t('members.removed', {name: username})).then(answer.reload);
  const columns = [
    {name: 'name', title: t('users.name'), show: ({username}) => username},
    {
      name: 'role',
      title: t('members.role'),
      show: ({username, role}) => (
        <select
          aria-label={t('members.role_of', {name: username})}
          onChange={({target}) => change(username, target.value)}
        >
          {options().map(([value, text]) => (
            <option key={value} value={value} selected={value === role}>
              {text}
            </option>
          ))}
        </select>
      ),
    },
    {
      name: 'remove',
      title: '',
      show: ({username}) => (
        <button
          type="button"
          class="button"
          aria-label={t('members.remove_one', {name: username})}
          onClick={() => remove(username)}
        >
          {t('members.remove')}
        </button>
      ),
    },
  ];
  return (
    <>
      <Panel title={t('settings.members')}>
        <p class="soft">{t('members.hint')}</p>
        <Answered answer={answer} rows={3}>
          {({members}) =>
            members.length ? (
              <Table
                caption={t('settings.members')}
                columns={columns}
                rows={members}
                keyOf={({username}) => username}
              />
            ) : (
              <Empty title={t('members.none')} hint={t('members.none_hint')} />
            )
          }
        </Answered>
      </Panel>
      <Panel title={t('members.add')}>
        <Form onSend={add} submit={t('members.add')}>
          <div class="field-columns">
            <Field label={t('members.username')} name="username" required autocapitalize="none" spellcheck={false} />
            <Choice label={t('members.role')} name="role" options={options()} chosen="viewer" />
          </div>
        </Form>
        {may('admin') && (
          <p class="soft">
            {t('members.new_one')} <a href={toAdmin('users')}>{t('view.users')}</a>
          </p>
        )}
      </Panel>
    </>
  );
};
