/** The frame around every view: who and which site, the navigation, the question, and what to say when something is wrong. */
import {useEffect} from 'preact/hooks';
import {ErrorBox} from '../ui/states.jsx';
import {Toasts} from '../ui/toast.jsx';
import {Header} from './Header.jsx';
import {LoadedView} from './LoadedView.jsx';
import {Nav} from './Nav.jsx';
import {PrintedHead} from './PrintedHead.jsx';
import {QuestionBar} from './QuestionBar.jsx';
import {ShortcutHelp} from './ShortcutHelp.jsx';
import {isLoggedOut} from './api.js';
import {isEmbed} from './embed.js';
import {t, useLanguage} from './i18n.js';
import {followLinks, go, toAdmin, toView, usePlace} from './place.js';
import {may, useSession} from './session.js';
import {useStore} from './store.js';
import {ADMIN_VIEWS, SITE_VIEWS} from './views.js';

/** A frame of another web site has no log-in to go to. */
const leave = () =>
  isEmbed || location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);

/** Returns where / leads: to the first site that has a name of its own, or to the list of sites. */
const start = ({site, params}, {me, sites}) => {
  const names = sites.map(({name}) => name);
  if (names.includes(site)) return toView('overview', {site});
  const own = me.kind === 'share' ? Object.keys(me.roles) : names.filter((name) => name !== 'default');
  if (names.length === 0) return toAdmin('sites');
  return toView('overview', {site: own.length === 1 ? own[0] : names[0], embed: params.get('embed')});
};

const titleOf = (place, view) => {
  const name = view ? t(`view.${view.name}`) : '';
  return [name, place.site, 'Visitor Tracker'].filter(Boolean).join(' · ');
};

const Refused = ({place, session, view}) => {
  if (!view) return <ErrorBox title={t('error.no_view')} hint={t('error.no_view_hint')} />;
  if (
    place.area === 'site' &&
    !session.sites.some(({name, aliases}) => name === place.site || aliases?.includes(place.site))
  ) {
    return <ErrorBox title={t('error.no_site', {site: place.site})} hint={t('error.no_site_hint')} />;
  }
  return <ErrorBox title={t('error.forbidden')} hint={t('error.forbidden_hint')} />;
};

const isAllowed = (place, session, view) => {
  if (!view || !may(view.needs, place.site, session)) return false;
  return (
    place.area !== 'site' ||
    session.sites.some(({name, aliases}) => name === place.site || aliases?.includes(place.site))
  );
};

const Before = ({isNobody}) =>
  isEmbed && isNobody ? (
    <ErrorBox title={t('error.no_link')} hint={t('error.no_link_hint')} />
  ) : (
    <p class="loading">{t('state.loading')}</p>
  );

/** What stands above the views of a site, on the screen and on paper. */
const Above = ({place, view, isEmbedded}) => (
  <>
    <PrintedHead place={place} isPlain={view?.plain} />
    {!view?.plain && <QuestionBar place={place} isEmbedded={isEmbedded} />}
  </>
);

export const App = () => {
  useLanguage(); // every text is rendered again when it changes
  const session = useSession();
  const place = usePlace();
  const isOut = useStore(isLoggedOut);
  const views = place.area === 'admin' ? ADMIN_VIEWS : SITE_VIEWS;
  const view = views.find(({name}) => name === place.view);
  const isNobody = session.me.kind === 'nobody' && session.sites.length === 0;
  useEffect(() => {
    if (isNobody || (isOut && session.me.kind === 'user')) leave();
    else if (place.area === 'start') go(start(place, session), {replace: true});
  }, [isNobody, isOut, place, session]);
  useEffect(() => {
    document.title = titleOf(place, view);
  }, [place, view]);
  if (isNobody || place.area === 'start') return <Before isNobody={isNobody} />;
  const isEmbedded = isEmbed || place.params.get('embed') === '1';
  return (
    <div class={isEmbedded ? 'app embedded' : 'app'} onClick={followLinks}>
      <a class="skip" href="#content">
        {t('nav.skip')}
      </a>
      {!isEmbedded && <Header place={place} session={session} />}
      <div class="columns">
        {!isEmbedded && <Nav place={place} session={session} views={views} />}
        <main id="content" tabIndex={-1}>
          {place.area === 'site' && <Above {...{place, view, isEmbedded}} />}
          {isAllowed(place, session, view) ? (
            <LoadedView key={`${place.area} ${place.site} ${view.name}`} view={view} place={place} />
          ) : (
            <Refused place={place} session={session} view={view} />
          )}
        </main>
      </div>
      <ShortcutHelp />
      <Toasts />
    </div>
  );
};
