"""Records that no store takes, damaged segments, and a journal that grows too large stop nothing."""

import os
import shutil
import time
from collections import Counter as Tally
from pathlib import Path

import pytest

from tests.ingest.draining import (
    AT,
    POISON_SITE,
    SITE,
    Failing,
    batch,
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
from visitor_tracker.event import (
    Batch,
    Event,
    decode_batch,
    encode_batch,
)
from visitor_tracker.ingest import reclaim
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.segments import SegmentWriter, scan
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore


def refuse(store: SqlStore, table: str, when: str = f"new.site_id in (0, {POISON_SITE})") -> None:
    """Let a table refuse rows: those of the poisoned site and of none."""
    if store.database.dialect == "sqlite":
        does = f"when {when} begin select raise(abort, 'poison'); end"
    else:
        does = f"for each row if {when} then signal sqlstate '45000' set message_text = 'poison'; end if"
    store.execute(f"create trigger refuse_{table} before insert on {table} {does}")


def test_only_the_refused_record_is_set_aside(
    store: SqlStore, folder: Path, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(store, "inbox")
    good = [batch(event()) for _ in range(6)]
    poison = [batch(event(POISON_SITE), event()) for _ in range(2)]
    write(folder, *good[:3], poison[0], *good[3:], poison[1])
    drain_all(Drainer(folder, store, counters))
    assert ids(store) == ids_of(*good)
    letters = Inbox(store.database).dead_letters(10)
    assert sorted(decode_batch(letter.body).id for letter in letters) == sorted(one.id for one in poison)
    assert all("poison" in letter.reason for letter in letters)
    assert counters.get(Cell.DEAD_LETTERS) == 2
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
    good = batch(event())
    write(folder, b"\xc1", good)
    drainer = Drainer(folder, store, counters)
    assert not drainer.step()
    migrate(store)
    refuse(store, "dead_letters")
    refuse(store, "journal_cursor", "1 = 1")
    assert not drainer.step()
    assert list((folder / reclaim.DEAD).iterdir()) == []
    for table in ("dead_letters", "journal_cursor"):
        store.execute(f"drop trigger refuse_{table}")
    drain_all(drainer)
    assert ids(store) == ids_of(good)
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
    assert set(Inbox(store.database).positions(list(known.values()))) == set(known.values()), "copies may be elsewhere"


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


@pytest.mark.parametrize("name", ["0" * 32, "f" * 32])
def test_a_second_file_of_a_segment_hides_nothing_of_it(
    sqlite: SqlStore, folder: Path, counters: Counters, name: str
) -> None:
    """Half of a segment, with a name before or after its own."""
    batches = [batch(event()) for _ in range(4)]
    path = write(folder, *batches)
    content = path.read_bytes()
    path.with_stem(name).write_bytes(content[: len(content) // 2])
    drain_all(Drainer(folder, sqlite, counters))
    assert ids(sqlite) == ids_of(*batches)


def test_a_segment_that_is_being_copied_here_is_drained_wholly(
    sqlite: SqlStore, folder: Path, counters: Counters
) -> None:
    batches = [batch(event()) for _ in range(4)]
    path = write(folder, *batches)
    content = path.read_bytes()
    drainer = Drainer(folder, sqlite, counters)
    for size in range(0, len(content) + 1, 50):
        path.write_bytes(content[:size])
        drain_all(drainer)
    path.write_bytes(content)
    drain_all(drainer)
    assert ids(sqlite) == ids_of(*batches)
    assert counters.get(Cell.DRAIN_DAMAGED) == 0


def test_a_copy_of_a_deleted_segment_brings_nothing_twice(
    sqlite: SqlStore, folder: Path, counters: Counters, tmp_path: Path
) -> None:
    """As on another node whose data folder was copied, or from a backup."""
    one = batch(event())
    path = write(folder, one)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(path, elsewhere)
    os.utime(path, (0, 0))
    drainer = Drainer(folder, sqlite, counters)
    while path.exists():
        drainer.step()
    Inbox(sqlite.database).remove(SITE, [row.id for row in rows(sqlite)])  # folded
    drain_all(Drainer(elsewhere, sqlite, counters))
    assert ids(sqlite) == []
