/** A list that comes page by page: each answer has a cursor, and what it brings is added to what is shown. */
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import {useAnswer} from '../../app/answers.js';
import {get} from '../../app/api.js';
import {sayTrouble} from '../../ui/toast.jsx';

/**
 * Asks GET `path` with `query`, and with `cursor` for more. Returns {answer, rows, cursor, isMore, more}: `answer` is of
 * the first page, `rows` are those of all pages, `cursor` is null at the end, `isMore` says that the next page is asked for.
 */
export const usePages = (path, query, name) => {
  const key = JSON.stringify([path, query]);
  const answer = useAnswer(path, query, {isKept: false});
  const [added, setAdded] = useState({key, rows: [], cursor: undefined});
  const [isMore, setMore] = useState(false);
  const present = useRef(key);
  present.current = key;
  useEffect(() => setAdded({key, rows: [], cursor: undefined}), [key, answer.data]);
  const own = added.key === key ? added : {rows: [], cursor: undefined};
  const cursor = own.cursor === undefined ? (answer.data?.cursor ?? null) : own.cursor;
  const more = useCallback(async () => {
    setMore(true);
    try {
      const next = await get(path, {...query, cursor});
      if (present.current === key) {
        setAdded((old) => ({key, rows: [...(old.key === key ? old.rows : []), ...next[name]], cursor: next.cursor}));
      }
    } catch (error) {
      sayTrouble(error);
    } finally {
      setMore(false);
    }
  }, [key, cursor]);
  return {answer, rows: [...(answer.data?.[name] ?? []), ...own.rows], cursor, isMore, more};
};
