"""Visits to pages of sites that have a database of their own.

    visit ──▶ its event: the site's journal, durable ──▶ its count: the counter, in the main database ──▶ done

What a page was visited is counted in the main database; what reports know of the visit lies elsewhere, so that no
transaction can have both. The event goes first, under the visit's own id: who is not answered sends the visit again,
and then the fold drops the event that it has, and the counter counts.
"""

import os
import time
from collections.abc import Mapping

import msgspec

from visitor_tracker.event import Batch, Event, Visit
from visitor_tracker.ingest.counter import Counter, Done, Unnumbered
from visitor_tracker.ingest.journal import Journal


class CountingApart:
    """Takes visits as `Counter` does; any thread."""

    def __init__(self, counter: Counter, own: Mapping[int, Journal]) -> None:
        """`own` are the journals of these sites, by the site's id."""
        self._counter = counter
        self._own = own

    def add(self, visit: Visit, done: Done, event: Event | None = None) -> bool:
        """Let the visit wait for the next batch, when its event is durable; False: refused."""
        journal = None if event is None else self._own.get(event.site_id)
        if event is None or journal is None:
            return self._counter.add(visit, done, event)
        at = time.time_ns() // 1_000_000
        # No ledger will have seen this event: the fold checks its id.
        unchecked = msgspec.structs.replace(event, counted=False)

        def stored(is_stored: bool) -> None:
            if is_stored and self._counter.add(visit, done):
                self._counter.flush()
            else:
                done(Unnumbered.REFUSED)

        return journal.put(Batch(at.to_bytes(6, "big") + os.urandom(10), at, [unchecked]), stored)
