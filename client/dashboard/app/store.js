/** A value that components see change. */
import {useEffect, useState} from 'preact/hooks';

/** Makes a store: `get`, `set`, and `subscribe`, which returns how to stop. */
export const createStore = (value) => {
  const seen = new Set();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...seen]) listener(value);
    },
    subscribe: (listener) => {
      seen.add(listener);
      return () => seen.delete(listener);
    },
  };
};

/** Renders a component again whenever the store's value changes; returns the value. */
export const useStore = (store) => {
  const [value, setValue] = useState(() => store.get());
  useEffect(() => {
    setValue(() => store.get()); // it may have changed between the first render and here
    return store.subscribe((next) => setValue(() => next));
  }, [store]);
  return value;
};
