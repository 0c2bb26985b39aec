"""Whatever fails while events are folded: each is counted once, none is set aside for a fault that is not its own."""

import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest

from tests.ingest.draining import Failing
from tests.ingest.test_fold import AT, DAILY, SITE, drain, folder_of, put, total, visit
from tests.mariadb import MariaDB
from tests.store.proxy import Cut, How, proxy_to
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Event, InboxRow
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.folding import LONGEST_LEASE_MS
from visitor_tracker.store.inbox import Inbox, add_rows
from visitor_tracker.store.session import Database, Session, T
from visitor_tracker.store.sql import SqlStore

OTHER_SITE = 2


class Watched(Failing):
    """A database that counts its writes, and that others want while one runs."""

    writes = 0
    is_writing = False

    def write(self, work: Callable[[Session], T]) -> T:
        self.writes += 1
        self.is_writing = True
        try:
            return super().write(work)
        finally:
            self.is_writing = False

    def is_wanted(self) -> bool:
        return self.is_writing


def waiting(store: SqlStore) -> int:
    return Inbox(store.database).pending()[1]


def letters(store: SqlStore) -> int:
    return len(Inbox(store.database).dead_letters(1_000))


@pytest.mark.parametrize("table", ["rollup_month", "sessions", "event_ids", "raw_days"])
def test_a_store_that_fails_is_no_fault_of_events(store: SqlStore, table: str) -> None:
    put(store, [visit(number) for number in range(1, 11)])
    store.execute(f"alter table {table} rename to gone")
    with pytest.raises(StoreError, match="visitor-tracker migrate"):
        folder_of(store, DAILY).step()
    assert (waiting(store), letters(store)) == (10, 0)
    store.execute(f"alter table gone rename to {table}")
    drain(folder_of(store, DAILY))
    assert total(store) == (1, 1, 10)


@pytest.mark.parametrize("error", [MemoryError(), OSError(24, "Too many open files"), StoreError("no table sites")])
def test_a_site_that_fails_keeps_no_other_one_waiting(store: SqlStore, error: Exception) -> None:
    def rule_of(site_id: int) -> Rule:
        if site_id == SITE:
            raise error
        return DAILY

    put(store, [visit(1)])
    folder = Folder(store, Metrics().counters(), rule_of)
    for number in (2, 3):
        put(store, [msgspec.structs.replace(visit(number), site_id=OTHER_SITE)], OTHER_SITE)
        with suppress(type(error)):
            folder.step()
    found = store.execute("select site_id, sum(views) from rollup_day where dimension = 0 group by site_id")
    assert [(site_id, int(views)) for site_id, views in found] == [(OTHER_SITE, 2)]
    assert (waiting(store), letters(store)) == (1, 0)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), OutcomeUnknown("broke")])
@pytest.mark.parametrize("is_done", [False, True])
def test_what_is_tried_again_counts_once(store: SqlStore, error: Exception, is_done: bool) -> None:
    put(store, [visit(1), visit(2)])
    failing = Failing(store.database)
    folder = folder_of(SqlStore(failing), DAILY)
    (failing.after if is_done else failing.before).append(error)
    assert not folder.step()
    drain(folder)
    assert total(store) == (1, 1, 2)
    assert (waiting(store), letters(store)) == (0, 0)


@pytest.mark.parametrize("how", ["before", "after", "late", "unanswered"])
@pytest.mark.parametrize("packet", range(1, 16, 2))
def test_a_connection_that_breaks_anywhere_costs_nothing(mariadb: MariaDB, how: How, packet: int) -> None:
    database = mariadb.fresh_database()
    direct = open_store(mariadb.url(database))
    migrate(direct)
    with proxy_to(mariadb.port) as proxy:
        far = open_store(mariadb.url(database, port=proxy.port))
        folder = folder_of(far, DAILY)
        folder.step()  # connects
        for number in range(1, 4):
            put(direct, [visit(number), visit(number + 10, person="bert")])
            proxy.plan(Cut(packet, how))
            while waiting(direct):
                folder.step()
        assert total(direct) == (2, 2, 6)
        assert letters(direct) == 0
        assert direct.execute("select count(*) from events") == [(6,)]
        far.close()
    direct.close()


def test_one_that_cannot_be_folded_costs_few_transactions(store: SqlStore) -> None:
    for number in range(1, 64):
        put(store, [visit(number)])
    put(store, [msgspec.structs.replace(visit(64), engaged_ms=(1 << 64) - 1)])
    watched = Watched(store.database)
    drain(folder_of(SqlStore(watched), DAILY))
    assert (total(store), letters(store), waiting(store)) == ((1, 1, 63), 1, 0)
    assert watched.writes <= 16


def test_the_same_fault_of_many_is_told_once(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    put(store, [msgspec.structs.replace(visit(number), engaged_ms=(1 << 64) - 1) for number in range(1, 20)])
    drain(folder_of(store, DAILY, metrics))
    assert letters(store) == metrics.total(Cell.DEAD_LETTERS) == 19
    assert [line.levelname for line in caplog.records] == ["ERROR"]


def test_only_who_folds_a_site_sets_aside_what_is_in_its_inbox(store: SqlStore) -> None:
    put(store, [visit(1)])
    first, second = folder_of(store, DAILY, holder="first"), folder_of(store, DAILY, holder="second")
    assert first.step()
    row = InboxRow(SITE, bytes(16), AT, 1, b"\xc1")
    store.database.write(lambda session: add_rows(session, [row]))
    assert not second.step()
    assert (waiting(store), letters(store)) == (1, 0)
    assert first.step()
    assert (waiting(store), letters(store)) == (0, 1)


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(store: SqlStore) -> None:
    put(store, [visit(1)])
    first, second = folder_of(store, DAILY, holder="first"), folder_of(store, DAILY, holder="second")
    assert first.step()
    store.execute("update site_lease set until_at = until_at + %s", (2 * LONGEST_LEASE_MS,))
    put(store, [visit(2)])
    assert second.step()
    assert total(store) == (1, 1, 2)


class Sized(Watched):
    """One that notes how many rows of the inbox wait after each write; `others_want` says whether others want it."""

    def __init__(self, database: Database, others_want: bool) -> None:
        super().__init__(database)
        self.left: list[int] = []
        self._others_want = others_want

    def write(self, work: Callable[[Session], T]) -> T:
        result = super().write(work)
        self.left.append(Inbox(self._database).pending()[0])
        return result

    def is_wanted(self) -> bool:
        return self._others_want and super().is_wanted()


def test_transactions_grow_only_while_nobody_waits(store: SqlStore) -> None:
    def rows_of_second_transaction(*, others_want: bool) -> int:
        for start in range(0, 1_500, 100):
            put(store, [visit(number) for number in range(start, start + 100)])
        database = Sized(store.database, others_want)
        folder = folder_of(SqlStore(database), DAILY)
        drain(folder)
        folder.let_go()
        assert database.left[0] == 10
        return database.left[0] - database.left[1]

    assert rows_of_second_transaction(others_want=False) == 6
    assert rows_of_second_transaction(others_want=True) <= 5


def test_what_the_drainer_brings_last_is_folded_before_the_end(sqlite: SqlStore) -> None:
    stop, drained, asked = threading.Event(), threading.Event(), threading.Event()

    def rule_of(site_id: int) -> Rule:
        asked.set()
        return DAILY

    folder = Folder(sqlite, Metrics().counters(), rule_of)
    stop.set()
    put(sqlite, [visit(1)])
    thread = threading.Thread(target=folder.run, args=(stop, drained))
    thread.start()
    assert asked.wait(20)
    put(sqlite, [visit(2)])
    drained.set()
    thread.join(20)
    assert total(sqlite) == (1, 1, 2)
    assert sqlite.execute("select holder from site_lease") == [("",)]


def test_large_texts_pass_the_smallest_packet(mariadb: MariaDB) -> None:
    with mariadb.setting("max_allowed_packet", 1 << 20):
        store = open_store(mariadb.url(mariadb.fresh_database()))
        migrate(store)
        for start in range(0, 2_000, 250):
            put(store, [_large(number) for number in range(start, start + 250)])
        drain(folder_of(store, DAILY))
        assert (letters(store), waiting(store)) == (0, 0)
        assert total(store)[2] == 2_000
        store.close()


def _large(number: int) -> Event:
    """Return an event with nothing but long texts, each of its own, in a visit that all others are in too."""
    page = f"/{number}/" + "ä" * 500
    return msgspec.structs.replace(
        visit(number, f"2026-11-20 12:{number % 30:02}"),
        url=f"https://example.org{page}",
        title=f"{number} " + "ü" * 500,
        properties={f"{number}-{key}": "x" * 200 for key in range(4)},
    )
