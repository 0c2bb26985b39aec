/** Follows a site: by server-sent events, and where these do not come through, by asking every few seconds. */
import {get} from '../../app/api.js';

const EVENTS = 40;
const ASK_MS = 5000;
const FIRST_MS = 8000; // a proxy that holds the stream back is not waited for any longer
const SILENT_MS = 100_000; // the minutes go on: something changes every one of them
const AGAIN_MS = 60_000; // how often a stream is tried where the last one was refused

const isFinal = ({status}) => [400, 401, 403, 404].includes(status);

/**
 * Calls `onLive` with each state of the site, and `onState` with how it comes: `starting`, `streaming`, `asking`, `retrying`,
 * `away` (the database), `refused` (with a Refusal: it does not go on). Returns how to end it.
 */
export const follow = (site, {onLive, onState}) => {
  let source;
  let timer; // of the stream: it was silent for too long, or is to be tried again
  let asking;
  const control = new AbortController();

  const after = (ms, run) => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
  const close = () => {
    source?.close();
    clearTimeout(timer);
  };
  const end = () => {
    close();
    clearTimeout(asking);
    control.abort();
  };

  const ask = async () => {
    clearTimeout(asking);
    try {
      onLive(await get('/api/v1/live', {site, feed: EVENTS}, {signal: control.signal}));
      onState('asking');
    } catch (error) {
      if (control.signal.aborted) return;
      if (isFinal(error)) {
        end();
        onState('refused', error);
        return;
      }
      onState('retrying');
    }
    if (!control.signal.aborted) asking = setTimeout(ask, ASK_MS);
  };
  const askInstead = () => {
    close();
    ask();
    after(AGAIN_MS, stream);
  };

  const take = ({data}) => {
    clearTimeout(asking);
    after(SILENT_MS, stream);
    onLive(JSON.parse(data));
    onState('streaming');
  };
  const stream = () => {
    close();
    source = new EventSource(`/api/v1/live/stream?${new URLSearchParams({site, feed: EVENTS})}`);
    source.addEventListener('live', take);
    source.addEventListener('away', () => onState('away'));
    source.addEventListener('open', () => after(FIRST_MS, askInstead));
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) {
        askInstead();
      } // refused, or no stream: the answer to asking says why
      else onState('retrying');
    });
  };

  onState('starting');
  stream();
  return end;
};
