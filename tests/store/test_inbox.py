"""The queue of events: filled exactly once, whatever happens."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from tests.mariadb import MariaDB
from tests.store.proxy import Cut, How, proxy_to
from tests.store.samples import DAY, HOME, NOW, drain_whole, key, new_batch, numbers, row, stored_count, visit, visits
from tests.store.test_sqlite_faults import ENVIRONMENT
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import InboxRow
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.inbox import DeadLetter, Inbox
from visitor_tracker.store.session import Rows, Session, T, Value
from visitor_tracker.store.sql import SqlStore

SEGMENT, OTHER_SEGMENT = key(1000), key(1001)
ALICE, BOB = key(7), key(8)


@pytest.fixture
def inbox(store: SqlStore) -> Inbox:
    return Inbox(store.database)


def drain(inbox: Inbox, *rows: InboxRow, old: int = 0, new: int = 10, at: int = NOW) -> bool:
    return inbox.drain(rows, (), segment_id=SEGMENT, old=old, new=new, at=at)


def days(store: SqlStore) -> list[tuple[int, bytes, int, int]]:
    found = store.execute("select site_id, visitor, day, first_at from visitor_days order by site_id, visitor, day")
    return [(site_id, bytes(visitor), day, first_at) for site_id, visitor, day, first_at in found]


def test_a_drain_adds_rows_and_days_and_moves_the_cursor(store: SqlStore, inbox: Inbox) -> None:
    rows = [row(2), row(1), row(3, site_id=2)]
    seen = [(2, BOB, DAY, NOW), (1, ALICE, DAY, NOW)]
    assert inbox.drain(rows, seen, segment_id=SEGMENT, old=0, new=80, at=NOW)
    assert (inbox.rows(1, 10), inbox.rows(2, 10)) == ([row(1), row(2)], [row(3, site_id=2)])
    assert days(store) == [(1, ALICE, DAY, NOW), (2, BOB, DAY, NOW)]
    assert inbox.positions([SEGMENT, OTHER_SEGMENT]) == {SEGMENT: 80}
    assert inbox.pending() == (3, 9)


def test_a_drain_goes_on_where_the_last_one_ended(inbox: Inbox) -> None:
    assert drain(inbox, row(1), new=10)
    assert drain(inbox, row(2), old=10, new=25)
    assert drain(inbox, old=25, new=30)
    assert inbox.positions([SEGMENT]) == {SEGMENT: 30}
    assert inbox.rows(1, 10) == [row(1), row(2)]


@pytest.mark.parametrize(("old", "new"), [(0, 10), (0, 20), (5, 20), (20, 30)])
def test_a_drain_from_elsewhere_does_nothing(store: SqlStore, inbox: Inbox, old: int, new: int) -> None:
    drain(inbox, row(1))
    assert not inbox.drain([row(2)], [(1, BOB, DAY, NOW)], segment_id=SEGMENT, old=old, new=new, at=NOW)
    assert inbox.positions([SEGMENT]) == {SEGMENT: 10}
    assert inbox.pending() == (1, 3)
    assert days(store) == []


def test_an_unknown_segment_is_at_its_beginning(inbox: Inbox) -> None:
    assert not drain(inbox, row(1), old=10, new=20)
    assert inbox.positions([SEGMENT]) == {}
    assert inbox.positions([]) == {}
    assert inbox.pending() == (0, 0)


@pytest.mark.parametrize("new", [5, 4, 0])
def test_a_cursor_only_moves_forward(inbox: Inbox, new: int) -> None:
    with pytest.raises(ValueError, match="moves forward"):
        drain(inbox, row(1), old=5, new=new)


def test_a_row_that_is_there_stays(inbox: Inbox) -> None:
    drain(inbox, row(1, body=b"first"))
    assert drain(inbox, row(1, body=b"second", events=9), row(2), old=10, new=20)
    assert inbox.rows(1, 10) == [row(1, body=b"first"), row(2)]


def test_a_day_keeps_the_first_time(store: SqlStore, inbox: Inbox) -> None:
    for position, times in enumerate([(NOW + 5, NOW + 3, NOW + 9), (NOW + 4,), (NOW + 1, NOW + 2)]):
        seen = [(1, ALICE, DAY, first_at) for first_at in times]
        inbox.drain((), seen, segment_id=SEGMENT, old=position, new=position + 1, at=NOW)
        assert days(store) == [(1, ALICE, DAY, [NOW + 3, NOW + 3, NOW + 1][position])]


def test_visitors_are_known_by_site_and_day(inbox: Inbox) -> None:
    inbox.drain((), [(1, ALICE, DAY, NOW), (1, ALICE, DAY - 1, NOW)], segment_id=SEGMENT, old=0, new=1, at=NOW)
    assert inbox.known(1, ALICE, DAY) == (True, True)
    assert inbox.known(1, ALICE, DAY + 1) == (True, False)
    assert inbox.known(1, BOB, DAY) == (False, False)
    assert inbox.known(2, ALICE, DAY) == (False, False)


def test_rows_are_read_in_slices_and_removed(inbox: Inbox) -> None:
    drain(inbox, *(row(number) for number in range(1, 8)), row(99, site_id=2))
    first = inbox.rows(1, 3)
    assert first == [row(1), row(2), row(3)]
    assert inbox.rows(1, 3, after=first[-1].id) == [row(4), row(5), row(6)]
    inbox.remove(1, [key(2), key(1), key(50), key(99)])
    inbox.remove(1, [])
    assert [one.id for one in inbox.rows(1, 9)] == [key(number) for number in (3, 4, 5, 6, 7)]
    assert inbox.pending() == (6, 18)


@pytest.mark.parametrize(
    ("most_rows", "most_events", "found"),
    [(10, 100, 4), (3, 100, 3), (10, 7, 3), (10, 6, 2), (10, 2, 1), (10, 0, 1), (1, 100, 1)],
)
def test_the_oldest_rows_have_few_events_together(inbox: Inbox, most_rows: int, most_events: int, found: int) -> None:
    rows = [InboxRow(1, key(number), NOW, events, b"body") for number, events in ((1, 3), (2, 2), (3, 2), (4, 1))]
    drain(inbox, *reversed(rows), InboxRow(2, key(0), NOW, 1, b"of another site"))
    assert inbox.oldest(1, most_rows=most_rows, most_events=most_events) == rows[:found]
    assert inbox.oldest(3, most_rows=most_rows, most_events=most_events) == []


def test_a_site_that_was_folded_may_be_drained_again(inbox: Inbox) -> None:
    drain(inbox, row(1))
    inbox.remove(1, [key(1)])
    assert not drain(inbox, row(1))
    assert inbox.pending() == (0, 0)


@pytest.mark.parametrize("size", [0, 449_900, 449_901, 450_001, 4 << 20])
def test_bodies_of_any_size_come_back(inbox: Inbox, size: int) -> None:
    rows = [row(1, body=b"a"), row(2, body=random.randbytes(size)), row(3, body=b"\0?%s{x}[]'")]
    assert drain(inbox, *rows)
    assert inbox.rows(1, 10) == rows


def test_many_rows_and_days_are_one_drain(store: SqlStore, inbox: Inbox) -> None:
    rows = [row(number, body=b"x" * (number % 3000)) for number in range(2500)]
    seen = [(1, key(number), DAY, NOW) for number in range(2500)]
    shuffled = random.sample(rows, len(rows))
    assert inbox.drain(shuffled, random.sample(seen, len(seen)), segment_id=SEGMENT, old=0, new=1, at=NOW)
    assert inbox.rows(1, 9999) == rows
    assert days(store) == seen
    inbox.remove(1, [one.id for one in rows])
    assert inbox.pending() == (0, 0)


def test_statements_fit_into_small_packets(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    sizes = [700_000, 300_000, 300_000, 5, 900_000]
    rows = [row(number, body=random.randbytes(size)) for number, size in enumerate(sizes)]
    url = mariadb.url(mariadb.fresh_database())
    migrate(opened(url))
    with mariadb.setting("max_allowed_packet", 1 << 20):
        inbox = Inbox(opened(url).database)
        assert drain(inbox, *rows)
        inbox.set_aside("large", rows[0].body, NOW)
    assert inbox.rows(1, 10) == rows
    assert [letter.body for letter in inbox.dead_letters(2)] == [rows[0].body]


def test_what_cannot_be_stored_is_kept_once(inbox: Inbox) -> None:
    large = random.randbytes(1 << 20)
    for body in (b"\xff", b"\xff", large, b""):
        inbox.set_aside("a reason: ünïcode %s", body, NOW + len(body), site_id=3)
    inbox.set_aside("another", b"\xff", NOW)
    assert [letter.body for letter in inbox.dead_letters(2)] == [large, b"\xff"]
    everything = inbox.dead_letters(100)
    assert len({letter.id for letter in everything}) == len(everything) == 4
    letter = everything[1]
    assert letter == DeadLetter(letter.id, 3, NOW + 1, "a reason: ünïcode %s", b"\xff")


def test_cursors_go_when_they_are_old(store: SqlStore, inbox: Inbox) -> None:
    drain(inbox, at=NOW)
    drain(inbox, old=10, new=11, at=NOW + 5)
    assert store.purge(ledger_before=NOW, ids_before=NOW) == 0
    assert store.purge(ledger_before=NOW, ids_before=NOW, cursors_before=NOW + 5) == 0
    assert store.purge(ledger_before=NOW, ids_before=NOW, cursors_before=NOW + 6) == 1
    assert inbox.positions([SEGMENT]) == {}


# Counting with events.


def test_a_count_brings_its_events(store: SqlStore, inbox: Inbox) -> None:
    rows, seen = [row(2), row(1)], [(1, ALICE, DAY, NOW)]
    assert numbers(store.count(new_batch(), visits(HOME), NOW, events=rows, seen=seen)) == [1]
    assert inbox.rows(1, 10) == [row(1), row(2)]
    assert days(store) == [(1, ALICE, DAY, NOW)]


@pytest.mark.parametrize("retry", [True, False])
def test_a_repeated_count_brings_its_events_once(store: SqlStore, inbox: Inbox, retry: bool) -> None:
    batch = new_batch()
    for _ in range(2):
        assert numbers(store.count(batch, visits(HOME), NOW, retry=retry, events=[row(1)])) == [1]
        assert inbox.rows(1, 10) == [row(1)]
    inbox.remove(1, [key(1)])  # folded
    assert numbers(store.count(batch, visits(HOME), NOW, retry=retry, events=[row(1)])) == [1]
    assert inbox.pending() == (0, 0)
    assert stored_count(store) == 1


def test_a_count_on_the_spot_brings_its_events(tmp_path: Path, opened: Callable[[str], SqlStore]) -> None:
    store = opened(f"sqlite:///{tmp_path / 'v.db'}")
    migrate(store)
    counted = store.count_at_once(new_batch(), visits(HOME), NOW, events=[row(1)], seen=[(1, ALICE, DAY, NOW)])
    assert counted is not None
    assert Inbox(store.database).rows(1, 10) == [row(1)]
    assert days(store) == [(1, ALICE, DAY, NOW)]


def test_a_count_that_fails_brings_no_events(store: SqlStore, inbox: Inbox) -> None:
    too_large = InboxRow(1, key(2), 1 << 70, 1, b"")
    with pytest.raises(Exception, match=r"large|range"):
        store.count(new_batch(), visits(HOME), NOW, events=[row(1), too_large])
    assert inbox.pending() == (0, 0)
    assert stored_count(store) == 0


# Several at once.


def test_drainers_that_race_store_each_piece_once(store: SqlStore) -> None:
    pieces = 25
    start = threading.Barrier(3)

    def race(_: int) -> int:
        inbox = Inbox(store.database)
        start.wait(20)
        mine = 0
        while (position := inbox.positions([SEGMENT]).get(SEGMENT, 0)) < pieces:
            seen = [(1, key(position % 5), DAY, NOW - position)]
            rows = [row(100 + position), row(200 + position, site_id=2)]
            mine += inbox.drain(rows, seen, segment_id=SEGMENT, old=position, new=position + 1, at=NOW)
        return mine

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(race, range(3))) == pieces
    inbox = Inbox(store.database)
    assert inbox.rows(1, 999) == [row(100 + position) for position in range(pieces)]
    assert inbox.pending() == (2 * pieces, 6 * pieces)
    assert days(store) == [(1, key(visitor), DAY, NOW - 20 - visitor) for visitor in range(5)]


def test_the_first_piece_is_raced_for_too(store: SqlStore) -> None:
    start = threading.Barrier(4)

    def race(number: int) -> bool:
        start.wait(20)
        return drain(Inbox(store.database), row(number), new=1 + number)  # each has read another piece

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(race, range(4)))
    assert won.count(True) == 1
    inbox = Inbox(store.database)
    assert inbox.rows(1, 10) == [row(won.index(True))]
    assert inbox.positions([SEGMENT]) == {SEGMENT: 1 + won.index(True)}


class Overtaken:
    """A session whose transaction is overtaken by another after its first answer."""

    def __init__(self, session: Session, overtake: Callable[[], object]) -> None:
        self._session = session
        self._overtake = [overtake]
        self.dialect = session.dialect

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        self._session.send(template, values, rows)

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        for each in rows:
            self.send(template, each)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        found = self._session.ask(template, values, rows)
        while self._overtake:
            self._overtake.pop()()
        return found

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        return self._session.run(sql, values)


def test_a_first_drain_that_is_overtaken_does_nothing(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    url = mariadb.url(mariadb.fresh_database())
    store, other = opened(url), Inbox(opened(url).database)
    migrate(store)
    write = store.database.write

    def overtaken_write(work: Callable[[Session], T]) -> T:
        return write(lambda session: work(Overtaken(session, lambda: drain(other, row(1), new=5))))

    store.database.write = overtaken_write  # type: ignore[method-assign]
    assert not drain(Inbox(store.database), row(2))
    assert other.rows(1, 10) == [row(1)]
    assert other.positions([SEGMENT]) == {SEGMENT: 5}


def test_drains_and_counts_never_deadlock(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    store = opened(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    [(_, before)] = mariadb.execute("show global status like 'Innodb_deadlocks'")

    def load(thread: int) -> None:
        choose = random.Random(thread)
        inbox = Inbox(store.database)
        for number in range(25):
            seen = [(1, key(choose.randrange(50)), DAY, NOW + choose.randrange(99)) for _ in range(40)]
            rows = [row(1000 * thread + 10 * number + part) for part in range(3)]
            if number % 3 == 0:
                batch = [visit(f"{HOME}{choose.randrange(30)}") for _ in range(40)]
                store.count(new_batch(), batch, NOW, events=rows, seen=seen)
            else:
                inbox.drain(rows, seen, segment_id=key(10_000 * thread + number), old=0, new=1, at=NOW)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(load, range(4))) == [None] * 4
    assert mariadb.execute("show global status like 'Innodb_deadlocks'") == [("Innodb_deadlocks", before)]
    assert Inbox(store.database).pending() == (4 * 25 * 3, 4 * 25 * 9)


# Faults.


def test_a_drain_killed_after_any_statement_is_done_again(lasting_store: SqlStore, store_url: str) -> None:
    segments = 6
    command = [sys.executable, "-m", "tests.store.draining_child", store_url, str(segments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    outcomes = done.stdout.splitlines()
    killed = outcomes.count("killed")
    assert outcomes == ["killed"] * killed + ["done"] * (segments - killed), done.stderr
    assert 3 < killed < segments
    inbox = Inbox(lasting_store.database)
    again = [drain_whole(inbox, segment) for segment in range(1, segments + 1)]
    assert again == [True] * killed + [False] * (segments - killed)
    assert inbox.rows(1, 99) == [row(2 * segment) for segment in range(1, segments + 1)]
    assert inbox.pending() == (2 * segments, 6 * segments)
    assert len(days(lasting_store)) == 2 * segments


@pytest.fixture
def far(mariadb: MariaDB) -> Iterator[tuple[SqlStore, Callable[[Cut], None]]]:
    """A store behind a proxy, and what plans how its connection breaks."""
    name = mariadb.fresh_database()
    with proxy_to(mariadb.port) as proxy:
        store = open_store(mariadb.url(name, port=proxy.port))
        migrate(store)
        yield store, proxy.plan
        store.close()


@pytest.mark.parametrize("old", [0, 10])
@pytest.mark.parametrize("how", get_args(How))
def test_a_drain_whose_commit_got_no_answer_is_done_once(
    far: tuple[SqlStore, Callable[[Cut], None]], how: How, old: int
) -> None:
    store, plan = far
    inbox = Inbox(store.database)
    if old:
        drain(inbox, new=old)
    plan(Cut(2, how))  # the cursor, all else with COMMIT
    with pytest.raises(OutcomeUnknown):
        drain(inbox, row(1), old=old, new=20)
    drained = drain(inbox, row(1), old=old, new=20)
    assert drained or how != "before"
    assert inbox.rows(1, 10) == [row(1)]
    assert inbox.positions([SEGMENT]) == {SEGMENT: 20}
    assert not drain(inbox, row(1), old=old, new=20)


def test_a_drain_while_the_server_is_silent_is_done_later(mariadb: MariaDB) -> None:
    store = open_store(mariadb.url(mariadb.fresh_database()), connect_seconds=1, answer_seconds=1)
    migrate(store)
    inbox = Inbox(store.database)
    with mariadb.frozen(), pytest.raises(StoreUnavailable):
        drain(inbox, row(1))
    assert drain(inbox, row(1))
    assert inbox.rows(1, 10) == [row(1)]
    store.close()


def test_a_drain_into_a_file_that_another_program_locks_is_done_later(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    store = open_store(f"sqlite:///{path}", answer_seconds=0.1)
    migrate(store)
    inbox = Inbox(store.database)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreUnavailable):
        drain(inbox, row(1))
    other.execute("rollback")
    other.close()
    assert drain(inbox, row(1))
    store.close()
