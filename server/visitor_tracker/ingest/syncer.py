"""Sync what was acknowledged when it was only written: the thread of `relaxed` durability."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from visitor_tracker.ingest.segments import SegmentWriter
from visitor_tracker.metrics import Cell, Counters

log = logging.getLogger(__name__)

SYNC_SECONDS = 0.5  # twice as often as promised


class Syncer:
    """Only its thread syncs and closes segments; `current` is the one that grows."""

    def __init__(
        self,
        counters: Counters,
        current: Callable[[], SegmentWriter | None],
        failed: Callable[[SegmentWriter, OSError], None],
    ) -> None:
        self._counters = counters
        self._current = current
        self._failed = failed
        self._finished: deque[SegmentWriter] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-syncer", daemon=True)
        self._thread.start()

    def finish(self, writer: SegmentWriter) -> None:
        """Sync and close a segment to which nothing is appended any more."""
        self._finished.append(writer)

    def close(self) -> None:
        """Sync everything, then end the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SYNC_SECONDS):
            try:
                self._sync_all()
            except Exception:  # without this thread nothing would be synced any more
                log.exception("a sync ended early")
        self._sync_all()

    def _sync_all(self) -> None:
        current = self._current()
        while self._finished:
            writer = self._finished.popleft()
            self._sync(writer)
            writer.close()
        if current is not None:
            self._sync(current)

    def _sync(self, writer: SegmentWriter) -> None:
        if not writer.is_open or writer.synced == writer.size:
            return
        try:
            writer.sync()
        except OSError as error:
            self._failed(writer, error)
            # Not cut: these events are acknowledged. Closed, the segment is read as far as it is valid, at once
            # and from memory if need be, and what was read is safe in the store.
            writer.close()
        else:
            self._counters.add(Cell.JOURNAL_BATCHES)
