/** Which role somebody has on each site. */
import {t} from '../../app/i18n.js';
import {Choice} from './shared.jsx';

const PREFIX = 'role:';

export const roleOptions = () => [
  ['', t('role.none')],
  ['viewer', t('role.viewer')],
  ['owner', t('role.owner')],
];

/** Fields for the sites; `chosenRoles` reads them from the values of the form. */
export const Roles = ({sites, roles}) => (
  <fieldset class="boxed">
    <legend>{t('users.roles')}</legend>
    <p class="soft">{t('users.roles_help')}</p>
    <div class="role-fields">
      {sites.map(({name}) => (
        <Choice key={name} label={name} name={PREFIX + name} options={roleOptions()} chosen={roles[name] ?? ''} />
      ))}
    </div>
  </fieldset>
);

/** Returns {site: role}; with `before` those that are other than there, null for a role that is taken away. */
export const chosenRoles = (values, before) => {
  const chosen = Object.entries(values)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, role]) => [name.slice(PREFIX.length), role || null]);
  return Object.fromEntries(chosen.filter(([site, role]) => (before ? (before[site] ?? null) !== role : role)));
};
