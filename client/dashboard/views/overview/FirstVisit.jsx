/** A site without numbers: nobody came on these days, or nobody at all yet. Then it waits for the first visit. */
import {useEffect} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {at, get} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {withParams} from '../../app/place.js';
import {Icon} from '../../ui/icon.jsx';
import {Panel} from '../../ui/panel.jsx';
import {Answered, Empty} from '../../ui/states.jsx';
import {say} from '../../ui/toast.jsx';

const EVERY_MS = 3000;

const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    say(t('first.copied'));
  } catch {
    say(t('first.not_copied'), {isTrouble: true});
  }
};

/** Where nobody told the server its address, it is the one that this page came from. */
const written = ({snippet, is_guess: isGuess}) =>
  (isGuess ? snippet.replace(/https?:\/\/127\.0\.0\.1:\d+/g, location.origin) : snippet).trim();

const Snippet = ({site}) => (
  <Answered answer={useAnswer(at`/api/v1/sites/${site}/snippet`)} rows={2}>
    {(found) => (
      <div class="snippet">
        <pre tabIndex={0}>
          <code>{written(found)}</code>
        </pre>
        <button type="button" class="button" onClick={() => copy(written(found))}>
          <Icon name="copy" size={16} /> {t('first.copy')}
        </button>
      </div>
    )}
  </Answered>
);

const Waiting = ({site, onVisit}) => {
  useEffect(() => {
    const control = new AbortController();
    const ask = async () => {
      if (document.visibilityState !== 'visible') return;
      // It is asked again in a moment, whatever came between.
      const found = await get('/api/v1/stats/realtime', {site}, {signal: control.signal}).catch(() => null);
      if (found && (found.views_30_minutes > 0 || found.visitors_30_minutes > 0)) onVisit();
    };
    const timer = setInterval(ask, EVERY_MS);
    return () => {
      control.abort();
      clearInterval(timer);
    };
  }, [site, onVisit]);
  return (
    <Panel title={t('first.title', {site})} class="first-visit">
      <p>{t('first.text')}</p>
      <Snippet site={site} />
      <p class="soft" role="status">
        <span class="live-dot on" aria-hidden="true" /> {t('first.waiting')}
      </p>
      <p class="soft">{t('first.help')}</p>
    </Panel>
  );
};

export const FirstVisit = ({question: {site}, onVisit}) => (
  <Answered answer={useAnswer('/api/v1/stats/lifetime', {site}, {isKept: false})} rows={4}>
    {({totals}) =>
      totals.metrics.views || totals.metrics.visits ? (
        <Empty title={t('overview.no_visits')} hint={t('overview.no_visits_hint')}>
          <a class="button" href={withParams({period: 'all', interval: null})}>
            {t('period.all')}
          </a>
        </Empty>
      ) : (
        <Waiting site={site} onVisit={onVisit} />
      )
    }
  </Answered>
);
