/** The bar at the top: the site, and what belongs to whoever looks. */
import {Menu, MenuItem} from '../ui/menu.jsx';
import {Icon} from '../ui/icon.jsx';
import {sayTrouble} from '../ui/toast.jsx';
import {send} from './api.js';
import {LANGUAGES, setLanguage, t, useLanguage} from './i18n.js';
import {toAdmin, toView} from './place.js';
import {may} from './session.js';
import {THEMES, setTheme, useTheme} from './theme.js';

const logOut = async () => {
  try {
    await send('POST', '/api/v1/logout', {});
  } catch (error) {
    if (error.status !== 401) return sayTrouble(error); // the login goes on: nobody may believe that it ended
  }
  location.assign('/login');
};

const SiteMenu = ({place, session}) => (
  <Menu label={place.site || t('nav.sites')} title={t('nav.choose_site')} class="site-menu" icon="globe">
    {session.sites.map(({name, hostnames}) => (
      <MenuItem
        key={name}
        href={toView(place.area === 'site' ? place.view : 'overview', {site: name})}
        isChosen={name === place.site}
        note={hostnames[0]}
      >
        {name}
      </MenuItem>
    ))}
    {may('known') && <MenuItem href={toAdmin('sites')}>{t('nav.all_sites')}</MenuItem>}
  </Menu>
);

const ThemeMenu = () => {
  const theme = useTheme();
  return (
    <Menu title={t('theme.title')} icon={theme === 'dark' ? 'moon' : 'sun'} isQuiet>
      {THEMES.map((name) => (
        <MenuItem key={name} isChosen={name === theme} onPick={() => setTheme(name)}>
          {t(`theme.${name}`)}
        </MenuItem>
      ))}
    </Menu>
  );
};

const LanguageMenu = () => {
  const {code} = useLanguage();
  return (
    <Menu title={t('language.title')} label={code.toUpperCase()} isQuiet>
      {Object.entries(LANGUAGES).map(([one, {name}]) => (
        <MenuItem key={one} isChosen={one === code} onPick={() => setLanguage(one)}>
          {name}
        </MenuItem>
      ))}
    </Menu>
  );
};

const UserMenu = ({me}) => {
  if (me.kind !== 'user') {
    if (me.kind === 'share') return null;
    return (
      <a class="button" href={me.set_up ? '/login' : '/setup'}>
        {me.set_up ? t('nav.log_in') : t('nav.set_up')}
      </a>
    );
  }
  return (
    <Menu label={me.username} title={t('nav.account')} icon="user" isQuiet>
      <MenuItem href={toAdmin('account')}>{t('view.account')}</MenuItem>
      <MenuItem href={toAdmin('keys')}>{t('view.keys')}</MenuItem>
      <MenuItem href="/docs">{t('nav.api')}</MenuItem>
      <MenuItem onPick={logOut}>{t('nav.log_out')}</MenuItem>
    </Menu>
  );
};

export const Header = ({place, session}) => (
  <header class="top">
    <a class="brand" href="/" aria-label={t('nav.home')}>
      <Icon name="logo" />
      <span class="brand-name">Visitor Tracker</span>
    </a>
    <SiteMenu place={place} session={session} />
    <div class="top-end">
      <LanguageMenu />
      <ThemeMenu />
      <UserMenu me={session.me} />
    </div>
  </header>
);
