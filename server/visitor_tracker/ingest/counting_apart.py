"""Visits to pages of sites that have a database of their own.

    visit ──▶ its event: the site's journal, durable ──▶ its count: the counter, in the main database ──▶ done

What a page was visited is counted in the main database; what reports know of the visit lies elsewhere, so that no
transaction can have both. The event goes first, under the visit's own id: who is not answered sends the visit again,
and then the fold drops the event that it has, and the counter counts.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping

from visitor_tracker.event import Batch, Event, Visit
from visitor_tracker.ingest.counter import Counter, Done, Unnumbered
from visitor_tracker.ingest.journal import Journal

log = logging.getLogger(__name__)


class CountingApart:
    """Takes visits as `Counter` does; any thread."""

    def __init__(self, counter: Counter, own: Mapping[int, Journal]) -> None:
        """`own` are the journals of these sites, by the site's id."""
        self._counter = counter
        self._own = own
        self._flusher = 0  # the thread that is in `flush`, and counts when all of its events are durable
        self._closing = False
        self._durable = threading.Event()  # some events, by another thread: a journal's committer
        threading.Thread(target=self._run, name="counting", daemon=True).start()

    def add(self, visit: Visit, done: Done, event: Event | None = None) -> bool:
        """Let the visit wait for the next batch, when its event is durable; False: refused."""
        journal = None if event is None else self._own.get(event.site_id)
        if event is None or journal is None:
            return self._counter.add(visit, done, event)
        at = time.time_ns() // 1_000_000

        def stored(is_stored: bool) -> None:
            if not is_stored or not self._counter.add(visit, done):
                done(Unnumbered.REFUSED)
            elif self._flusher != threading.get_ident():
                self._durable.set()

        return journal.put(Batch(at.to_bytes(6, "big") + os.urandom(10), at, [event]), stored)

    def flush(self) -> None:
        """Make durable what waits, and then count it, as `Counter.flush` does."""
        self._flusher = threading.get_ident()
        try:
            for journal in self._own.values():
                journal.flush()
        finally:
            self._flusher = 0
        self._counter.flush()

    def close(self) -> None:
        """Store what waits, then end the threads; the main journal must be closed after this."""
        for journal in self._own.values():
            journal.close()
        self._closing = True
        self._durable.set()
        self._counter.close()

    def _run(self) -> None:
        while not self._closing:
            self._durable.wait()
            self._durable.clear()
            try:
                self._counter.flush()
            except Exception:
                log.exception("visits wait for the next flush")
