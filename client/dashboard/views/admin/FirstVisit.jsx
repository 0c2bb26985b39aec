/** Waits for a visit of a site, and says so when it is there. */
import {useEffect, useState} from 'preact/hooks';
import {get} from '../../app/api.js';
import {t} from '../../app/i18n.js';
import {Field} from '../../ui/form.jsx';
import {Icon} from '../../ui/icon.jsx';

const EVERY_MS = 2500;

/** Returns what is known of the last half hour: {views, page}; asks again until something has come. */
const useLatest = (site) => {
  const [found, setFound] = useState({views: 0, page: ''});
  useEffect(() => {
    let timer;
    const control = new AbortController();
    const look = async () => {
      // A site that was made a moment ago may not be known to all parts of the server yet.
      const now = await get('/api/v1/stats/realtime', {site}, {signal: control.signal}).catch(() => null);
      if (control.signal.aborted) return;
      if (now?.views_30_minutes) setFound({views: now.views_30_minutes, page: now.pages[0]?.name ?? ''});
      else timer = setTimeout(look, EVERY_MS);
    };
    look();
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  }, [site]);
  return found;
};

const TestPage = () => {
  const [address, setAddress] = useState('');
  const isAddress = /^https?:\/\/[^\s/]+/.test(address);
  return (
    <div class="test-page">
      <Field
        label={t('arrival.page')}
        help={t('arrival.page_help')}
        type="url"
        placeholder="https://example.com/"
        value={address}
        onInput={({target}) => setAddress(target.value.trim())}
      />
      {isAddress && (
        <a class="button" href={address} target="_blank" rel="noopener noreferrer">
          {t('arrival.open')}
        </a>
      )}
    </div>
  );
};

export const FirstVisit = ({site, children}) => {
  const {views, page} = useLatest(site);
  return (
    <div class="stack">
      <p class={views ? 'waiting there' : 'waiting'} role="status" aria-live="polite">
        {views ? <Icon name="check" /> : <span class="pulse" aria-hidden="true" />}
        <strong>{views ? t('arrival.there', {page: page || '/'}) : t('arrival.waiting')}</strong>
      </p>
      {views ? children : <TestPage />}
      {!views && (
        <details>
          <summary>{t('arrival.nothing')}</summary>
          <ul class="plain-list">
            {['tag', 'csp', 'host', 'blocker', 'robot'].map((name) => (
              <li key={name}>{t(`arrival.why_${name}`, {origin: location.origin})}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
};
