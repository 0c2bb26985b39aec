"""The journals of a process, where sites have a database of their own: one for each, and one for all else.

A database that is away fills its own journal and nobody else's. A request's events of several sites are durable when
all of their journals say so.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from visitor_tracker.config import Config, StoreConfig
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.event import Batch, Event
from visitor_tracker.ingest.journal import Done, Journal
from visitor_tracker.metrics import Counters
from visitor_tracker.sites import site_id_of


def open_journals(config: Config, counters: Counters, most_waiting: int) -> tuple[Journal, dict[int, Journal]]:
    """Open the journal, and that of each site that has a database of its own, by its id."""

    def opened(folder: Path, store: StoreConfig) -> Journal:
        return Journal(folder, counters, config=config.journal, durability=store.durability, most_waiting=most_waiting)

    own = {site_id_of(site.name): opened(place_of(config, site).journal, site.store) for site in config.site_stores}
    return opened(config.journal_folder, config.store), own


class Journals:
    """Used as `Journal` is, which it is many of; any thread."""

    def __init__(self, main: Journal, own: Mapping[int, Journal]) -> None:
        """`own` is by the site's id."""
        self._main = main
        self._own = own

    @property
    def available(self) -> bool:
        """False while nothing can be stored of sites without a journal of their own."""
        return self._main.available

    def add(self, events: Sequence[Event], done: Done) -> bool:
        """Let events wait as `Journal.add` does, each in the journal of its site."""
        journal = self._own.get(events[0].site_id, self._main)
        if len(events) == 1:
            return journal.add(events, done)
        parts: dict[Journal, list[Event]] = {}
        for event in events:
            parts.setdefault(self._own.get(event.site_id, self._main), []).append(event)
        if len(parts) == 1:
            return journal.add(events, done)
        if not all(each.available for each in parts):
            return False
        together = _Together(len(parts), done)
        for each, some in parts.items():
            if not each.add(some, together):
                together(False)
        return True

    def put(self, batch: Batch, done: Done) -> bool:
        """Let a batch of the counter wait; its events are of sites without a journal of their own."""
        return self._main.put(batch, done)

    def flush(self) -> None:
        for journal in self._own.values():
            journal.flush()
        self._main.flush()

    def close(self) -> None:
        for journal in (*self._own.values(), self._main):
            journal.close()


class _Together:
    """Answers when all have: True where each has said so."""

    __slots__ = ("_done", "_left", "_lock", "_stored")

    def __init__(self, number: int, done: Done) -> None:
        self._left = number
        self._stored = True
        self._done = done
        self._lock = threading.Lock()

    def __call__(self, is_stored: bool) -> None:
        with self._lock:
            self._left -= 1
            self._stored &= is_stored
            is_last = not self._left
        if is_last:
            self._done(self._stored)
