"""Rollups that were put off are never lost and never added twice, whoever goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.draining import Failing
from tests.ingest.test_fold import BERLIN, DAILY, SITE, clear, drain, folder_of, put, same, tables_of, total, visit
from tests.mariadb import MariaDB
from tests.sessions.happening import World, happenings
from tests.sessions.recount import recount
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Event
from visitor_tracker.ingest import fold
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import Rebuilder
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@contextmanager
def a_row_in_each_transaction() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold, "_FIRST_EVENTS", 1)
        patch.setattr(fold, "_MOST_EVENTS", 1)
        yield


def fold_until_the_store_is_away(store: SqlStore, rule: Rule, transactions: int) -> None:
    failing = Failing(store.database)
    failing.before = [*[None] * transactions, StoreUnavailable("away")]
    folder_of(SqlStore(failing), rule).step()


# How a folder stops: after how many transactions, whether one more was done unheard, and whether it goes on itself.
Stop = tuple[int, bool, bool]
STOPS = st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.booleans()), max_size=4)


def put_off(store: SqlStore) -> int:
    [(number,)] = store.execute("select count(*) from rollup_deltas")
    return int(number)


@pytest.fixture(scope="module")
def memory() -> Iterator[SqlStore]:
    store = open_store("sqlite:///:memory:")
    yield store
    store.close()


@pytest.fixture(scope="module")
def kept_mariadb(mariadb: MariaDB) -> Iterator[SqlStore]:
    store = open_store(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    yield store
    store.close()


@given(happened=happenings(), stops=STOPS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_a_backlog_comes_to_a_recount_wherever_folders_stop(
    memory: SqlStore, happened: tuple[World, list[list[Event]]], stops: list[Stop]
) -> None:
    check_backlog(memory, happened, stops)


@given(happened=happenings(), stops=STOPS)
@settings(max_examples=8, deadline=None, suppress_health_check=SLOW)
def test_so_it_does_on_mariadb(
    kept_mariadb: SqlStore, happened: tuple[World, list[list[Event]]], stops: list[Stop]
) -> None:
    check_backlog(kept_mariadb, happened, stops)


def check_backlog(store: SqlStore, happened: tuple[World, list[list[Event]]], stops: list[Stop]) -> None:
    world, batches = happened
    rule = Rule(world.timezone, world.keys == "daily")
    clear(store)
    for batch in batches:
        put(store, batch)
    failing = Failing(store.database)
    with a_row_in_each_transaction():
        folder = folder_of(SqlStore(failing), rule)
        for transactions, is_done, goes_on in stops:
            errors = failing.after if is_done else failing.before
            errors[:] = [*[None] * transactions, OutcomeUnknown("broke") if is_done else StoreUnavailable("away")]
            folder.step()
            errors.clear()
            if not goes_on:
                folder = folder_of(SqlStore(failing), rule)
        drain(folder)
    events = [event for batch in batches for event in batch]
    same(tables_of(store), recount(events, world.timezone, daily=rule.daily))
    assert put_off(store) == 0


@pytest.fixture
def backlog(store: SqlStore) -> SqlStore:
    """Three rows of one visitor each, of which two are folded and put off."""
    for number, person in enumerate(["anna", "bert", "carl"]):
        put(store, [visit(number, person=person)])
    with a_row_in_each_transaction():
        fold_until_the_store_is_away(store, DAILY, 2)
    assert (put_off(store), total(store)) == (2, (0, 0, 0))
    return store


def test_what_was_put_off_is_added_with_the_next_events(backlog: SqlStore) -> None:
    drain(folder_of(backlog, DAILY))
    assert (put_off(backlog), total(backlog), total(backlog, "month")) == (0, (3, 3, 3), (3, 3, 3))


def test_what_was_put_off_needs_no_more_events(backlog: SqlStore) -> None:
    backlog.execute("delete from inbox")
    folder = folder_of(backlog, DAILY)
    assert folder.step()
    assert (put_off(backlog), total(backlog), total(backlog, "hour")) == (0, (2, 2, 2), (2, 2, 2))
    assert not folder.step()
    assert total(backlog) == (2, 2, 2)


def test_another_node_leaves_it_to_the_holder_of_the_lease(backlog: SqlStore) -> None:
    backlog.execute("delete from inbox")
    assert not folder_of(backlog, DAILY, holder="another").step()
    assert put_off(backlog) == 2


def test_a_rebuild_adds_it_first(backlog: SqlStore) -> None:
    rebuilder = Rebuilder(backlog, SITE, DAILY)
    rebuilder.rebuild(20261120)
    rebuilder.let_go()
    same(tables_of(backlog), recount([visit(0, person="anna"), visit(1, person="bert")], "Europe/Berlin", daily=True))
    assert put_off(backlog) == 0


@pytest.mark.parametrize("body", [b"\xc1", msgspec.msgpack.encode([[[20261120, 0, [], [[1, 2, b"1"]]]], [], []])])
def test_a_delta_that_cannot_be_read_is_no_fault_of_events(backlog: SqlStore, body: bytes) -> None:
    backlog.execute("update rollup_deltas set body = %s", (body,))
    with pytest.raises(StoreError, match="rollup_deltas of site 1"):
        folder_of(backlog, DAILY).step()
    assert backlog.execute("select count(*) from inbox") == [(1,)]
    assert backlog.execute("select count(*) from dead_letters") == [(0,)]


def test_it_keeps_the_policy_it_was_counted_under(backlog: SqlStore) -> None:
    drain(folder_of(backlog, Rule("Europe/Berlin", daily=False)))
    assert (put_off(backlog), total(backlog, "month")) == (0, (3, 3, 3))


def test_only_the_last_transaction_of_a_backlog_writes_rollups(store: SqlStore) -> None:
    for number in range(5):
        put(store, [visit(number)])
    with a_row_in_each_transaction():
        assert folder_of(store, DAILY).step()
    assert (put_off(store), total(store)) == (0, (1, 1, 5))


@pytest.mark.parametrize(("engaged_ms", "expected"), [((1 << 40) - 1, 1), (1 << 40, 0), ((1 << 63) - 1, 0)])
def test_what_the_rollups_may_refuse_is_not_put_off(store: SqlStore, engaged_ms: int, expected: int) -> None:
    put(store, [msgspec.structs.replace(visit(1), engaged_ms=engaged_ms)])
    put(store, [visit(2)])
    with a_row_in_each_transaction():
        fold_until_the_store_is_away(store, DAILY, 1)
    assert put_off(store) == expected


def test_robots_and_events_without_a_visitor_are_put_off_too(store: SqlStore) -> None:
    events = [
        BERLIN.event(1, "2026-11-20 12:00", person=""),
        msgspec.structs.replace(visit(2), signals=1),
        visit(3),
    ]
    for event in events:
        put(store, [event])
    with a_row_in_each_transaction():
        fold_until_the_store_is_away(store, DAILY, 2)
    drain(folder_of(store, DAILY))
    same(tables_of(store), recount(events, "Europe/Berlin", daily=True))
