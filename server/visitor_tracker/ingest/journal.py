"""Where events become durable before anybody is told so.

    any thread ── add, put ──▶ waiting ── flush ──▶ one write, one sync of all that waits ──▶ done(True) to each
                                            │ inline:    in the calling thread, while others only leave theirs to it
                                            └ committer: in a thread of its own, where a sync takes long

With `relaxed` durability events are answered when they are written, and a thread syncs them twice a second.

A write or sync that fails is believed once: what it was for is cut away, those who wait are told, and the next
batch begins a new segment. (After a failed sync the kernel may have dropped the pages, and a second one succeeds.)
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import StoreError
from visitor_tracker.event import Batch, Event, encode_batch
from visitor_tracker.ingest.quota import Valve
from visitor_tracker.ingest.segments import NEW, RECORD_MOST, SegmentWriter, make_folder, time_ordered_id
from visitor_tracker.ingest.syncer import Syncer
from visitor_tracker.metrics import Cell, Counters

log = logging.getLogger(__name__)

Done = Callable[[bool], None]

HITS_MOST = 512  # events of one record
SEGMENT_BYTES = 64 << 20
SEGMENT_PARTS = 8  # of journal.max_bytes: what is drained can only be deleted segment by segment
SEGMENT_SECONDS = 600.0
SLOW_SYNC_SECONDS = 0.002  # with a median above it, `auto` is a committer
_PROBE_SYNCS = 20
_PROBE_BYTES = 4096
_IDLE_SECONDS = 60.0  # a committer with nothing to do looks whether its segment is old


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """Events, or a record that is encoded already, and who waits for them."""

    events: Sequence[Event]
    done: Done
    hits: int
    payload: bytes = b""


class Journal:
    """Of one process. Any thread may call; whoever holds `_committing` owns the segment."""

    def __init__(
        self,
        folder: Path,
        counters: Counters,
        *,
        config: JournalConfig,
        durability: Literal["full", "relaxed"],
        most_waiting: int,
    ) -> None:
        """Make the folder; StoreError when that is not possible. `most_waiting` is the number of events."""
        try:
            make_folder(folder)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}: the server's user must be able to write there") from error
        self._folder = folder
        self._counters = counters
        self._most_waiting = most_waiting
        self._segment_bytes = min(SEGMENT_BYTES, config.max_bytes // SEGMENT_PARTS)
        self._valve = Valve(folder, counters, config.max_bytes)
        self._writer: SegmentWriter | None = None
        self._lock = threading.Lock()  # of the four below; never held for longer than a few instructions
        self._waiting: list[_Waiting] = []
        self._hits = 0  # that wait
        self._closing = False
        self._asleep = False
        self._wake = threading.Condition(self._lock)
        self._committing = threading.Lock()  # those with visitors try it and never wait for it
        self._syncer = Syncer(counters, lambda: self._writer, self._sync_failed) if durability == "relaxed" else None
        self._thread: threading.Thread | None = None
        if _wants_committer(config.commit, folder, durability):
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()

    @property
    def available(self) -> bool:
        """False while nothing can be stored: just after a failure, while the journal is full, at the end."""
        return self._valve.is_open and not self._closing

    def add(self, events: Sequence[Event], done: Done) -> bool:
        """Let the events wait for the next flush; False: refused, and `done` is not called.

        Else it is called once, from any thread: with True when they are durable, with False when they are not
        stored. It must not block.
        """
        return self._add(_Waiting(events, done, len(events)))

    def put(self, batch: Batch, done: Done) -> bool:
        """Let a batch wait as `add` does; it becomes a record of its own. False also when it cannot be one."""
        if not self.available:
            return False
        try:
            payload = encode_batch(batch)
        except Exception:
            log.exception("a batch cannot be encoded")
            return False
        if len(payload) > RECORD_MOST:
            return False
        return self._add(_Waiting((), done, max(len(batch.events), len(batch.visits)), payload))

    def flush(self) -> None:
        """Make durable what waits, or have it done; a call with nothing to do lets go of an old segment."""
        if self._thread is None:
            self._combine()
        elif self._asleep and self._waiting:
            with self._lock:
                self._wake.notify()

    def close(self) -> None:
        """Make durable what waits and end the threads; later events are refused."""
        with self._lock:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        with self._committing:
            self._commit()
        if self._syncer is not None:
            self._syncer.close()
        with self._committing:
            if self._writer is not None:
                self._writer.close()
            self._writer = None

    # Any thread.

    def _add(self, one: _Waiting) -> bool:
        if not self._valve.is_open:
            return False
        with self._lock:
            hits = self._hits + one.hits
            # A batch larger than all that may wait is taken when nothing else does.
            if self._closing or (hits > self._most_waiting and self._waiting):
                return False
            self._hits = hits
            self._waiting.append(one)
        return True

    def _combine(self) -> None:
        """Commit, unless another thread does so just now: that one looks again after it has let go of the lock."""
        while (self._waiting or self._is_old()) and self._committing.acquire(blocking=False):
            try:
                self._commit()
            finally:
                self._committing.release()

    def _run(self) -> None:
        """Commit what waits, in the committer's thread."""
        while True:
            with self._lock:
                self._asleep = True
                while not self._waiting and not self._closing and not self._is_old():
                    self._wake.wait(_IDLE_SECONDS)
                self._asleep = False
                if self._closing:
                    return  # what still waits is for `close`
            try:
                with self._committing:
                    self._commit()
            except Exception:
                log.exception("a commit ended early")

    # Who has `_committing`.

    def _commit(self) -> None:
        """Store all that waits and answer; nothing that happens here may leave anybody without an answer."""
        if self._is_old():
            self._end_segment()
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._hits = 0
        if not waiting:
            return
        waiting, payloads, number = self._encode(waiting)
        stored = self._store(payloads)
        if stored and number:
            self._counters.add(Cell.ACCEPTED, number)
        _answer(waiting, stored=stored)
        if not stored:
            return
        self._counters.add(Cell.JOURNALED, sum([one.hits for one in waiting]))
        if self._valve.is_full():
            self._end_segment()  # only what nobody writes any more can be drained away

    def _encode(self, waiting: list[_Waiting]) -> tuple[list[_Waiting], list[bytes], int]:
        """Return who still waits, the records for them, and how many events there are besides encoded batches."""
        records = [one.payload for one in waiting if one.payload]
        events = [event for one in waiting for event in one.events]
        try:
            return waiting, records + _records(events), len(events)
        except Exception:
            log.exception("events cannot be encoded; the others that wait are stored")
        good = []
        for one in waiting:
            try:
                records += _records(one.events)
            except Exception:  # noqa: BLE001  # is in the log, with its reason
                _answer([one], stored=False)
            else:
                good.append(one)
        return good, records, sum([len(one.events) for one in good])

    def _store(self, payloads: list[bytes]) -> bool:
        """Write and sync; False: nothing of it is stored."""
        if not payloads:
            return True
        try:
            writer = self._open_segment()
            writer.append(payloads)
            if self._syncer is None:
                writer.sync()
                self._counters.add(Cell.JOURNAL_BATCHES)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait are told
            self._give_up(error)
            return False
        self._valve.stored()
        return True

    def _open_segment(self) -> SegmentWriter:
        writer = self._writer
        if writer is None or not writer.is_open:
            self._writer = writer = SegmentWriter(self._folder)
        return writer

    def _is_old(self) -> bool:
        writer = self._writer
        return writer is not None and (
            writer.size >= self._segment_bytes or time.monotonic() - writer.made_at >= SEGMENT_SECONDS
        )

    def _end_segment(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._syncer is not None:
            self._syncer.finish(writer)
        else:
            writer.close()

    def _give_up(self, error: Exception) -> None:
        """Remove what could not be stored; the next batch begins a new segment."""
        self._valve.failed(error)
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._syncer is not None:
            writer.take_back()  # what was written before is acknowledged and stays
            self._syncer.finish(writer)
        else:
            writer.cut()

    # The syncer.

    def _sync_failed(self, writer: SegmentWriter, error: OSError) -> None:
        with self._committing:
            self._valve.failed(error)
            if self._writer is writer:
                self._writer = None
        self.flush()  # for those who came meanwhile


def _records(events: Sequence[Event]) -> list[bytes]:
    """Encode events, each record with an id of its own."""
    records = []
    for start in range(0, len(events), HITS_MOST):
        some = events[start : start + HITS_MOST]
        record = encode_batch(Batch(time_ordered_id(), time.time_ns() // 1_000_000, list(some)))
        if len(record) <= RECORD_MOST:
            records.append(record)
        elif len(some) > 1:
            records += _records(some[: len(some) // 2]) + _records(some[len(some) // 2 :])
        else:
            raise ValueError(f"an event of {len(record)} bytes")
    return records


def _answer(waiting: Sequence[_Waiting], *, stored: bool) -> None:
    for one in waiting:
        try:
            one.done(stored)
        except Exception:  # what is stored stays stored, and the others have their answers
            log.exception("an answer cannot be given")


def _wants_committer(commit: Literal["auto", "inline", "committer"], folder: Path, durability: str) -> bool:
    if commit == "auto":
        return durability == "full" and _sync_seconds(folder) > SLOW_SYNC_SECONDS
    return commit == "committer"


def _sync_seconds(folder: Path) -> float:
    """Return how long this disk takes to make a little durable; for ever where it cannot be written just now."""
    path = folder / (time_ordered_id().hex() + NEW)
    took = []
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            path.unlink()
            for _ in range(_PROBE_SYNCS):
                started = time.perf_counter()
                os.write(descriptor, bytes(_PROBE_BYTES))
                os.fdatasync(descriptor)
                took.append(time.perf_counter() - started)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.debug("how long a sync takes is not known: %s", error)
        return float("inf")
    return sorted(took)[len(took) // 2]
