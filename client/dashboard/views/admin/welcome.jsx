/** The first steps after the first account: add a site, put the snippet into its pages, see the first visit come. */
import {useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {go, toAdmin, toView} from '../../app/place.js';
import {may, useSession} from '../../app/session.js';
import {Panel, Title} from '../../ui/panel.jsx';
import {FirstVisit} from './FirstVisit.jsx';
import {Choice} from './shared.jsx';
import {SiteForm} from './SiteForm.jsx';
import {Snippet} from './Snippet.jsx';

const toSite = (site) => go(toAdmin('welcome', {site}));

const AddOrChoose = ({sites}) => {
  const [isChoosing, setChoosing] = useState(false);
  if (!may('admin')) return <p>{t('welcome.no_admin')}</p>;
  return (
    <div class="stack">
      <SiteForm onMade={({name}) => toSite(name)} submit={t('welcome.go_on')} />
      {sites.length > 0 && !isChoosing && (
        <button type="button" class="button quiet start" onClick={() => setChoosing(true)}>
          {t('welcome.have_one')}
        </button>
      )}
      {isChoosing && (
        <Choice
          label={t('nav.choose_site')}
          options={[['', '–'], ...sites.map(({name}) => [name, name])]}
          chosen=""
          onChange={({target}) => target.value && toSite(target.value)}
        />
      )}
    </div>
  );
};

const Step = ({number, name, state, children}) => (
  <Panel title={`${number}. ${t(`welcome.${name}`)}`} class={`setup-step ${state}`}>
    {children}
  </Panel>
);

const Steps = ({site}) => (
  <>
    <Step number={2} name="snippet" state="now">
      <Snippet site={site} />
    </Step>
    <Step number={3} name="visit" state="now">
      <FirstVisit site={site}>
        <p>{t('welcome.done')}</p>
        <p class="actions start">
          <a class="button primary" href={toView('overview', {site})}>
            {t('welcome.overview')}
          </a>
          <a class="button" href={toView('settings', {site, tab: 'privacy'})}>
            {t('welcome.privacy')}
          </a>
          <a class="button" href={toAdmin('users')}>
            {t('welcome.users')}
          </a>
        </p>
      </FirstVisit>
    </Step>
  </>
);

export const View = ({place}) => {
  const {sites} = useSession();
  const site = place.params.get('site') ?? '';
  const isKnown = sites.some(({name}) => name === site);
  return (
    <>
      <Title>{t('welcome.title')}</Title>
      <p class="soft">{t('welcome.lead')}</p>
      <Step number={1} name="site" state={isKnown ? 'past' : 'now'}>
        {isKnown ? (
          <p>
            {t('welcome.of_site', {site})} <a href={toAdmin('welcome')}>{t('welcome.another')}</a>
          </p>
        ) : (
          <AddOrChoose sites={sites} />
        )}
      </Step>
      {isKnown && <Steps key={site} site={site} />}
    </>
  );
};
