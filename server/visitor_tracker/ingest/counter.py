"""The per-page counter: every visit that waits at one moment is one transaction.

    loop ── add ──▶ waiting ── flush ──▶ committer thread ── Store.count ──▶ done(result) per visit

While a committer talks to the database the next batch gathers, so batches grow with the load and the
price of a sync is shared. What a failure means for those who wait:

* StoreUnavailable: nothing was stored. Tried again for a moment (a connection may just have been stale),
  then everybody is refused and the breaker opens: later visits are refused at once while one prober
  asks the store with growing pauses.
* OutcomeUnknown: COMMIT was sent and no answer came. The batch is asked for by its id until the store
  says; if it does not, the visits are left unanswered, since "refused" could be a lie.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Counted, Visit
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

BATCH_MOST = 512  # visits in one transaction
_PATIENCE_SECONDS = 0.25  # a batch that cannot begin is tried again for so long
_SETTLE_SECONDS = 10.0  # an unknown outcome is asked for this long
_PROBE_SECONDS = (0.1, 2.0)  # first and longest pause between two probes


class Failure(Enum):
    """Why a visit has no number."""

    REFUSED = "not stored"
    UNKNOWN = "stored or not: nobody knows"


Outcome = Counted | Failure
Done = Callable[[Outcome], None]


class Counter:
    """Owns the committer threads; `add` and `flush` belong to the loop (any thread may call them)."""

    def __init__(self, store: Store, counters: Counters, *, committers: int = 1, most_waiting: int = 4096) -> None:
        self._store = store
        self._counters = counters
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Visit, Done]] = deque()
        self._turn = threading.Condition()
        self._closing = False
        self._breaker = Breaker(store, counters)
        self._threads = [
            threading.Thread(target=self._run, name=f"committer-{number}", daemon=True) for number in range(committers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def available(self) -> bool:
        """False while the store is known to be away."""
        return not self._breaker.is_open

    def add(self, visit: Visit, done: Done) -> bool:
        """Let the visit wait for the next batch; False: refused, the store is away or too many wait.

        `done` is called once, in a committer thread, and must neither block nor raise.
        """
        if self._breaker.is_open or len(self._waiting) >= self._most_waiting or self._closing:
            return False
        self._waiting.append((visit, done))
        return True

    def flush(self) -> None:
        """Wake a committer for what waits."""
        if self._waiting:
            with self._turn:
                self._turn.notify()

    def close(self) -> None:
        """Store what waits, then end the threads."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join()
        self._breaker.close()

    # A committer thread.

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._commit(batch)
            except Exception:
                log.exception("a batch of %d visits failed", len(batch))
                _answer(batch, Failure.UNKNOWN)

    def _take(self) -> list[tuple[Visit, Done]]:
        """Return what waits, at most a batch; empty means the end."""
        waiting = self._waiting
        with self._turn:
            while not waiting and not self._closing:
                self._turn.wait()
            batch = [waiting.popleft() for _ in range(min(len(waiting), BATCH_MOST))]
            if waiting:
                self._turn.notify()  # more than one batch: another committer may begin
        return batch

    def _commit(self, batch: list[tuple[Visit, Done]]) -> None:
        visits = [visit for visit, _ in batch]
        at = time.time_ns() // 1_000_000
        batch_id = at.to_bytes(6, "big") + os.urandom(10)  # time-ordered: the ledger grows at its end
        self._counters.add(Cell.BATCHES)
        try:
            results = self._begin(batch_id, visits, at)
        except OutcomeUnknown as error:
            self._breaker.open(error)
            self._settle(batch, batch_id, at)
        except StoreUnavailable as error:
            self._breaker.open(error)
            self._refuse(batch)
        except StoreError as error:
            log.error("the store refused a batch of %d visits: %s", len(batch), error)  # noqa: TRY400
            self._refuse(batch)
        else:
            self._accept(batch, results)

    def _begin(self, batch_id: bytes, visits: Sequence[Visit], at: int) -> list[Counted]:
        """Count the batch; a store that is away is asked again for a moment."""
        until = time.monotonic() + _PATIENCE_SECONDS
        pause = 0.01
        while True:
            try:
                return self._store.count(batch_id, visits, at)
            except StoreUnavailable:
                self._counters.add(Cell.STORE_ERRORS)
                if time.monotonic() + pause > until or self._breaker.is_open:
                    raise
            self._counters.add(Cell.BATCH_RETRIES)
            time.sleep(pause)
            pause *= 2

    def _settle(self, batch: list[tuple[Visit, Done]], batch_id: bytes, at: int) -> None:
        """Learn from the ledger whether the batch was stored, or store it under the same id."""
        until = time.monotonic() + _SETTLE_SECONDS
        pause = _PROBE_SECONDS[0]
        visits = [visit for visit, _ in batch]
        while time.monotonic() < until:
            self._counters.add(Cell.BATCH_RETRIES)
            try:
                return self._accept(batch, self._store.count(batch_id, visits, at, retry=True))
            except (StoreUnavailable, OutcomeUnknown):
                self._counters.add(Cell.STORE_ERRORS)
            time.sleep(pause)
            pause = min(2 * pause, _PROBE_SECONDS[1])
        log.error("%d visits stay unanswered: the store did not say whether it has them", len(batch))
        _answer(batch, Failure.UNKNOWN)

    def _accept(self, batch: list[tuple[Visit, Done]], results: list[Counted]) -> None:
        duplicates = 0
        for (_, done), result in zip(batch, results, strict=True):
            duplicates += result.duplicate
            done(result)
        self._counters.add(Cell.ACCEPTED, len(batch) - duplicates)
        self._counters.add(Cell.DROPPED_DUPLICATE, duplicates)

    def _refuse(self, batch: list[tuple[Visit, Done]]) -> None:
        """Tell this batch and all who wait behind it that the store is away."""
        with self._turn:
            batch = batch + [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._counters.add(Cell.DROPPED_UNAVAILABLE, len(batch))
        _answer(batch, Failure.REFUSED)


class Breaker:
    """Open while the store is away; then one thread asks it until it answers."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._lock = threading.Lock()
        self._closed = threading.Event()  # the program ends
        self.is_open = False

    def open(self, reason: Exception) -> None:
        """Refuse from here on and start the prober, unless that has happened already."""
        with self._lock:
            if self.is_open or self._closed.is_set():
                return
            self.is_open = True
        self._counters.set(Cell.BREAKER_OPEN, 1)
        log.warning("the store is away, visits are refused with 503: %s", reason)
        threading.Thread(target=self._probe, name="prober", daemon=True).start()

    def close(self) -> None:
        """End the prober."""
        self._closed.set()

    def _probe(self) -> None:
        since, pause = time.monotonic(), _PROBE_SECONDS[0]
        while not self._closed.wait(pause):
            try:
                self._store.ping()
            except (StoreUnavailable, StoreError, OutcomeUnknown):
                pause = min(2 * pause, _PROBE_SECONDS[1])
                continue
            log.info("the store is back after %.1f s", time.monotonic() - since)
            self._counters.set(Cell.BREAKER_OPEN, 0)
            self.is_open = False
            return


def _answer(batch: list[tuple[Visit, Done]], failure: Failure) -> None:
    for _, done in batch:
        done(failure)
