"""The fold on real databases: whatever happens, its tables are those of a recount, and a rebuild changes nothing."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.folded import folded_events
from tests.mariadb import MariaDB
from tests.sessions.happening import World, happenings, long_visit, passive_before_midnight
from tests.sessions.recount import Recount, recount
from visitor_tracker.event import Event, InboxRow, decode_events, encode_events
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import Rebuilder
from visitor_tracker.ingest.revival import Unrevivable, rows_again
from visitor_tracker.measures import NAMES
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.dead_letters import DeadLetters
from visitor_tracker.store.inbox import Inbox, add_rows
from visitor_tracker.store.sql import SqlStore

SITE = 1
AT = 1_795_300_000_000
TABLES = (
    "events", "sessions", "visitor_links", "client_sessions", "daily_visitors", "seen", "rollup_hour", "rollup_day",
    "rollup_month", "rollup_deltas", "raw_days", "event_ids", "visitor_days", "inbox", "dead_letters", "site_lease",
)  # fmt: skip
_numbers = itertools.count(1)


def put(store: SqlStore, events: Sequence[Event], site_id: int = SITE) -> None:
    """Add a row of these events to the inbox."""
    row_id = AT.to_bytes(6, "big") + next(_numbers).to_bytes(10, "big")
    row = InboxRow(site_id, row_id, AT, len(events), encode_events(list(events)))
    store.database.write(lambda session: add_rows(session, [row]))


def folder_of(store: SqlStore, rule: Rule, metrics: Metrics | None = None, holder: str = "test") -> Folder:
    return Folder(store, (metrics or Metrics()).counters(), lambda site_id: rule, holder=holder)


def tables_of(store: SqlStore) -> Recount:
    """Return the rollups, but for rows in which everything came to nothing."""
    found = []
    for grain in ("hour", "day", "month"):
        rows = store.execute(f"select dimension, value, period, {', '.join(NAMES)} from rollup_{grain}")
        found.append({(row[0], row[1], row[2]): tuple(map(int, row[3:])) for row in rows if any(row[3:])})
    marks = store.execute("select month, visitor, dimension, value, days from seen")
    seen = {(row[0], bytes(row[1]), row[2], row[3]): row[4] for row in marks}
    hours, days, months = found
    return Recount(hours, days, months, seen)


def clear(store: SqlStore) -> None:
    for table in TABLES:
        store.execute(f"delete from {table}")


def same(found: Recount, expected: Recount) -> None:
    assert found.hours == expected.hours
    assert found.days == expected.days
    assert found.months == expected.months
    assert found.seen == expected.seen


@pytest.fixture(scope="module")
def memory() -> Iterator[SqlStore]:
    """A store for many examples, each of which begins with empty tables."""
    store = open_store("sqlite:///:memory:")
    yield store
    store.close()


@pytest.fixture(scope="module")
def kept_mariadb(mariadb: MariaDB) -> Iterator[SqlStore]:
    store = open_store(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    yield store
    store.close()


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@given(happened=happenings())
@example(happened=long_visit())
@example(happened=passive_before_midnight())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_tables_are_those_of_a_recount_and_a_rebuild_changes_nothing(
    memory: SqlStore, happened: tuple[World, list[list[Event]]]
) -> None:
    check_everything(memory, happened)


@given(happened=happenings())
@example(happened=long_visit())
@settings(max_examples=8, deadline=None, suppress_health_check=SLOW)
def test_so_they_are_on_mariadb(kept_mariadb: SqlStore, happened: tuple[World, list[list[Event]]]) -> None:
    check_everything(kept_mariadb, happened)


def check_everything(store: SqlStore, happened: tuple[World, list[list[Event]]]) -> None:
    world, batches = happened
    rule = Rule(world.timezone, world.keys == "daily")
    clear(store)
    for batch in batches:
        put(store, batch)
        assert folder_of(store, rule).step()
    events = [event for batch in batches for event in batch]
    expected = recount(events, world.timezone, daily=rule.daily)
    same(tables_of(store), expected)
    assert store.execute("select count(*) from inbox") == [(0,)]
    assert store.execute("select count(*) from dead_letters") == [(0,)]

    sessions = "select bucket, visitor, first_ts, last_ts, body from sessions order by bucket, visitor, first_ts"
    before = store.execute(sessions)
    rebuilder = Rebuilder(store, SITE, rule)
    rebuilt = [rebuilder.rebuild(day) for day in rebuilder.days()]
    rebuilder.let_go()
    same(tables_of(store), expected)
    assert store.execute(sessions) == before
    assert sum(one.events for one in rebuilt) == len(events)


# By hand, on every kind of store.

DAILY = Rule("Europe/Berlin")
BERLIN = World("Europe/Berlin")


def total(store: SqlStore, grain: str = "day") -> tuple[int, ...]:
    """Return visitors, visits, views of everything."""
    sql = f"select sum(visitors), sum(visits), sum(views) from rollup_{grain} where dimension = 0"
    return tuple(int(number or 0) for number in store.execute(sql)[0])


def visit(number: int, when: str = "2026-11-20 12:00", person: str = "anna") -> Event:
    return BERLIN.event(number, when, person=person)


def test_an_id_counts_once_whichever_row_it_comes_in(store: SqlStore) -> None:
    metrics = Metrics()
    folder = folder_of(store, DAILY, metrics)
    put(store, [visit(1), visit(2), visit(1)])
    put(store, [visit(2), visit(3)])
    assert folder.step()
    put(store, [visit(3, "2026-11-20 12:01"), visit(4)])
    assert folder.step()
    assert total(store) == (1, 1, 4)
    assert (metrics.total(Cell.FOLDED), metrics.total(Cell.FOLD_DUPLICATES)) == (4, 3)


def test_visits_of_the_page_counter_have_had_their_ids_checked(store: SqlStore) -> None:
    put(store, [BERLIN.event(1, "2026-11-20 12:00", counted=True), BERLIN.event(1, "2026-11-20 12:01", counted=True)])
    assert folder_of(store, DAILY).step()
    assert total(store) == (1, 1, 2)
    assert store.execute("select count(*) from visitor_days") == [(1,)]


def test_what_was_folded_reads_back_as_it_was(store: SqlStore) -> None:
    events = [
        BERLIN.event(1, "2026-11-20 12:00", "custom", name="Buy", person="", interactive=False),
        BERLIN.event(2, "2026-11-20 12:01", "outbound", target="https://example.com/x", engaged_ms=7),
    ]
    put(store, events)
    assert folder_of(store, DAILY).step()
    assert folded_events(store) == events


def test_only_the_holder_of_the_lease_folds(store: SqlStore) -> None:
    put(store, [visit(1)])
    first, second = folder_of(store, DAILY, holder="first"), folder_of(store, DAILY, holder="second")
    assert first.step()
    put(store, [visit(2)])
    assert not second.step()
    assert total(store) == (1, 1, 1)
    first.let_go()
    third = folder_of(store, DAILY, holder="third")
    assert third.step()
    assert total(store) == (1, 1, 2)


def test_sites_are_folded_side_by_side(store: SqlStore) -> None:
    put(store, [visit(1)])
    put(store, [msgspec.structs.replace(visit(2), site_id=2)], site_id=2)
    assert folder_of(store, DAILY).step()
    found = store.execute("select site_id, views from rollup_day where dimension = 0 order by site_id")
    assert found == [(1, 1), (2, 1)]


def test_an_event_that_cannot_be_folded_is_set_aside_and_harms_no_other(store: SqlStore) -> None:
    metrics = Metrics()
    folder = folder_of(store, DAILY, metrics)
    poison = msgspec.structs.replace(visit(2), engaged_ms=(1 << 64) - 1)
    put(store, [visit(1)])
    put(store, [visit(3), poison, visit(4)])
    put(store, [visit(5)])
    drain(folder)
    assert total(store) == (1, 1, 4)
    [letter] = Inbox(store.database).dead_letters(10)
    assert decode_events(letter.body) == [poison]
    assert letter.site_id == SITE
    assert letter.reason
    assert metrics.total(Cell.DEAD_LETTERS) == 1
    assert store.execute("select count(*) from inbox") == [(0,)]


def test_a_row_that_cannot_be_read_is_set_aside(store: SqlStore) -> None:
    row = InboxRow(SITE, bytes(16), AT, 1, b"\xc1")
    store.database.write(lambda session: add_rows(session, [row]))
    put(store, [visit(1)])
    drain(folder_of(store, DAILY))
    [letter] = Inbox(store.database).dead_letters(10)
    assert letter.body == b"\xc1"
    assert total(store) == (1, 1, 1)


def test_what_was_set_aside_can_be_tried_again(store: SqlStore) -> None:
    good = visit(1)
    Inbox(store.database).set_aside("a fault of before", encode_events([good]), AT, SITE)
    letters = DeadLetters(store.database)
    [letter] = Inbox(store.database).dead_letters(10)
    assert letters.find(letter.id) == letter
    assert letters.put_back(letter.id, rows_again(letter))
    assert not letters.put_back(letter.id, rows_again(letter)), "it is gone"
    drain(folder_of(store, DAILY))
    assert total(store) == (1, 1, 1)
    assert Inbox(store.database).dead_letters(10) == []


@pytest.mark.parametrize("wrong", [{"visitor": b"short"}, {"id": b"short"}, {"site_id": 0}, {"day": -1}])
def test_what_no_table_may_have_stays_aside(store: SqlStore, wrong: dict[str, Any]) -> None:
    event = msgspec.structs.replace(visit(1), **wrong)
    Inbox(store.database).set_aside("refused by the drainer", encode_events([event]), AT, SITE)
    [letter] = Inbox(store.database).dead_letters(10)
    with pytest.raises(Unrevivable):
        rows_again(letter)


def drain(folder: Folder) -> None:
    while folder.step():
        pass
