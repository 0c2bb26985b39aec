/** What is known of a site now, while somebody looks. */
import {useEffect, useState} from 'preact/hooks';
import {follow} from './stream.js';

const START = {live: undefined, state: 'starting', error: undefined};

/** Returns {live, state, error}, see stream.js. A page that nobody sees follows nothing. */
export const useLive = (site) => {
  const [shown, setShown] = useState(START);
  const [isVisible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  useEffect(() => setShown(START), [site]);
  useEffect(() => {
    if (!isVisible) return undefined;
    return follow(site, {
      onLive: (live) => setShown((old) => ({...old, live})),
      onState: (state, error) => setShown((old) => ({...old, state, error})),
    });
  }, [site, isVisible]);
  return shown;
};
