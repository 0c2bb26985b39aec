/** Keeps in IndexedDB the events for which localStorage has no room, until they can be sent. */
import {quietly} from './quietly.js';

const ROOM = 40; // events, that the tracker keeps itself
const WAITED_MS = 3e4; // what waits that long could not be sent
const BATCHES_MOST = 1000;
const STORE = 'events';

/** Calls `work` with the store; where there is none, only if `make`: who lost no event gets no database. */
const use = (name, make, work) => {
  const request = indexedDB.open(name);
  request.onerror = (event) => event.preventDefault(); // or Firefox tells the page of it
  request.onupgradeneeded = () => {
    if (make) request.result.createObjectStore(STORE, {autoIncrement: true});
    else request.transaction.abort();
  };
  request.onsuccess = quietly(() => {
    const database = request.result;
    work(database.transaction(STORE, 'readwrite').objectStore(STORE));
    database.close(); // when that is done
  });
};

/** Takes from the tracker what has no room, and gives it back bit by bit with `put`. */
export const overflow = (tracker, put) => {
  const name = `visitor-tracker ${tracker.base}${tracker.site}`;
  const {keep} = tracker;
  const giveBack = quietly(() =>
    use(name, false, (store) => {
      const opened = store.openCursor();
      opened.onsuccess = quietly(() => {
        const cursor = opened.result;
        if (!cursor) return;
        setTimeout(giveBack, WAITED_MS);
        if (tracker.queue.length > ROOM / 2) return;
        // Given first and removed then: what comes twice has its id, what is lost has nothing.
        put(cursor.value);
        cursor.delete();
      });
    }),
  );
  const spill = (events) =>
    use(name, true, (store) => {
      const count = store.count();
      count.onsuccess = () => count.result < BATCHES_MOST && store.add(events);
    });
  tracker.keep = quietly(() => {
    const {queue} = tracker;
    if (queue.length > ROOM && queue[0].t < Date.now() - WAITED_MS) quietly(spill)(queue.splice(0, ROOM / 2));
    keep();
  });
  addEventListener('online', giveBack);
  giveBack();
};
