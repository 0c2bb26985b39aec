"""The per-page counter: every visit that waits at one moment is one transaction.

    loop ── add ──▶ waiting ── flush ──▶ committer thread ── Store.count ──▶ done(result) per visit
                                  │                   └── store away ──▶ Journal.put ──▶ done(PENDING)
                                  └────▶ at once, on the loop: Store.count_at_once

While a committer talks to the database the next batch gathers, so batches grow with the load and the
price of a sync is shared. With one SQLite file whose disk syncs quickly the loop commits by itself: handing
a batch to another thread costs more than storing it (a fifth less CPU per visit without). It never waits for a
lock there, and a sync that takes long sends the following batches to the committer.

A store that is away costs nobody a visit. A batch that cannot begin is tried again for a moment (a connection
may just have been stale), then it is journaled under its id, and the breaker opens: later visits go to the
journal at once, while one prober asks the store with growing pauses. A batch whose COMMIT was not answered is
journaled too: the drainer runs it again under the same id, which does nothing where the ledger has it.
"""

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Batch as JournalBatch
from visitor_tracker.event import Counted, Event, Visit, inbox_rows
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

BATCH_MOST = 512  # visits in one transaction
_PATIENCE_SECONDS = 0.25  # a batch that cannot begin is tried again for so long
_SLOW_SECONDS = 0.005  # batches that take longer on the loop, smoothed so that a checkpoint does not count ...
_SMOOTHING = 0.1
_SLOW_PAUSE_SECONDS = 1.0  # ... send the batches of this time to the committer
_PROBE_SECONDS = (0.1, 2.0)  # first and longest pause between two probes
_STEADY_SECONDS = 10.0  # a store that was away less long ago is probed with the pauses it had come to


class Unnumbered(Enum):
    """Why a visit has no number."""

    PENDING = "durable, counted as soon as the store is back"
    REFUSED = "not stored"
    UNKNOWN = "stored or not: nobody knows"


Outcome = Counted | Unnumbered
Done = Callable[[Outcome], None]


class _Waiting(NamedTuple):
    visit: Visit
    event: Event | None
    done: Done


class _Batch:
    """Visits of one transaction with those who wait for them; `at` is epoch ms."""

    __slots__ = ("at", "id", "rows", "visits", "waiting")

    def __init__(self, batch_id: bytes, at: int, waiting: list[_Waiting]) -> None:
        self.id = batch_id
        self.at = at
        self.waiting = waiting
        self.visits = [one.visit for one in waiting]
        self.rows = inbox_rows(batch_id, at, self.events())

    def events(self) -> list[Event]:
        return [one.event for one in self.waiting if one.event is not None]


class Counter:
    """Owns the committer threads; `add` and `flush` belong to the loop (any thread may call them)."""

    def __init__(
        self, store: Store, journal: Journal, counters: Counters, *, committers: int = 1, most_waiting: int = 4096
    ) -> None:
        self._store = store
        self._journal = journal
        self._counters = counters
        self._most_waiting = most_waiting
        self._waiting: deque[_Waiting] = deque()
        self._turn = threading.Condition()
        self._asleep = 0  # committers with nothing to do
        self._pace = self._slow_until = 0.0  # seconds a batch takes on the loop; when to try that again
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

    def add(self, visit: Visit, done: Done, event: Event | None = None) -> bool:
        """Let the visit, and what reports know of it, wait for the next batch; False: refused, too many wait.

        `done` is called once, from any thread, and must neither block nor raise.
        """
        if len(self._waiting) >= self._most_waiting or self._closing:
            return False
        self._waiting.append(_Waiting(visit, event, done))
        return True

    def flush(self) -> None:
        """Store what waits, at once if that is quick, else in a committer."""
        if not self._waiting:
            return
        if self._breaker.is_open:
            self._journal_all()
            return
        if self._asleep == len(self._threads) and time.monotonic() >= self._slow_until and self._commit_at_once():
            return
        if self._asleep:
            with self._turn:
                self._turn.notify()

    def close(self) -> None:
        """Store what waits, then end the threads; the journal must be closed after this."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join()
        self._breaker.close()
        _answer(list(self._waiting), Unnumbered.REFUSED)

    # The loop.

    def _commit_at_once(self) -> bool:
        """Store one batch here; False: it still waits, or more does."""
        with self._turn:
            batch = self._next_batch()
        started = time.monotonic()
        try:
            results = self._store.count_at_once(batch.id, batch.visits, batch.at, events=batch.rows)
        except OutcomeUnknown as error:
            self._breaker.open(error)
            self._hand_over(batch, Unnumbered.UNKNOWN)
            return True
        except (StoreUnavailable, StoreError):  # nothing was stored: the committer tries, and knows what to say
            results = None
        except Exception:
            log.exception("a batch of %d visits failed", len(batch.waiting))
            _answer(batch.waiting, Unnumbered.UNKNOWN)
            return False
        if results is None:
            self._waiting.extendleft(reversed(batch.waiting))
            return False
        now = time.monotonic()
        self._pace += _SMOOTHING * (now - started - self._pace)
        if self._pace > _SLOW_SECONDS:
            self._pace, self._slow_until = 0.0, now + _SLOW_PAUSE_SECONDS
        self._counters.add(Cell.BATCHES)
        self._accept(batch, results)
        return not self._waiting

    # A committer thread.

    def _run(self) -> None:
        while True:
            batch = self._take()
            if not batch.waiting:
                return
            try:
                self._commit(batch)
            except Exception:
                log.exception("a batch of %d visits failed", len(batch.waiting))
                _answer(batch.waiting, Unnumbered.UNKNOWN)

    def _take(self) -> _Batch:
        """Wait for a batch; an empty one means the end."""
        with self._turn:
            self._asleep += 1
            while not self._waiting and not self._closing:
                self._turn.wait()
            self._asleep -= 1
            batch = self._next_batch()
            if self._waiting:
                self._turn.notify()  # more than one batch: another committer may begin
            return batch

    def _next_batch(self) -> _Batch:
        """Take what waits, at most a batch; the caller has the lock."""
        waiting = self._waiting
        at = time.time_ns() // 1_000_000
        batch_id = at.to_bytes(6, "big") + os.urandom(10)  # time-ordered: the ledger grows at its end
        return _Batch(batch_id, at, [waiting.popleft() for _ in range(min(len(waiting), BATCH_MOST))])

    def _commit(self, batch: _Batch) -> None:
        self._counters.add(Cell.BATCHES)
        try:
            results = self._begin(batch)
        except OutcomeUnknown as error:
            self._breaker.open(error)
            self._hand_over(batch, Unnumbered.UNKNOWN)
            self._journal_all()
        except StoreUnavailable as error:
            self._breaker.open(error)
            self._hand_over(batch, Unnumbered.REFUSED)
            self._journal_all()
        except StoreError as error:
            log.error("the store refused a batch of %d visits: %s", len(batch.waiting), error)  # noqa: TRY400
            self._counters.add(Cell.DROPPED_UNAVAILABLE, len(batch.waiting))
            _answer(batch.waiting, Unnumbered.REFUSED)
        else:
            self._accept(batch, results)

    def _begin(self, batch: _Batch) -> list[Counted]:
        """Count the batch; a store that is away is asked again for a moment."""
        until = time.monotonic() + _PATIENCE_SECONDS
        pause = 0.01
        while True:
            try:
                return self._store.count(batch.id, batch.visits, batch.at, events=batch.rows)
            except StoreUnavailable:
                self._counters.add(Cell.STORE_ERRORS)
                if time.monotonic() + pause > until or self._breaker.is_open:
                    raise
            self._counters.add(Cell.BATCH_RETRIES)
            time.sleep(pause)
            pause *= 2

    def _accept(self, batch: _Batch, results: list[Counted]) -> None:
        duplicates = 0
        for one, result in zip(batch.waiting, results, strict=True):
            duplicates += result.duplicate
            try:
                one.done(result)
            except Exception:  # it is stored, and that is not undone by an answer that cannot be made
                log.exception("a stored visit cannot be answered")
                one.done(Unnumbered.UNKNOWN)
        self._counters.add(Cell.ACCEPTED, len(results) - duplicates)
        if duplicates:
            self._counters.add(Cell.DROPPED_DUPLICATE, duplicates)

    # The journal.

    def _journal_all(self) -> None:
        """Let the journal have all that waits."""
        while self._waiting:
            with self._turn:
                batch = self._next_batch()
            if batch.waiting:
                self._hand_over(batch, Unnumbered.REFUSED)

    def _hand_over(self, batch: _Batch, otherwise: Unnumbered) -> None:
        """Journal the batch under its id; `otherwise` is the answer where that fails."""

        def stored(is_stored: bool) -> None:
            if is_stored:
                self._counters.add(Cell.ACCEPTED, len(batch.waiting))
                self._counters.add(Cell.PENDING, len(batch.waiting))
                _answer(batch.waiting, Unnumbered.PENDING)
            else:
                refused()

        def refused() -> None:
            if otherwise is Unnumbered.REFUSED:
                self._counters.add(Cell.DROPPED_UNAVAILABLE, len(batch.waiting))
            _answer(batch.waiting, otherwise)

        if self._journal.put(JournalBatch(batch.id, batch.at, batch.events(), batch.visits), stored):
            self._journal.flush()
        else:
            refused()


class Breaker:
    """Open while the store is away; then one thread asks it until it answers."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._lock = threading.Lock()
        self._closed = threading.Event()  # the program ends
        self._pause = _PROBE_SECONDS[0]
        self._back_at = -math.inf
        self.is_open = False

    def open(self, reason: Exception) -> None:
        """Refuse from here on and start the prober, unless that has happened already."""
        with self._lock:
            if self.is_open or self._closed.is_set():
                return
            self.is_open = True
            if time.monotonic() - self._back_at > _STEADY_SECONDS:
                self._pause = _PROBE_SECONDS[0]
        self._counters.set(Cell.BREAKER_OPEN, 1)
        log.warning("the store is away, visits are journaled until it is back: %s", reason)
        threading.Thread(target=self._probe, name="prober", daemon=True).start()

    def close(self) -> None:
        """End the prober."""
        self._closed.set()

    def _probe(self) -> None:
        since = time.monotonic()
        while not self._closed.wait(self._pause):
            # Also where it answers: a store that can be read but not written brings us here again at once.
            self._pause = min(2 * self._pause, _PROBE_SECONDS[1])
            try:
                self._store.ping()
            except Exception as error:  # noqa: BLE001  # without a prober the breaker would stay open for ever
                log.debug("the store is still away: %s", error)
                continue
            self._back_at = time.monotonic()
            log.info("the store is back after %.1f s", self._back_at - since)
            self._counters.set(Cell.BREAKER_OPEN, 0)
            self.is_open = False
            return


def _answer(waiting: list[_Waiting], outcome: Unnumbered) -> None:
    for one in waiting:
        one.done(outcome)
