/** Keeps in IndexedDB the events for which localStorage has no room, until they can be sent. */
import {putYoung} from './parts/sending.js';
import {quietly} from './parts/quietly.js';

const ROOM = 20; // events that stay with the tracker, which keeps 50 by itself
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

/** Moves events from the tracker into the store. */
const move = (tracker, name, keep, events) =>
  use(name, true, (store) => {
    const count = store.count();
    count.onsuccess = () => count.result < BATCHES_MOST && store.add(events);
    // Not before: there may be no database, or no room in it.
    store.transaction.oncomplete = () => {
      tracker.queue = tracker.queue.filter((event) => !events.includes(event));
      keep();
    };
  });

/** Takes from the tracker what has no room, and gives it back bit by bit. */
export const start = (tracker) => {
  const name = `visitor-tracker ${tracker.base}${tracker.site}`;
  const {keep} = tracker;
  let timer;
  let next = 0; // nothing is stored before
  const giveBack = quietly(() =>
    use(name, false, (store) => {
      const opened = store.openCursor();
      opened.onsuccess = quietly(() => {
        const cursor = opened.result;
        if (!cursor) return;
        clearTimeout(timer);
        timer = setTimeout(giveBack, WAITED_MS);
        if (tracker.queue.length > ROOM) return;
        // Given first and removed then: what comes twice has its id, what is lost has nothing.
        putYoung(tracker, cursor.value);
        cursor.delete();
      });
    }),
  );
  tracker.keep = quietly(() => {
    const now = Date.now();
    const {queue} = tracker;
    // localStorage has the last ones, and what other pages left came after what this one has told.
    queue.sort((one, other) => one.t - other.t);
    if (queue.length > 2 * ROOM && queue[0].t < now - WAITED_MS && now > next) {
      next = now + WAITED_MS;
      quietly(move)(tracker, name, keep, queue.slice(0, -ROOM));
    }
    keep();
  });
  addEventListener('online', giveBack);
  giveBack();
};
