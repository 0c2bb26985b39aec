"""What is in the journal comes into the store, each record exactly once, whatever fails in between."""

import logging
import os
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.running import until
from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import (
    Agent,
    Batch,
    Event,
    InboxRow,
    Place,
    Signal,
    Source,
    Visit,
    decode_batch,
    decode_events,
    encode_batch,
    encode_events,
)
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest import reclaim
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.segments import SegmentWriter, make_folder, scan, time_ordered_id
from visitor_tracker.metrics import Cell, Counters, Metrics
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.base import Finding
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.session import Database, Session, T
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.statements import Dialect

SITE, OTHER_SITE, POISON_SITE = 1, 2, 13
DAY, AT = 20261122, 1_795_300_000_000
PAGE = "https://example.com/"


@pytest.fixture
def counters() -> Counters:
    return Metrics().counters()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    make_folder(path)
    return path


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    opened = open_store(store_url)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'visitors.db'}")
    migrate(opened)
    yield opened
    opened.close()


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

    def ping(self) -> None:
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
    return Batch(time_ordered_id(), AT, list(events), list(visits))


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


def test_batches_become_one_row_for_each_site(store: SqlStore, folder: Path, counters: Counters) -> None:
    first, second = batch(event(), event(OTHER_SITE)), batch(event(), event())
    write(folder, first, second)
    drainer = Drainer(folder, store, counters)
    drain_all(drainer)
    [row] = rows(store)
    assert (row.id, row.at, row.events) == (first.id, AT, 3)
    assert decode_events(row.body) == [first.events[0], *second.events]
    assert ids(store, OTHER_SITE) == [first.events[1].id]
    assert (counters.get(Cell.DRAINED), drainer.backlog_bytes()) == (4, 0)
    assert counters.get(Cell.JOURNAL_BYTES) == sum(segment.size for segment in scan(folder)) > 0


def test_visitors_are_noted_without_robots(store: SqlStore, folder: Path, counters: Counters) -> None:
    ann, bob, robot = (bytes([number]) * 16 for number in range(3))
    write(folder, batch(event(visitor=bob, ts=AT + 1), event(visitor=ann), event(visitor=bob), event()))
    write(folder, batch(event(OTHER_SITE, visitor=ann), event(visitor=robot, signals=Signal.USER_AGENT)))
    drain_all(Drainer(folder, store, counters))
    assert days(store) == [(SITE, ann, DAY, AT), (SITE, bob, DAY, AT), (OTHER_SITE, ann, DAY, AT)]


def test_a_live_segment_is_read_as_far_as_it_is_synced(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    synced, waiting = batch(event()), batch(event())
    writer = SegmentWriter(folder)
    writer.append([encode_batch(synced)])
    writer.sync()
    writer.append([encode_batch(waiting)])
    drainer = Drainer(folder, sqlite, counters)
    drain_all(drainer)
    assert ids(sqlite) == ids_of(synced)
    assert drainer.backlog_bytes() == 0
    writer.sync()
    drain_all(drainer)
    assert ids(sqlite) == ids_of(synced, waiting)
    writer.close()


def test_a_dead_segment_is_read_to_its_last_whole_record(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    whole, torn = batch(event()), batch(event())
    path = write(folder, whole, torn)
    os.truncate(path, path.stat().st_size - 1)
    path.with_suffix(".synced").write_bytes(bytes(8))
    drain_all(Drainer(folder, sqlite, counters))
    assert ids(sqlite) == ids_of(whole)
    assert counters.get(Cell.DRAIN_DAMAGED) == 0


def test_a_new_process_goes_on_where_the_last_one_was(store: SqlStore, folder: Path, counters: Counters) -> None:
    batches = [batch(event(title="x" * 1000)) for _ in range(3_000)]  # more than a step takes
    write(folder, *batches)
    assert Drainer(folder, store, counters).step()
    assert 0 < len(ids(store)) < 3_000
    drain_all(Drainer(folder, store, counters))
    assert ids(store) == ids_of(*batches)


def test_two_drainers_double_nothing(store: SqlStore, folder: Path, counters: Counters) -> None:
    batches = [batch(*(event(visitor=os.urandom(16)) for _ in range(100))) for _ in range(60)]
    for start in range(0, 60, 10):
        write(folder, *batches[start : start + 10])
    together = threading.Barrier(2)

    def work() -> None:
        drainer = Drainer(folder, store, counters)
        together.wait()
        while drainer.step() or drainer.backlog_bytes():
            pass

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(store) == ids_of(*batches)
    assert len(days(store)) == 6_000
    assert counters.get(Cell.DRAINED) == 6_000


def test_rows_and_transactions_have_bounds(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    many = [batch(*(event() for _ in range(400))) for _ in range(12)]
    large = batch(*(event(title="x" * 9_000) for _ in range(300)))
    write(folder, *many, large)
    drain_all(Drainer(folder, sqlite, counters))
    found = rows(sqlite)
    assert ids(sqlite) == ids_of(*many, large)
    assert max(row.events for row in found) <= 1_000
    assert max(len(row.body) for row in found) <= (1 << 20) + 100
    assert sum(row.id == large.id for row in found) == 1


@pytest.mark.parametrize("error", [StoreUnavailable("away"), OutcomeUnknown("broke in commit")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_that_fails_stores_once(
    store: SqlStore, folder: Path, counters: Counters, error: Exception, when: str
) -> None:
    if when == "after" and isinstance(error, StoreUnavailable):
        error = OutcomeUnknown("after all")
    failing = Failing(store.database)
    getattr(failing, when).append(error)
    batches = [batch(event(), event()) for _ in range(5)]
    write(folder, *batches)
    drainer = Drainer(folder, SqlStore(failing), counters)
    assert not drainer.step()
    drain_all(drainer)
    assert ids(store) == ids_of(*batches)


def test_nothing_is_lost_while_the_store_is_away(
    sqlite: SqlStore, folder: Path, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failing = Failing(sqlite.database)
    failing.away.set()
    batches = [batch(event()), batch(event())]
    path = write(folder, batches[0])
    drainer = Drainer(folder, SqlStore(failing), counters, config=JournalConfig(keep_minutes=0))
    assert [drainer.step() for _ in range(3)] == [False, False, False]
    assert lines(caplog) == [f"the store is away, {path.stat().st_size} bytes wait in the journal: away"]
    assert drainer.backlog_bytes() == path.stat().st_size
    write(folder, batches[1])
    failing.away.clear()
    drain_all(drainer)
    assert ids(sqlite) == ids_of(*batches)
    assert drainer.backlog_bytes() == 0
    assert lines(caplog)[1:] == [next(line for line in lines(caplog) if "the journal is drained after" in line)]


# Poison.


def refuse(store: SqlStore, table: str) -> None:
    """Let a table refuse every row of the poisoned site."""
    if store.database.dialect == "sqlite":
        store.execute(
            f"create trigger refuse_{table} before insert on {table} when new.site_id in (0, {POISON_SITE}) "
            "begin select raise(abort, 'poison'); end"
        )
        return
    store.execute(
        f"create trigger refuse_{table} before insert on {table} for each row if new.site_id in (0, {POISON_SITE}) "
        "then signal sqlstate '45000' set message_text = 'poison'; end if"
    )


def test_only_the_refused_record_is_set_aside(
    store: SqlStore, folder: Path, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(store, "inbox")
    good = [batch(event()) for _ in range(6)]
    poison = batch(event(POISON_SITE), event())
    write(folder, *good[:3], poison, *good[3:])
    drain_all(Drainer(folder, store, counters))
    assert ids(store) == ids_of(*good)
    [letter] = Inbox(store.database).dead_letters(10)
    assert decode_batch(letter.body) == poison
    assert "poison" in letter.reason
    assert counters.get(Cell.DEAD_LETTERS) == 1
    assert len([line for line in lines(caplog) if "set aside" in line]) == 1


def test_what_is_no_batch_is_set_aside(store: SqlStore, folder: Path, counters: Counters) -> None:
    good = [batch(event()) for _ in range(2)]
    strange = [b"\xc1", b"\x01", encode_batch(Batch(b"short", AT, [event()])), encode_batch(Batch(bytes(16), -1, []))]
    write(folder, good[0], *strange, good[1])
    drain_all(Drainer(folder, store, counters))
    assert ids(store) == ids_of(*good)
    assert Tally(letter.body for letter in Inbox(store.database).dead_letters(10)) == Tally(strange)


@pytest.mark.parametrize(
    "bad",
    [
        event(visitor=b"xyz"),
        event(1 << 63),
        event(-1),
        event(ts=1 << 63),
        event(ts=-1),
    ],
    ids=["visitor", "site too large", "site too small", "time too large", "time too small"],
)
def test_one_event_that_no_table_can_take_is_alone_set_aside(
    store: SqlStore, folder: Path, counters: Counters, bad: Event
) -> None:
    mixed = batch(event(), bad, event())
    write(folder, mixed)
    drain_all(Drainer(folder, store, counters))
    assert ids(store) == sorted([mixed.events[0].id, mixed.events[2].id])
    [letter] = Inbox(store.database).dead_letters(10)
    assert decode_batch(letter.body) == Batch(mixed.id, AT, [bad])


def test_what_dead_letters_refuse_is_kept_in_a_file(store: SqlStore, folder: Path, counters: Counters) -> None:
    refuse(store, "inbox")
    refuse(store, "dead_letters")
    good, poison = batch(event()), batch(event(POISON_SITE))
    write(folder, poison, good)
    drainer = Drainer(folder, store, counters)
    drain_all(drainer)
    assert ids(store) == ids_of(good)
    [file] = (folder / reclaim.DEAD).iterdir()
    assert decode_batch(file.read_bytes()) == poison
    assert counters.get(Cell.DEAD_LETTERS) == 1
    assert drainer.backlog_bytes() == 0


def test_a_store_that_refuses_everything_is_away(store_url: str, folder: Path, counters: Counters) -> None:
    store = open_store(store_url)  # without its tables
    good = [batch(event()), batch(event())]
    write(folder, good[0], b"\xc1", good[1])
    drainer = Drainer(folder, store, counters)
    assert not drainer.step()
    migrate(store)
    store.execute("alter table journal_cursor rename to elsewhere")
    assert not drainer.step()
    store.execute("alter table elsewhere rename to journal_cursor")
    assert not (folder / reclaim.DEAD).exists() or not list((folder / reclaim.DEAD).iterdir())
    drain_all(drainer)
    assert ids(store) == ids_of(*good)
    assert [letter.body for letter in Inbox(store.database).dead_letters(10)] == [b"\xc1"]
    store.close()


# Damage.


def test_damage_is_passed_over_and_told_once(
    sqlite: SqlStore, folder: Path, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    batches = [batch(event(title=f"number {number}")) for number in range(5)]
    path = write(folder, *batches)
    content = bytearray(path.read_bytes())
    for title in (b"number 1", b"number 3"):
        content[content.index(title)] ^= 0xFF
    path.write_bytes(content)
    drainer = Drainer(folder, sqlite, counters)
    drain_all(drainer)
    assert ids(sqlite) == ids_of(batches[0], batches[2], batches[4])
    assert counters.get(Cell.DRAIN_DAMAGED) == 2
    assert lines(caplog) == [f"{path} is damaged; what can be read of it is stored"]
    assert drainer.backlog_bytes() == 0


def test_a_damaged_end_is_damage_when_it_was_synced(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    good, lost = batch(event()), batch(event(title="number 1"))
    path = write(folder, good, lost)
    content = bytearray(path.read_bytes())
    content[content.index(b"number 1")] ^= 0xFF
    path.write_bytes(content)
    drainer = Drainer(folder, sqlite, counters)
    drain_all(drainer)
    drain_all(drainer)
    assert ids(sqlite) == ids_of(good)
    assert counters.get(Cell.DRAIN_DAMAGED) == 1


@pytest.mark.parametrize("content", [b"", b"VTSG", os.urandom(4096)], ids=["empty", "half a head", "noise"])
def test_a_file_that_is_no_segment_stops_nothing(
    sqlite: SqlStore, folder: Path, counters: Counters, content: bytes
) -> None:
    (folder / ("00" * 16 + ".segment")).write_bytes(content)
    good = batch(event())
    write(folder, good)
    drain_all(Drainer(folder, sqlite, counters))
    assert ids(sqlite) == ids_of(good)


# The counter.


def counted(*urls: str) -> Batch:
    return batch(event(), visits=[Visit(page_hash(url), url) for url in urls])


def visits_of(store: SqlStore) -> int:
    found = store.page(page_hash(PAGE))
    return found.visit_count if found else 0


@pytest.mark.parametrize("known", [True, False])
def test_a_batch_of_the_counter_counts_once(store: SqlStore, folder: Path, counters: Counters, known: bool) -> None:
    between, visits = [batch(event()), batch(event())], counted(PAGE, PAGE)
    if known:  # its answer was lost, but not its transaction
        own = InboxRow(SITE, visits.id, AT, 1, encode_events(visits.events))
        store.count(visits.id, visits.visits, AT, events=[own])
    write(folder, between[0], visits, between[1])
    drain_all(Drainer(folder, store, counters))
    assert visits_of(store) == 2
    assert ids(store) == ids_of(visits, *between)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([OutcomeUnknown("in the count")], []),
        ([], [OutcomeUnknown("after the count")]),
        ([None, StoreUnavailable("between count and cursor")], []),
        ([], [None, OutcomeUnknown("after the cursor")]),
    ],
)
def test_a_crash_around_a_batch_of_the_counter_counts_once(
    store: SqlStore, folder: Path, counters: Counters, before: list[Exception | None], after: list[Exception | None]
) -> None:
    failing = Failing(store.database)
    failing.before, failing.after = list(before), list(after)
    visits = counted(PAGE)
    write(folder, visits)
    assert not Drainer(folder, SqlStore(failing), counters).step()
    drain_all(Drainer(folder, store, counters))  # a new process
    assert visits_of(store) == 1
    assert ids(store) == ids_of(visits)


def test_the_cursor_waits_for_the_count(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    failing = Failing(sqlite.database)
    failing.before = [StoreUnavailable("away")] * 3
    write(folder, counted(PAGE))
    drainer = Drainer(folder, SqlStore(failing), counters)
    assert [drainer.step() for _ in range(3)] == [False] * 3
    assert Inbox(sqlite.database).positions([segment.id for segment in scan(folder)]) == {}
    drain_all(drainer)
    assert visits_of(sqlite) == 1


# Room.


def test_old_drained_segments_are_deleted(store: SqlStore, folder: Path, counters: Counters) -> None:
    config = JournalConfig(keep_minutes=10)
    old, young = write(folder, batch(event())), write(folder, batch(event()))
    long_ago = time.time() - 601
    os.utime(old, (long_ago, long_ago))
    known = {segment.path: segment.id for segment in scan(folder)}
    drainer = Drainer(folder, store, counters, config=config)
    drain_all(drainer)
    drainer.step()
    assert [segment.path for segment in scan(folder)] == [young]
    assert not old.with_suffix(".synced").exists()
    assert list(Inbox(store.database).positions(list(known.values()))) == [known[young]]


def test_room_for_new_events_comes_first(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    config = JournalConfig(max_bytes=8 << 20)
    large = [[batch(event(title="x" * (1 << 20))) for _ in range(3)] for _ in range(3)]
    failing = Failing(sqlite.database)
    failing.away.set()
    drainer = Drainer(folder, SqlStore(failing), counters, config=config)
    paths = [write(folder, *part) for part in large]
    drainer.step()
    assert [segment.path for segment in scan(folder)] == paths  # too large, but nothing of it is in the store
    failing.away.clear()
    drain_all(drainer)
    until(lambda: drainer.step() or len(scan(folder)) == 2)
    assert [segment.path for segment in scan(folder)] == paths[1:]  # seven eighths of the room is enough
    assert ids(sqlite) == ids_of(*(one for part in large for one in part))


def test_room_is_made_while_the_store_is_away(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    failing = Failing(sqlite.database)
    drainer = Drainer(folder, SqlStore(failing), counters, config=JournalConfig(max_bytes=8 << 20))
    write(folder, *(batch(event(title="x" * (1 << 20))) for _ in range(4)))
    drain_all(drainer)
    failing.away.set()
    waiting = write(folder, *(batch(event(title="x" * (1 << 20))) for _ in range(4)))
    until(lambda: drainer.step() or [segment.path for segment in scan(folder)] == [waiting])


def test_a_live_segment_is_never_deleted(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    writer = SegmentWriter(folder)
    writer.append([encode_batch(batch(event()))])
    writer.sync()
    long_ago = time.time() - 10_000
    os.utime(writer.path, (long_ago, long_ago))
    drainer = Drainer(folder, sqlite, counters, config=JournalConfig(keep_minutes=0))
    drain_all(drainer)
    drainer.step()
    assert writer.path.exists()
    writer.close()


def test_a_cursor_is_forgotten_later_when_the_store_is_away(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    failing = Failing(sqlite.database)
    failing.before = [None, StoreUnavailable("away")]
    path = write(folder, batch(event()))
    [segment] = scan(folder)
    os.utime(path, (0, 0))
    drainer = Drainer(folder, SqlStore(failing), counters)
    while path.exists():
        drainer.step()
    assert list(Inbox(sqlite.database).positions([segment.id])) == [segment.id]
    drainer.step()
    assert Inbox(sqlite.database).positions([segment.id]) == {}


# Running.


def test_it_runs_until_the_journal_is_empty(store: SqlStore, folder: Path, counters: Counters) -> None:
    drainer, stop = Drainer(folder, store, counters), threading.Event()
    thread = threading.Thread(target=drainer.run, args=(stop,))
    thread.start()
    first = batch(event())
    write(folder, first)
    until(lambda: ids(store) == ids_of(first))
    rest = [batch(event(title="x" * 1000)) for _ in range(3_000)]
    write(folder, *rest)
    stop.set()
    thread.join()
    assert ids(store) == ids_of(first, *rest)
    assert drainer.backlog_bytes() == 0


def test_it_stops_at_once_while_the_store_is_away(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    failing = Failing(sqlite.database)
    failing.away.set()
    path = write(folder, batch(event()))
    drainer, stop = Drainer(folder, SqlStore(failing), counters), threading.Event()
    thread = threading.Thread(target=drainer.run, args=(stop,))
    thread.start()
    until(lambda: counters.get(Cell.STORE_ERRORS) >= 2)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert drainer.backlog_bytes() == path.stat().st_size


def test_no_bug_ends_it(sqlite: SqlStore, folder: Path, counters: Counters, caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(sqlite.database)
    failing.before = [ZeroDivisionError("a bug")]
    one = batch(event())
    write(folder, one)
    drainer, stop = Drainer(folder, SqlStore(failing), counters), threading.Event()
    thread = threading.Thread(target=drainer.run, args=(stop,))
    thread.start()
    until(lambda: ids(sqlite) == ids_of(one))
    stop.set()
    thread.join()
    assert "draining the journal failed and is tried again" in lines(caplog)
