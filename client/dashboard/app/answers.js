/** Answers of the server as components need them: asked again when the question changes, shown while they are renewed. */
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import {answerTo} from './several.js';

const KEPT = 60;
const kept = new Map(); // the latest answers by question, so that going back shows something at once

const keep = (key, data) => {
  kept.delete(key);
  kept.set(key, data);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
};

/** Forgets all answers: after a change, or when somebody else logs in. */
export const forgetAnswers = () => kept.clear();

const EMPTY = {data: undefined, error: undefined, isLoading: true, key: ''};

/**
 * Asks GET `path` with `query`; `path` null asks nothing. Returns {data, error, isLoading, reload}: `data` stays that of
 * the question before until the new one is answered (isLoading says so), and is undefined before the first answer.
 */
export const useAnswer = (path, query, {isKept = true} = {}) => {
  const key = path === null ? '' : JSON.stringify([path, query]);
  const [state, setState] = useState(() => (kept.has(key) ? {...EMPTY, data: kept.get(key), key} : EMPTY));
  const [round, setRound] = useState(0);
  const present = useRef(key);
  present.current = key;
  useEffect(() => {
    if (!key) return setState({...EMPTY, isLoading: false});
    const control = new AbortController();
    const [askedPath, askedQuery] = JSON.parse(key);
    setState((old) => ({...old, data: kept.get(key) ?? old.data, isLoading: true}));
    answerTo(askedPath, askedQuery, {signal: control.signal}).then(
      (data) => {
        if (isKept) keep(key, data);
        setState({data, error: undefined, isLoading: false, key});
      },
      (error) => {
        if (!control.signal.aborted) setState({data: undefined, error, isLoading: false, key});
      },
    );
    return () => control.abort();
  }, [key, round, isKept]);
  const reload = useCallback(() => setRound((old) => old + 1), []);
  return {...state, isLoading: state.isLoading || (Boolean(key) && state.key !== key), reload};
};
