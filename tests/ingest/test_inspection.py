"""What an operator is told of the journal."""

import os
from pathlib import Path

import pytest

from visitor_tracker.event import Agent, Batch, Event, Place, Source, Visit, encode_batch
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.inspection import SegmentReport, status, verify
from visitor_tracker.ingest.reclaim import keep_dead
from visitor_tracker.ingest.segments import SegmentWriter, time_ordered_id
from visitor_tracker.metrics import Metrics
from visitor_tracker.store.sql import SqlStore

PAGE = "https://example.com/"


def batch(events: int, title: str = "", visits: int = 0) -> bytes:
    made = [
        Event(
            os.urandom(16), "pageview", 1, 1, 1, 20261122, b"", b"", b"", b"", PAGE, Source(), Place(), Agent(),
            title=title,
        )
        for _ in range(events)
    ]  # fmt: skip
    return encode_batch(Batch(time_ordered_id(), 1, made, [Visit(page_hash(PAGE), PAGE)] * visits))


def write(folder: Path, *payloads: bytes) -> SegmentWriter:
    """Make a segment that is still being written."""
    writer = SegmentWriter(folder)
    writer.append(payloads)
    writer.sync()
    return writer


def drain(folder: Path, store: SqlStore) -> None:
    drainer = Drainer(folder, store, Metrics().counters())
    while drainer.step():
        pass


def test_no_journal_is_an_empty_one(tmp_path: Path, sqlite: SqlStore) -> None:
    found = status(tmp_path / "nothing", sqlite)
    assert (found.segments, found.bytes, found.waiting_bytes, found.waiting, found.dead) == ((), 0, 0, 0, ())
    assert verify(tmp_path / "nothing") == []


def test_status_tells_what_waits(folder: Path, sqlite: SqlStore) -> None:
    old = write(folder, batch(3), batch(2))
    old.close()
    drain(folder, sqlite)
    live = write(folder, batch(4))
    live.append([batch(7)])  # not synced
    found = status(folder, sqlite)
    first, second = found.segments
    assert (first.path, first.bytes, first.synced, first.drained) == (old.path, old.size, old.size, old.size)
    assert (first.live, first.waiting) == (False, 0)
    assert (second.path, second.bytes, second.synced, second.drained) == (live.path, live.size, live.synced, 0)
    assert (second.live, second.waiting) == (True, 4)
    assert found.bytes == old.size + live.size
    assert (found.waiting_bytes, found.waiting) == (live.synced, 4)
    assert min(first.age_seconds, second.age_seconds) >= 0
    live.close()


def test_without_a_store_everything_waits(folder: Path, sqlite: SqlStore) -> None:
    writer = write(folder, batch(3, visits=1))
    writer.close()
    drain(folder, sqlite)
    assert status(folder, sqlite).waiting == 0
    alone = status(folder, None)
    assert (alone.waiting, alone.waiting_bytes, alone.segments[0].drained) == (3, writer.size, None)


def test_status_names_what_no_store_took(folder: Path) -> None:
    kept = keep_dead(folder, "name", b"body")
    assert status(folder, None).dead == (kept,)
    assert kept.read_bytes() == b"body"


def test_verify_reads_everything(folder: Path) -> None:
    sound = write(folder, batch(3), batch(2, visits=2))
    strange = write(folder, batch(1), b"\xc1")
    for writer in (sound, strange):
        writer.close()
    assert verify(folder) == [
        SegmentReport(sound.path, records=2, events=5, visits=2, damaged=0, strange=0, torn=False),
        SegmentReport(strange.path, records=2, events=1, visits=0, damaged=0, strange=1, torn=False),
    ]
    assert [report.is_sound for report in verify(folder)] == [True, False]


@pytest.mark.parametrize(
    ("title", "records", "damaged"), [(b"first", 2, 1), (b"middle", 2, 1), (b"last", 2, 1), (b"none", 3, 0)]
)
def test_verify_finds_damage(folder: Path, title: bytes, records: int, damaged: int) -> None:
    writer = write(folder, batch(1, "first"), batch(1, "middle"), batch(1, "last"))
    writer.close()
    content = writer.path.read_bytes()
    writer.path.write_bytes(content.replace(title, title.upper()))
    [report] = verify(folder)
    assert (report.records, report.damaged, report.torn) == (records, damaged, False)


def test_a_record_that_was_never_finished_is_no_damage(folder: Path) -> None:
    writer = write(folder, batch(1))
    writer.append([batch(1)])
    writer.close()
    os.truncate(writer.path, writer.size - 1)
    [report] = verify(folder)
    assert (report.records, report.damaged, report.torn) == (1, 0, True)
    assert report.is_sound
