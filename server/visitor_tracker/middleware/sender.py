"""The queue between requests and the tracker, and the thread that empties it.

    any thread ── put ──▶ queue (bounded; what finds it full is dropped) ──▶ thread: a batch ▸ Tracker.send
                                                                               └─ again, with the same ids

Every process has a thread of its own, which starts with the first request that counts: a program that forks may have
loaded the middleware before. What waits in a parent is sent by the parent.
"""

import json
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from random import SystemRandom
from typing import Any, TypeVar

from visitor_tracker.middleware.seen import Seen, Waiting
from visitor_tracker.middleware.tracker import Delivered, Refused, Tracker, Unavailable

log = logging.getLogger(__name__)

BATCH_MOST = 100  # events of one request: with the longest URLs still below the server's http.max_batch
GATHER_SECONDS = 0.5  # that a batch waits for more
PAUSE_SECONDS, PAUSE_MOST_SECONDS = 0.5, 30.0  # between tries
_HURRIED_PAUSE_SECONDS = 0.1
_TOLD_MOST = 100  # different messages
# Who makes events has the interpreter, which who answers requests needs: some 100 µs at a time, and then a rest. More
# rests would cost more than they save: each wakes a thread.
_READ_AT_A_TIME, _MADE_AT_A_TIME, _REST_SECONDS = 25, 8, 0.0005

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_chance = SystemRandom()  # the program's own random numbers are not ours to use up

_T = TypeVar("_T")
MakeEvent = Callable[[str, Seen], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the requests that count, in this process.

    `sent`: stored; `refused`: the tracker took them and dropped them, for reasons it gave; `dropped`: found the queue
    full, or waited too long; `failed`: an error of the middleware's own; `waiting`: not sent yet.
    """

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _Batch:
    """Requests with the ids of their events, which stay the same however often they are sent."""

    ids: list[str]
    requests: list[Seen]


class Sender:
    """A queue of `most` requests and its thread; what is older than `keep_seconds` is sent no more."""

    def __init__(self, tracker: Tracker, event: MakeEvent, *, most: int, keep_seconds: float) -> None:
        self._tracker = tracker
        self._event = event
        self._most = most
        self._keep_seconds = keep_seconds
        self._begin()
        _senders.add(self)

    def _begin(self) -> None:
        """Be empty and without a thread, as at first and in a forked child."""
        self._queue: deque[Waiting] = deque()
        self._in_hand = 0  # taken from the queue and not yet delivered
        self._sent = self._refused = self._dropped = self._failed = 0
        self._thread: threading.Thread | None = None
        self._told_full = False
        self._is_away = False
        self._told: set[str] = set()
        self._lock = (
            threading.RLock()
        )  # of all above; held for a few instructions, which a signal's handler may interrupt
        self._turn = threading.Condition(self._lock)
        self._filled = threading.Event()
        self._hurry = threading.Event()

    def put(self, seen: Waiting) -> None:
        """Queue a request, or drop it where too many wait; never waits."""
        thread = None
        with self._lock:
            waiting = len(self._queue) + self._in_hand
            is_full = waiting >= self._most
            tells = is_full and not self._told_full
            self._told_full = is_full or (self._told_full and waiting > self._most // 2)
            if is_full:
                self._dropped += 1
            else:
                self._queue.append(seen)
            if self._thread is None:
                self._thread = thread = threading.Thread(target=self._run, name="visitor-tracking", daemon=True)
        if thread is not None:
            self._start(thread)
        if not self._filled.is_set():
            self._filled.set()
        if tells:
            log.warning("%d requests wait to be sent to the tracker; more are dropped until it takes them", self._most)

    def failed(self, error: Exception) -> None:
        """Count a request that could not be recorded, and log the first one."""
        with self._turn:
            self._failed += 1
            is_first = self._failed == 1
        if is_first:
            log.error("a request was not recorded, further ones are only counted", exc_info=error)

    def counts(self) -> Counts:
        """Return what became of the requests so far."""
        with self._turn:
            waiting = len(self._queue) + self._in_hand
            return Counts(self._sent, self._refused, self._dropped, self._failed, waiting)

    def flush(self, seconds: float) -> bool:
        """Send what waits now, for so long at most; False: some of it still waits."""
        self._hurry.set()
        try:
            with self._turn:
                is_done = self._turn.wait_for(lambda: not self._queue and not self._in_hand, seconds)
                waiting = len(self._queue) + self._in_hand
        finally:
            self._hurry.clear()
        if not is_done:
            log.warning("%d requests could not be sent to the tracker in %g s", waiting, seconds)
        return is_done

    def _start(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError:
            with self._turn:
                self._thread = None  # the next request tries again
            raise

    # The thread.

    def _run(self) -> None:
        while True:
            self._filled.wait()
            if len(self._queue) < BATCH_MOST:
                self._hurry.wait(GATHER_SECONDS)
            self._filled.clear()
            batch = self._read(self._take())
            try:
                self._deliver(batch)
            except Exception:
                log.exception("a batch cannot be sent and is dropped")
                self._done(dropped=len(batch.requests))
            if self._queue:
                self._filled.set()

    def _take(self) -> list[Waiting]:
        with self._lock:
            waiting = [self._queue.popleft() for _ in range(min(BATCH_MOST, len(self._queue)))]
            self._in_hand = len(waiting)
        return waiting

    def _read(self, waiting: list[Waiting]) -> _Batch:
        """Read requests; what cannot be read is counted and left out."""
        seen: list[Seen] = []
        for some in _some_at_a_time(waiting, _READ_AT_A_TIME, self._hurry):
            for one in some:
                try:
                    seen.append(one.read())
                except Exception as error:  # noqa: BLE001
                    self.failed(error)
        if len(seen) < len(waiting):
            with self._lock:
                self._in_hand = len(seen)
            self._done()
        noise = os.urandom(16 * len(seen)).hex()
        return _Batch([noise[at : at + 32] for at in range(0, len(noise), 32)], seen)

    def _deliver(self, batch: _Batch) -> None:
        """Send a batch until it is taken, refused or too old."""
        pause = PAUSE_SECONDS
        while self._drop_old(batch):
            events = self._encoded(batch)
            try:
                delivered = self._tracker.send(events)
            except Refused as error:
                self._tell(f"the tracker refuses requests: {error}")
                self._done(refused=len(batch.requests))
                return
            except Exception as error:  # noqa: BLE001  # whatever a tracker raises, the batch is tried again
                self._waits(error)
                told = error.retry_after if isinstance(error, Unavailable) else 0.0
                self._rest(min(max(pause * _chance.uniform(0.5, 1.0), told), PAUSE_MOST_SECONDS))
                pause = min(2 * pause, PAUSE_MOST_SECONDS)
            else:
                self._delivered(delivered, len(batch.requests))
                return

    def _waits(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            words = str(error) if isinstance(error, Unavailable) else repr(error)
            log.warning("the tracker does not take requests, they wait: %s", words)

    def _delivered(self, delivered: Delivered, number: int) -> None:
        if self._is_away:
            self._is_away = False
            log.info("the tracker takes requests again")
        for reason in set(delivered.dropped):
            self._tell(f"the tracker dropped requests: {reason}")
        accepted = min(delivered.accepted, number)
        self._done(sent=accepted, refused=number - accepted)

    def _drop_old(self, batch: _Batch) -> bool:
        """Take out what has waited too long; False: nothing is left."""
        oldest = time.monotonic() - self._keep_seconds
        old = sum(seen.at < oldest for seen in batch.requests)
        if old:
            self._tell(f"requests that waited {self._keep_seconds:g} s are dropped")
            kept = [(one, seen) for one, seen in zip(batch.ids, batch.requests, strict=True) if seen.at >= oldest]
            batch.ids, batch.requests = [one for one, _ in kept], [seen for _, seen in kept]
            self._done(dropped=old)
        return bool(batch.requests)

    def _encoded(self, batch: _Batch) -> bytes:
        every = list(zip(batch.ids, batch.requests, strict=True))
        texts = [
            _encode([self._event(one, seen) for one, seen in some])[1:-1]
            for some in _some_at_a_time(every, _MADE_AT_A_TIME, self._hurry)
        ]
        return f"[{','.join(texts)}]".encode("utf-8", "replace")

    def _done(self, *, sent: int = 0, refused: int = 0, dropped: int = 0) -> None:
        with self._turn:
            self._sent += sent
            self._refused += refused
            self._dropped += dropped
            self._in_hand = max(0, self._in_hand - sent - refused - dropped)
            if not self._in_hand and not self._queue:
                self._turn.notify_all()

    def _rest(self, seconds: float) -> None:
        if self._hurry.wait(seconds):
            time.sleep(_HURRIED_PAUSE_SECONDS)

    def _tell(self, message: str) -> None:
        """Log each thing once."""
        if message not in self._told and len(self._told) < _TOLD_MOST:
            self._told.add(message)
            log.warning("%s", message)


def _some_at_a_time(every: list[_T], number: int, hurry: threading.Event) -> Iterator[list[_T]]:
    """Give so many of them at a time; the program's own threads come between, but in a hurry."""
    for at in range(0, len(every), number):
        if at and not hurry.is_set():
            time.sleep(_REST_SECONDS)
        yield every[at : at + number]


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


def counts() -> Counts:
    """Return what became of the requests of all middlewares of this process."""
    every = [sender.counts() for sender in list(_senders)]
    return Counts(*(sum(getattr(one, field.name) for one in every) for field in fields(Counts)))


def _begin_all() -> None:
    for sender in list(_senders):
        sender._begin()


os.register_at_fork(after_in_child=_begin_all)
