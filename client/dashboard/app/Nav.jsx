/** The list of views: a column on wide screens, behind a button on narrow ones. */
import {useEffect, useState} from 'preact/hooks';
import {Icon} from '../ui/icon.jsx';
import {t} from './i18n.js';
import {useShortcuts} from './keys.js';
import {go, toAdmin, toView} from './place.js';
import {may} from './session.js';
import {ADMIN_VIEWS, SITE_VIEWS} from './views.js';

const NavLink = ({href, name, isHere}) => (
  <li>
    <a href={href} aria-current={isHere ? 'page' : undefined}>
      <Icon name={name} /> {t(`view.${name}`)}
    </a>
  </li>
);

const visible = (views, session, site) => views.filter((view) => !view.hidden && may(view.needs, site, session));

export const Nav = ({place, session}) => {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [place]);
  const site = place.site || session.sites.find(({name}) => name !== 'default')?.name || session.sites[0]?.name || '';
  const own = site ? visible(SITE_VIEWS, session, site) : [];
  const admin = session.me.kind === 'share' ? [] : visible(ADMIN_VIEWS, session, site);
  const jumps = own.map(({name, key}) => [`g ${key}`, [t(`view.${name}`), () => go(toView(name, {site}))]]);
  useShortcuts(Object.fromEntries(jumps), [site, session, place]);
  return (
    <nav class={isOpen ? 'side open' : 'side'} aria-label={t('nav.title')}>
      <button type="button" class="side-toggle button quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name="menu" /> {t(`view.${place.view}`)}
      </button>
      <div class="side-lists">
        <ul>
          {own.map(({name}) => (
            <NavLink
              key={name}
              name={name}
              href={toView(name, {site})}
              isHere={place.area === 'site' && place.view === name}
            />
          ))}
        </ul>
        {admin.length > 0 && <h2 class="side-title">{t('nav.server')}</h2>}
        <ul>
          {admin.map(({name}) => (
            <NavLink
              key={name}
              name={name}
              href={toAdmin(name)}
              isHere={place.area === 'admin' && place.view === name}
            />
          ))}
        </ul>
      </div>
    </nav>
  );
};
