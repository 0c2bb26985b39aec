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

Nobody waits for a store that hangs. What has waited for LONGEST_SECONDS is journaled, also a batch that a committer
still has in hand: the ledger sees to it that only one of the two counts it, and who comes first answers.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

import msgspec

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Batch as JournalBatch
from visitor_tracker.event import Counted, Event, Visit, inbox_rows
from visitor_tracker.ingest.breaker import Breaker
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.ingest.parcel import counting_id
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

BATCH_MOST = 512  # visits in one transaction
_PATIENCE_SECONDS = 0.25  # a batch that cannot begin is tried again for so long
_SLOW_SECONDS = 0.005  # batches that take longer on the loop, smoothed so that a checkpoint does not count ...
_SMOOTHING = 0.1
_SLOW_PAUSE_SECONDS = 1.0  # ... send the batches of this time to the committer
LONGEST_SECONDS = 1.0  # that a visit waits for its number, and until the next look at it
_CLOSE_SECONDS = 2.0  # for committers to end; what a store that hangs keeps from them is journaled


class Unnumbered(Enum):
    """Why a visit has no number."""

    PENDING = "durable, counted as soon as the store is back"
    REFUSED = "not stored"
    UNKNOWN = "stored or not: nobody knows"


Outcome = Counted | Unnumbered
Done = Callable[[Outcome], None]


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    visit: Visit
    event: Event | None
    done: Done
    since: float  # monotonic


class _Batch:
    """Visits of one transaction with those who wait for them; `at` is epoch ms.

    `waiting` is emptied by who answers. Guarded by the counter's `_turn`: `waiting`, `journaling` (a record of it
    waits in the journal), `otherwise` (what to answer if that fails; None: a committer still has the batch in hand).
    """

    __slots__ = ("at", "events", "id", "journaling", "otherwise", "rows", "since", "visits", "waiting")

    def __init__(self, batch_id: bytes, at: int, waiting: list[_Waiting]) -> None:
        self.id = batch_id
        self.at = at
        self.waiting = waiting
        self.since = waiting[0].since if waiting else 0.0
        self.visits = [one.visit for one in waiting]
        self.events = [one.event for one in waiting if one.event is not None]
        self.journaling = False
        self.otherwise: Unnumbered | None = None
        try:
            self.rows = inbox_rows(batch_id, at, self.events)
        except Exception:
            log.exception("an event cannot be encoded; its visit is counted, and reports do not know of it")
            self.events = [event for event in self.events if _can_be_encoded(event)]
            self.rows = inbox_rows(batch_id, at, self.events)


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
        self._in_hand: list[_Batch | None] = [None] * committers
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"committer-{number}", daemon=True)
            for number in range(committers)
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
        self._waiting.append(_Waiting(visit, event, done, time.monotonic()))
        return True

    def flush(self) -> None:
        """Store what waits, at once if that is quick, else in a committer; journal what has waited too long.

        To be called at least twice a second.
        """
        self._relieve()
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
        until = time.monotonic() + _CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            self._relieve(longest=0.0)
        self._breaker.close()
        self._journal_all()

    def _relieve(self, longest: float = LONGEST_SECONDS) -> None:
        """Let the journal have what has waited for the store that long, and all that came after it."""
        before = time.monotonic() - longest
        late = [batch for batch in self._in_hand if batch is not None and batch.since <= before and batch.waiting]
        if not late and not self._is_late(before):
            return
        self._breaker.open(StoreUnavailable(f"it has not answered for {longest:g} s"))
        for batch in late:
            self._hand_over(batch, None)
        self._journal_all()

    def _is_late(self, before: float) -> bool:
        try:
            return self._waiting[0].since <= before
        except IndexError:  # nothing waits, or a committer has just taken it
            return False

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
            self._answer(batch, Unnumbered.UNKNOWN)
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

    def _run(self, number: int) -> None:
        while True:
            batch = self._take(number)
            if not batch.visits:
                return
            try:
                self._commit(batch)
            except Exception:
                log.exception("a batch of %d visits failed", len(batch.visits))
                self._give_up(batch, Unnumbered.UNKNOWN)
            self._in_hand[number] = None

    def _take(self, number: int) -> _Batch:
        """Wait for a batch; an empty one means the end."""
        with self._turn:
            self._asleep += 1
            while not self._waiting and not self._closing:
                self._turn.wait()
            self._asleep -= 1
            self._in_hand[number] = batch = self._next_batch()
            if self._waiting:
                self._turn.notify()  # more than one batch: another committer may begin
            return batch

    def _next_batch(self, *, tried: bool = True) -> _Batch:
        """Take what waits, at most a batch, to be `tried` with the store or not; the caller has the lock."""
        waiting = self._waiting
        at = time.time_ns() // 1_000_000
        return _Batch(
            counting_id(at, tried=tried), at, [waiting.popleft() for _ in range(min(len(waiting), BATCH_MOST))]
        )

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
            log.error("the store refused a batch of %d visits: %s", len(batch.visits), error)  # noqa: TRY400
            self._give_up(batch, Unnumbered.REFUSED)
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
        waiting = self._claim(batch)
        if not waiting:  # the journal was quicker: all of them know that theirs is pending
            return
        duplicates = 0
        for one, result in zip(waiting, results, strict=True):
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
                batch = self._next_batch(tried=False)
            if batch.visits:
                self._hand_over(batch, Unnumbered.REFUSED)

    def _hand_over(self, batch: _Batch, otherwise: Unnumbered | None) -> None:
        """Journal the batch under its id, once; `otherwise` is the answer where that fails, None: a committer's."""
        with self._turn:
            batch.otherwise = otherwise or batch.otherwise
            if batch.journaling or not batch.waiting:
                return
            batch.journaling = True

        def stored(is_stored: bool) -> None:
            if is_stored:
                number = self._answer(batch, Unnumbered.PENDING)
                self._counters.add(Cell.ACCEPTED, number)
                self._counters.add(Cell.PENDING, number)
                return
            with self._turn:
                batch.journaling = False
            self._give_up(batch, None)

        if self._journal.put(JournalBatch(batch.id, batch.at, batch.events, batch.visits), stored):
            self._journal.flush()
        else:
            stored(False)

    def _give_up(self, batch: _Batch, otherwise: Unnumbered | None) -> None:
        """Answer that there is no number, unless a record or a committer may still bring something better."""
        with self._turn:
            batch.otherwise = outcome = otherwise or batch.otherwise
            if batch.journaling or outcome is None:
                return
        number = self._answer(batch, outcome)
        if outcome is Unnumbered.REFUSED:
            self._counters.add(Cell.DROPPED_UNAVAILABLE, number)

    def _claim(self, batch: _Batch) -> list[_Waiting]:
        """Take those who wait for the batch, so that each is answered once."""
        with self._turn:
            waiting, batch.waiting = batch.waiting, []
        return waiting

    def _answer(self, batch: _Batch, outcome: Unnumbered) -> int:
        """Answer all who still wait; return how many."""
        waiting = self._claim(batch)
        for one in waiting:
            try:
                one.done(outcome)
            except Exception:  # the others have their answers all the same
                log.exception("a visit cannot be answered")
        return len(waiting)


def _can_be_encoded(event: Event) -> bool:
    try:
        inbox_rows(bytes(16), 0, [event])
    except Exception:  # noqa: BLE001  # is in the log, with its reason
        return False
    return True
