/** Everybody with an account: a list, or one of them at /admin/users/{id}. */
import {useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {send} from '../../app/api.js';
import {NONE, moment} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toAdmin} from '../../app/place.js';
import {useSession} from '../../app/session.js';
import {Dialog} from '../../ui/dialog.jsx';
import {Check, Field, Form} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';
import {Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {Table} from '../../ui/table.jsx';
import {absolute} from '../settings/frames.js';
import {OneUser} from './OneUser.jsx';
import {Roles, chosenRoles} from './Roles.jsx';
import {Mark, Once} from './shared.jsx';

const State = ({user}) => (
  <span class="state-marks">
    {user.disabled && <Mark kind="bad">{t('users.disabled')}</Mark>}
    {!user.has_password && !user.disabled && <Mark kind="warn">{t('users.no_password')}</Mark>}
    {user.second_factor && <Mark kind="good">{t('users.second_factor')}</Mark>}
    {user.has_password && !user.disabled && !user.second_factor && <Mark>{t('users.active')}</Mark>}
  </span>
);

const rightsOf = ({is_admin: isAdmin, roles}) =>
  isAdmin
    ? t('users.admin')
    : Object.entries(roles)
        .map(([site, role]) => `${site} (${t(`role.${role}`)})`)
        .join(', ') || NONE;

const columns = () => [
  {
    name: 'name',
    title: t('users.name'),
    show: ({id, username, email}) => (
      <>
        <a href={toAdmin('users', {id})}>{username}</a> {email && <small>{email}</small>}
      </>
    ),
  },
  {name: 'rights', title: t('users.rights'), show: rightsOf},
  {name: 'state', title: t('users.state'), show: (user) => <State user={user} />},
  {name: 'seen', title: t('users.seen'), show: ({seen_at: seen}) => moment(seen)},
];

const AddUser = ({onMade, onClose}) => {
  const {sites} = useSession();
  const [isAdmin, setAdmin] = useState(false);
  const add = async ({username, email, ...values}) => {
    const body = {username: username.trim(), email: email.trim(), is_admin: isAdmin};
    if (!isAdmin) body.roles = chosenRoles(values);
    onMade(await send('POST', '/api/v1/users', body));
  };
  return (
    <Dialog title={t('users.add')} onClose={onClose}>
      <p class="soft">{t('users.add_hint')}</p>
      <Form onSend={add} submit={t('users.add')}>
        <Field label={t('users.username')} name="username" required maxLength={64} autocapitalize="none" />
        <Field label={t('users.email')} help={t('users.email_help')} name="email" type="email" maxLength={254} />
        <Check
          label={t('users.make_admin')}
          help={t('users.make_admin_help')}
          checked={isAdmin}
          onChange={({target}) => setAdmin(target.checked)}
        />
        {!isAdmin && <Roles sites={sites} roles={{}} />}
      </Form>
    </Dialog>
  );
};

const List = () => {
  const answer = useAnswer('/api/v1/users', {}, {isKept: false});
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState(null);
  const onMade = (user) => {
    setAdding(false);
    setMade(user);
    answer.reload();
  };
  return (
    <>
      <Title
        extra={
          <button type="button" class="button primary" onClick={() => setAdding(true)}>
            <Icon name="plus" size={16} /> {t('users.add')}
          </button>
        }
      >
        {t('view.users')}
      </Title>
      <section class="panel">
        <Answered answer={answer}>
          {({users}) => <Table caption={t('view.users')} columns={columns()} rows={users} keyOf={({id}) => id} />}
        </Answered>
      </section>
      {isAdding && <AddUser onMade={onMade} onClose={() => setAdding(false)} />}
      {made?.invitation && (
        <Once
          title={t('users.invitation', {name: made.user.username})}
          hint={t('users.invitation_hint')}
          texts={[[t('users.link'), absolute(made.invitation.link)]]}
          onClose={() => setMade(null)}
        />
      )}
    </>
  );
};

export const View = ({place}) => (place.id ? <OneUser key={place.id} id={place.id} /> : <List />);
