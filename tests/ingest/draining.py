"""Journals to drain, and stores that fail while they are drained into."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.event import (
    Agent,
    Batch,
    Event,
    InboxRow,
    Place,
    Source,
    Visit,
    decode_events,
    encode_batch,
)
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.parcel import counting_id
from visitor_tracker.ingest.segments import SegmentWriter
from visitor_tracker.store.base import Finding
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.session import Database, Session, T
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.statements import Dialect

SITE, OTHER_SITE, POISON_SITE = 1, 2, 13
DAY, AT = 20261122, 1_795_300_000_000
PAGE = "https://example.com/"


class Failing:
    """A real database whose next writes fail before or after their work is done, as a network would make them.

    None in the lists lets one write through.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect: Dialect = database.dialect
        self.before: list[Exception | None] = []
        self.after: list[Exception | None] = []
        self.away = threading.Event()

    def read(self, work: Callable[[Session], T]) -> T:
        self._raise([])
        return self._database.read(work)

    def write(self, work: Callable[[Session], T]) -> T:
        self._raise(self.before)
        result = self._database.write(work)
        self._raise(self.after)
        return result

    def _raise(self, errors: list[Exception | None]) -> None:
        if self.away.is_set():
            raise StoreUnavailable("away")
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error

    def write_at_once(self, work: Callable[[Session], T]) -> T | None:
        return None

    def alone(self) -> AbstractContextManager[Session]:
        return self._database.alone()

    def writing(self) -> AbstractContextManager[None]:
        return self._database.writing()

    def is_wanted(self) -> bool:
        return self._database.is_wanted()

    def ping(self) -> None:
        self._raise([])

    def probe(self) -> None:
        self._raise([])

    def describe(self) -> str:
        return "failing"

    def check(self) -> list[Finding]:
        return []

    def close(self) -> None:
        self._database.close()


def event(site_id: int = SITE, *, visitor: bytes = b"", ts: int = AT, signals: int = 0, title: str = "") -> Event:
    return Event(
        os.urandom(16), "pageview", site_id, ts, AT, DAY, visitor, b"", b"", b"", PAGE, Source(), Place(), Agent(),
        signals=signals, title=title,
    )  # fmt: skip


def batch(*events: Event, visits: Sequence[Visit] = ()) -> Batch:
    return Batch(counting_id(AT, tried=False), AT, list(events), list(visits))


def write(folder: Path, *payloads: Batch | bytes) -> Path:
    """Make a segment that its writer has left."""
    writer = SegmentWriter(folder)
    writer.append([part if isinstance(part, bytes) else encode_batch(part) for part in payloads])
    writer.sync()
    writer.close()
    return writer.path


def drain_all(drainer: Drainer) -> None:
    while drainer.step():
        pass


def rows(store: SqlStore, site_id: int = SITE) -> list[InboxRow]:
    return Inbox(store.database).rows(site_id, 10_000)


def ids(store: SqlStore, site_id: int = SITE) -> list[bytes]:
    """Return the ids of the events in the inbox; one that is there twice comes twice."""
    return sorted(found.id for row in rows(store, site_id) for found in decode_events(row.body))


def ids_of(*batches: Batch) -> list[bytes]:
    return sorted(one.id for each in batches for one in each.events)


def days(store: SqlStore) -> list[tuple[object, ...]]:
    return sorted(store.execute("select site_id, visitor, day, first_at from visitor_days"))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]
