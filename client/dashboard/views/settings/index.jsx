/** The settings of one site; which of them is shown stands in the address. */
import {useAnswer} from '../../app/answers.js';
import {at} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {toView, withParams} from '../../app/place.js';
import {Title} from '../../ui/panel.jsx';
import {Answered} from '../../ui/states.jsx';
import {Snippet} from '../admin/Snippet.jsx';
import {Collect} from './Collect.jsx';
import {General} from './General.jsx';
import {Members} from './Members.jsx';
import {Privacy} from './Privacy.jsx';
import {Remove} from './Remove.jsx';
import {Sharing} from './Sharing.jsx';
import {Signing} from './Signing.jsx';
import {Widgets} from './Widgets.jsx';

const Install = ({site}) => (
  <section class="panel" aria-label={t('settings.install')}>
    <Snippet site={site.name} />
  </section>
);

const TABS = {
  general: General,
  install: Install,
  privacy: Privacy,
  collect: Collect,
  members: Members,
  sharing: Sharing,
  widgets: Widgets,
  signing: Signing,
  remove: Remove,
};

export const View = ({place}) => {
  const answer = useAnswer(at`/api/v1/sites/${place.site}`, {}, {isKept: false});
  const wanted = place.params.get('tab');
  const chosen = Object.hasOwn(TABS, wanted) ? wanted : 'general';
  const Tab = TABS[chosen];
  return (
    <>
      <Title extra={<a href={toView('overview')}>{t('settings.to_numbers')}</a>}>
        {t('settings.title', {site: place.site})}
      </Title>
      <nav class="tabs" aria-label={t('view.settings')}>
        {Object.keys(TABS).map((name) => (
          <a
            key={name}
            href={withParams({tab: name === 'general' ? '' : name})}
            aria-current={name === chosen ? 'page' : undefined}
          >
            {t(`settings.${name}`)}
          </a>
        ))}
      </nav>
      <Answered answer={answer} rows={8}>
        {(site) => <Tab key={chosen} site={site} reload={answer.reload} />}
      </Answered>
    </>
  );
};
