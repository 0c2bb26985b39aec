/** The recording of a session: the server's player page in a frame of its own, where nothing of the recording can run. */
import {useEffect, useRef, useState} from 'preact/hooks';
import {t} from '../../app/i18n.js';
import {Panel} from '../../ui/panel.jsx';

/**
 * What rows and player share: `offsets` (ms) of the events that are in the recording, by id, `at` (ms) where the player is,
 * `height` (px) is what the player needs, `seek(id)` and `toggle()` tell it what to do.
 */
export const useRecording = () => {
  const frame = useRef(null);
  const [offsets, setOffsets] = useState({});
  const [now, setNow] = useState(-1);
  const [height, setHeight] = useState(480);
  useEffect(() => {
    const onMessage = ({source, origin, data}) => {
      if (!frame.current || source !== frame.current.contentWindow || origin !== location.origin) return;
      if (data?.replay === 'ready') setOffsets(data.offsets);
      if (data?.replay === 'size') setHeight(Math.min(2000, Math.max(200, Number(data.height) || 0)));
      if (data?.replay === 'at') setNow(Math.ceil(data.at / 500) * 500); // twice a second is enough to follow
    };
    addEventListener('message', onMessage);
    return () => removeEventListener('message', onMessage);
  }, []);
  const tell = (message) => frame.current?.contentWindow?.postMessage(message, location.origin);
  return {
    frame,
    offsets,
    at: now,
    height,
    seek: (id) => Object.hasOwn(offsets, id) && tell({seek: id}),
    toggle: () => tell({toggle: true}),
  };
};

/** Returns where the player is, with what it has to know; `url` is the server's own path. */
const address = (url, site, visit) => `${url}?${new URLSearchParams({site, visit, embed: '1'})}`;

export const Recording = ({replay, site, visit, recording}) => (
  <Panel
    title={t('sessions.recording')}
    class="recording"
    extra={
      <a href={`${replay.url}?${new URLSearchParams({site})}`} target="_blank" rel="noopener">
        {t('sessions.own_window')}
      </a>
    }
  >
    <iframe
      ref={recording.frame}
      title={t('sessions.recording')}
      src={address(replay.url, site, visit)}
      style={{height: `${recording.height}px`}}
    />
    <p>
      <small>{t('sessions.recording_hint')}</small>
    </p>
  </Panel>
);
