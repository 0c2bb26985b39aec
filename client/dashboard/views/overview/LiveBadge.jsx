/** How many visitors are here now, asked anew every half minute while the page is seen. */
import {useEffect, useState} from 'preact/hooks';
import {get} from '../../app/api.js';
import {whole} from '../../app/format.js';
import {t} from '../../app/i18n.js';
import {toView} from '../../app/place.js';
import {may} from '../../app/session.js';

const EVERY_MS = 30_000;

const useNow = (site) => {
  const [count, setCount] = useState(null);
  useEffect(() => {
    const control = new AbortController();
    const ask = async () => {
      if (document.visibilityState !== 'visible') return;
      // A badge that cannot be told says nothing: the numbers below say what is wrong.
      const now = await get('/api/v1/stats/realtime', {site}, {signal: control.signal}).catch(() => null);
      if (!control.signal.aborted) setCount(now?.visitors_5_minutes ?? null);
    };
    ask();
    const timer = setInterval(ask, EVERY_MS);
    document.addEventListener('visibilitychange', ask);
    return () => {
      control.abort();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, [site]);
  return count;
};

export const LiveBadge = ({site, isEmbedded}) => {
  const count = useNow(site);
  if (count === null) return null;
  const inside = (
    <>
      <span class={count ? 'live-dot on' : 'live-dot'} aria-hidden="true" />
      {t('overview.now', {count, number: whole(count)})}
    </>
  );
  return isEmbedded || !may('visitors', site) ? (
    <span class="live-badge">{inside}</span>
  ) : (
    <a class="live-badge" href={toView('live')}>
      {inside}
    </a>
  );
};
