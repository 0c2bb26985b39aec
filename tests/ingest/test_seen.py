"""Who was here before: what this process journaled, and what the store has."""

import threading
from collections import Counter

import msgspec
import pytest

from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.event import Agent, Event, InboxRow, Place, Source, encode_events
from visitor_tracker.ingest.seen import Seen
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore

BASE = Event(b"i" * 16, "pageview", 1, 5, 5, 20261122, b"v" * 16, b"", b"", b"", "https://example.com/", Source(),
             Place(), Agent())  # fmt: skip


def event(visitor: bytes = b"v" * 16, day: int = 20261122, site_id: int = 1) -> Event:
    return msgspec.structs.replace(BASE, visitor=visitor, day=day, site_id=site_id)


def number(value: int) -> bytes:
    return value.to_bytes(16, "big")


@pytest.fixture
def seen(sqlite: SqlStore) -> Seen:
    return Seen(Inbox(sqlite.database).known)


def drain(store: SqlStore, kept: Event) -> None:
    """Do what the drainer does with an event."""
    row = InboxRow(kept.site_id, b"b" * 16, kept.at, 1, encode_events([kept]))
    days = [(kept.site_id, kept.visitor, kept.day, kept.ts)]
    assert Inbox(store.database).drain([row], days, segment_id=b"s" * 16, old=0, new=10, at=kept.at)


def test_a_visitor_is_new_once(seen: Seen) -> None:
    assert seen.claim(event()) == (True, True)
    assert seen.claim(event()) == (False, False)
    assert seen.claim(event(day=20261123)) == (False, True)
    assert seen.claim(event(b"w" * 16, site_id=2)) == (True, True)


def test_what_other_routes_kept_counts(seen: Seen) -> None:
    seen.note(event())
    assert seen.claim(event()) == (False, False)
    assert seen.claim(event(day=20261121)) == (False, True)


def test_without_a_visitor_nothing_is_remembered(seen: Seen) -> None:
    seen.note(event(b""))
    assert seen.claim(event(b"")) == (True, True)
    assert seen.claim(event(b"")) == (True, True)


def test_the_store_knows_what_was_drained(store: SqlStore) -> None:
    drain(store, event())
    asked = Seen(Inbox(store.database).known)
    assert asked.claim(event()) == (False, False)
    assert Seen(Inbox(store.database).known).claim(event(day=20261123)) == (False, True)
    assert asked.claim(event(b"w" * 16)) == (True, True)


def test_memory_is_bounded_and_the_store_makes_up_for_it(sqlite: SqlStore) -> None:
    drain(sqlite, event())
    seen = Seen(Inbox(sqlite.database).known)
    assert seen.claim(event()) == (False, False)
    for visitor in range(70_000):
        seen.note(event(number(visitor)))
    assert len(seen._days) + len(seen._older) <= 2 * 32_768
    assert seen.claim(event(number(69_999))) == (False, False)
    assert seen.claim(event()) == (False, False), "forgotten here, but not there"


def test_who_came_while_the_store_was_away_is_no_stranger_afterwards() -> None:
    away = True

    def known(site_id: int, visitor: bytes, day: int) -> tuple[bool, bool]:
        if away:
            raise StoreUnavailable("it does not answer")
        return False, False

    seen = Seen(known)
    with pytest.raises(StoreUnavailable):
        seen.claim(event())
    away = False
    assert seen.claim(event()) == (False, False)


def test_of_many_at_once_one_is_the_first(seen: Seen) -> None:
    told: list[tuple[int, tuple[bool, bool]]] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait(20)
        for visitor in range(50):
            told.append((visitor, seen.claim(event(number(visitor)))))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    firsts = Counter(visitor for visitor, answer in told if answer == (True, True))
    assert (len(told), firsts) == (400, Counter(range(50)))
