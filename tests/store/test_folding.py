"""What a fold's transaction does besides counting: the lease, what waits, what is new."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.store.samples import DAY, NOW, key, row
from visitor_tracker.store import folding as tables
from visitor_tracker.store import migrate
from visitor_tracker.store.inbox import add_rows
from visitor_tracker.store.session import Rows, Session
from visitor_tracker.store.sql import SqlStore

SITE = 7
LASTS = 10_000  # ms of a lease
ONE, OTHER = "node-1", "node-2"


@pytest.fixture
def fold(store: SqlStore) -> tables.FoldTables:
    return tables.FoldTables(store.database)


@pytest.fixture
def far(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> SqlStore:
    """A store where transactions run side by side."""
    store = opened(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    return store


def hold(fold: tables.FoldTables, holder: str, now: int, site_id: int = SITE) -> bool:
    return fold.write(lambda session: tables.hold_lease(session, site_id, holder, now, now + LASTS))


def lease(store: SqlStore) -> Rows:
    return store.execute("select holder, epoch, until_at from site_lease where site_id = %s", (SITE,))


def test_the_first_that_asks_has_the_lease(store: SqlStore, fold: tables.FoldTables) -> None:
    assert fold.holder_of(SITE) == ""
    assert [hold(fold, ONE, NOW), hold(fold, OTHER, NOW + 1), hold(fold, ONE, NOW + 2)] == [True, False, True]
    assert lease(store) == [(ONE, 1, NOW + LASTS)]
    assert fold.holder_of(SITE) == ONE


def test_each_site_has_a_lease_of_its_own(fold: tables.FoldTables) -> None:
    assert hold(fold, ONE, NOW)
    assert hold(fold, OTHER, NOW, site_id=-SITE)
    assert (fold.holder_of(SITE), fold.holder_of(-SITE)) == (ONE, OTHER)


@pytest.mark.parametrize(
    ("holder", "later", "after"),
    [
        (ONE, LASTS // 2, (ONE, 1, LASTS)),
        (ONE, LASTS // 2 + 1, (ONE, 1, LASTS + LASTS // 2 + 1)),
        (ONE, LASTS, (ONE, 1, 2 * LASTS)),
        (OTHER, LASTS - 1, (ONE, 1, LASTS)),
        (OTHER, LASTS, (OTHER, 2, 2 * LASTS)),
        (OTHER, 5 * LASTS, (OTHER, 2, 6 * LASTS)),
    ],
)
def test_a_lease_is_written_when_it_must_be(
    store: SqlStore, fold: tables.FoldTables, holder: str, later: int, after: tuple[str, int, int]
) -> None:
    hold(fold, ONE, NOW)
    assert hold(fold, holder, NOW + later) == (after[0] == holder)
    assert lease(store) == [(*after[:2], NOW + after[2])]


def test_a_lease_that_is_given_back_is_free_at_once(store: SqlStore, fold: tables.FoldTables) -> None:
    hold(fold, ONE, NOW)
    fold.write(lambda session: tables.release_lease(session, SITE, OTHER))
    assert fold.holder_of(SITE) == ONE
    fold.write(lambda session: tables.release_lease(session, SITE, ONE))
    assert fold.holder_of(SITE) == ""
    assert hold(fold, OTHER, NOW + 1)
    assert lease(store) == [(OTHER, 2, NOW + 1 + LASTS)]


@pytest.mark.parametrize("expired", [False, True])
def test_of_many_that_want_a_lease_at_once_one_gets_it(far: SqlStore, expired: bool) -> None:
    """Also where all of them find that it ends at this very millisecond."""
    fold = tables.FoldTables(far.database)
    for round_ in range(10):
        site_id = 100 + round_
        if expired:
            hold(fold, "before", NOW - LASTS, site_id)
        ready = threading.Barrier(4)

        def take(number: int, site_id: int = site_id, ready: threading.Barrier = ready) -> bool:
            ready.wait(30)
            return hold(fold, f"node-{number}", NOW, site_id)

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(take, range(4)))
        assert taken.count(True) == 1
        assert fold.holder_of(site_id) == f"node-{taken.index(True)}"


def test_who_asks_during_a_transaction_of_the_holder_waits_for_its_end(far: SqlStore) -> None:
    fold = tables.FoldTables(far.database)
    hold(fold, ONE, NOW)
    status = "show global status like 'Innodb_row_lock_current_waits'"
    with ThreadPoolExecutor(1) as pool:

        def work(session: Session) -> Future[bool]:
            assert tables.hold_lease(session, SITE, ONE, NOW + 1, NOW + 1 + LASTS)
            other = pool.submit(hold, fold, OTHER, NOW + 2 * LASTS)
            while session.ask(status)[0][1] == "0":
                assert not other.done()
            return other

        assert fold.write(work).result(30)
    assert fold.holder_of(SITE) == OTHER


def test_different_sites_are_folded_at_the_same_time(far: SqlStore) -> None:
    fold = tables.FoldTables(far.database)
    both_inside = threading.Barrier(2)

    def work(session: Session, site_id: int) -> bool:
        held = tables.hold_lease(session, site_id, ONE, NOW, NOW + LASTS)
        held &= tables.new_ids(session, site_id, [key(1)], key(9), NOW) == {key(1)}
        both_inside.wait(30)
        tables.note_days(session, site_id, [DAY])
        return held

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda site_id: fold.write(partial(work, site_id=site_id)), (1, 2))) == [True, True]
    assert far.execute("select site_id, day from raw_days order by site_id") == [(1, DAY), (2, DAY)]


def test_what_still_waits(fold: tables.FoldTables) -> None:
    fold.write(lambda session: add_rows(session, [row(1), row(2), row(4, site_id=2)]))
    asked = [key(number) for number in (4, 3, 2, 1)]
    assert fold.write(lambda session: tables.still_waiting(session, 1, asked)) == {key(1), key(2)}
    assert fold.write(lambda session: tables.still_waiting(session, 1, [])) == set()


def test_sites_wait_while_they_have_rows(fold: tables.FoldTables) -> None:
    assert fold.sites_waiting() == []
    sites = [-(2**62), -5, 1, 3, 2**62]
    fold.write(lambda session: add_rows(session, [row(n, site_id=site) for site in sites for n in range(40)]))
    assert fold.sites_waiting() == sites


def test_an_id_is_new_once(store: SqlStore, fold: tables.FoldTables) -> None:
    def new(numbers: list[int], batch: int, site_id: int = 1) -> set[int]:
        ids = [key(number) for number in numbers]
        found = fold.write(lambda session: tables.new_ids(session, site_id, ids, key(batch), NOW + batch))
        return {int.from_bytes(one, "big") for one in found}

    assert new([3, 1, 3], 1) == {1, 3}
    assert new([1, 2, 3, 2], 2) == {2}
    assert new([1, 2, 3], 2) == set()  # nor of the batch that brought it
    assert new([1], 2, site_id=2) == {1}
    assert new([], 3) == set()
    rows = store.execute("select site_id, id, batch_id, at from event_ids where scope = 'event' order by site_id, id")
    assert [(site, bytes(one), bytes(batch), at) for site, one, batch, at in rows] == [
        (1, key(1), key(1), NOW + 1),
        (1, key(2), key(2), NOW + 2),
        (1, key(3), key(1), NOW + 1),
        (2, key(1), key(2), NOW + 2),
    ]


def test_an_id_of_the_page_counter_is_another_one(store: SqlStore, fold: tables.FoldTables) -> None:
    store.execute("insert into event_ids values (1, 'counter', %s, %s, 5)", (key(1), key(2)))
    assert fold.write(lambda session: tables.new_ids(session, 1, [key(1)], key(2), NOW)) == {key(1)}


def test_many_ids_are_one_call(fold: tables.FoldTables) -> None:
    ids = [key(number) for number in range(2500)]
    assert fold.write(lambda session: tables.new_ids(session, 1, ids[::2], key(1), NOW)) == set(ids[::2])
    assert fold.write(lambda session: tables.new_ids(session, 1, ids, key(2), NOW)) == set(ids[1::2])


def test_holders_of_one_lease_find_each_id_new_once(far: SqlStore) -> None:
    fold = tables.FoldTables(far.database)
    ids = [key(number) for number in range(300)]

    def work(session: Session, start: int) -> int:
        assert tables.hold_lease(session, SITE, ONE, NOW, NOW + LASTS)
        return len(tables.new_ids(session, SITE, ids[start : start + 60], key(start), NOW))

    starts = [start for start in range(0, 300, 20) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda start: fold.write(partial(work, start=start)), starts)) == len(ids)


def test_a_day_that_was_noted_stays_as_it_is(store: SqlStore, fold: tables.FoldTables) -> None:
    fold.write(lambda session: tables.note_days(session, 1, [DAY, DAY - 1]))
    store.execute("update raw_days set raw_complete = 0 where day = %s", (DAY,))
    fold.write(lambda session: tables.note_days(session, 1, {DAY, DAY + 1}))
    days = store.execute("select site_id, day, raw_complete from raw_days order by day")
    assert days == [(1, DAY - 1, 1), (1, DAY, 0), (1, DAY + 1, 1)]


def test_a_transaction_that_fails_leaves_nothing(store: SqlStore, fold: tables.FoldTables) -> None:
    def work(session: Session) -> None:
        assert tables.hold_lease(session, SITE, ONE, NOW, NOW + LASTS)
        tables.new_ids(session, SITE, [key(1)], key(2), NOW)
        tables.note_days(session, SITE, [DAY])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fold.write(work)
    assert fold.holder_of(SITE) == ""
    assert store.execute("select count(*) from event_ids union all select count(*) from raw_days") == [(0,), (0,)]


def test_a_transaction_sees_whether_others_wait_to_write(tmp_path: Path, opened: Callable[[str], SqlStore]) -> None:
    """Another process would be seen as this other connection is."""
    url = f"sqlite:///{tmp_path / 'visitors.db'}"
    store, other = opened(url), opened(url)
    migrate(store)

    def work(session: Session) -> Future[None]:
        assert not store.database.is_wanted()
        waiting = pool.submit(other.probe)
        while not store.database.is_wanted():
            assert not waiting.done()
        tables.note_days(session, SITE, [DAY])
        return waiting

    with ThreadPoolExecutor(1) as pool:
        store.database.write(work).result(30)


def test_nobody_waits_for_a_turn_where_there_is_none(far: SqlStore) -> None:
    assert far.database.write(lambda _: far.database.is_wanted()) is False
