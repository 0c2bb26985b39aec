"""What is in the journal comes into the store, each record exactly once, whatever fails in between."""

import logging
import os
import threading
import time
from pathlib import Path

import pytest

from tests.ingest.draining import (
    AT,
    DAY,
    OTHER_SITE,
    PAGE,
    SITE,
    Failing,
    batch,
    days,
    drain_all,
    event,
    ids,
    ids_of,
    lines,
    rows,
    write,
)
from tests.running import until
from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import (
    Batch,
    InboxRow,
    Signal,
    Visit,
    decode_batch,
    decode_events,
    encode_batch,
    encode_events,
)
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.parcel import LEDGER_DAYS, counting_id
from visitor_tracker.ingest.segments import SegmentWriter, scan
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore


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


def test_visitors_are_noted_and_robots_too(store: SqlStore, folder: Path, counters: Counters) -> None:
    ann, bob, robot = (bytes([number]) * 16 for number in range(3))
    write(folder, batch(event(visitor=bob, ts=AT + 1), event(visitor=ann), event(visitor=bob), event()))
    write(folder, batch(event(OTHER_SITE, visitor=ann), event(visitor=robot, signals=Signal.USER_AGENT)))
    drain_all(Drainer(folder, store, counters))
    people = [(SITE, ann, DAY, AT), (SITE, bob, DAY, AT), (OTHER_SITE, ann, DAY, AT)]
    assert days(store) == sorted([*people, (SITE, robot, DAY, AT)])


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


def test_a_cursor_that_another_moved_is_asked_for(sqlite: SqlStore, folder: Path, counters: Counters) -> None:
    batches = [batch(event()) for _ in range(3)]
    writer = SegmentWriter(folder)
    drainer = Drainer(folder, sqlite, counters)
    ends = []
    for number, one in enumerate(batches):
        writer.append([encode_batch(one)])
        writer.sync()
        ends.append(writer.size)
        if number == 0:
            drain_all(drainer)
    moved = Inbox(sqlite.database).drain([], [], segment_id=writer.id, old=ends[0], new=ends[1], at=AT)
    assert moved
    drain_all(drainer)
    assert ids(sqlite) == ids_of(batches[0], batches[2])
    writer.close()


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
    # What failed is tried again with small transactions, that grow.
    assert sorted(row.events for row in rows(store)) == ([2, 4, 4] if when == "before" else [10])


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


@pytest.mark.parametrize("tried", [True, False])
def test_only_what_may_be_counted_already_and_is_too_old_to_tell_is_set_aside(
    sqlite: SqlStore, folder: Path, counters: Counters, tried: bool
) -> None:
    at = int(time.time() * 1000) - LEDGER_DAYS * 86_400_000
    old = Batch(counting_id(at, tried=tried), at, [event()], [Visit(page_hash(PAGE), PAGE)])
    new = Batch(counting_id(at, tried=tried), int(time.time() * 1000), [event()], [Visit(page_hash(PAGE), PAGE)])
    write(folder, old, new)
    drain_all(Drainer(folder, sqlite, counters))
    stored = [new] if tried else [old, new]
    assert visits_of(sqlite) == len(stored)
    assert ids(sqlite) == ids_of(*stored)
    assert [decode_batch(letter.body) for letter in Inbox(sqlite.database).dead_letters(9)] == ([old] if tried else [])
    assert counters.get(Cell.DEAD_LETTERS) == tried


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
