"""What those who journal events are told, and what is in the files afterwards."""

import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.ingest.journal_bench import KINDS, WAIT_SECONDS, Bench, once
from tests.ingest.journal_child import event, numbers, payloads
from tests.running import until
from visitor_tracker.errors import StoreError
from visitor_tracker.event import Batch, Event, Visit, encode_batch
from visitor_tracker.ingest import journal as module
from visitor_tracker.ingest import quota
from visitor_tracker.ingest.segments import scan
from visitor_tracker.metrics import Cell


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.journal.close()


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_what_is_said_to_be_stored_is_in_the_files(tmp_path: Path, commit: str, durability: str) -> None:
    bench = Bench(tmp_path)
    bench.open(commit, durability)
    for start in range(1, 101, 10):
        bench.send(*range(start, start + 10))
    bench.answers.wait(once(*range(1, 101)))
    until(lambda: numbers(bench.folder) == list(range(1, 101)))  # though the segment is still in use
    assert bench.total(Cell.JOURNALED) == 100
    assert bench.total(Cell.JOURNAL_BATCHES) > 0
    assert bench.total(Cell.JOURNAL_FAILURES) == 0
    bench.journal.close()
    assert numbers(bench.folder) == list(range(1, 101))


def test_in_full_durability_it_is_published_before_anybody_is_told(bench: Bench) -> None:
    found: list[list[int]] = []
    bench.journal.add([event(1)], lambda _: found.append(numbers(bench.folder)))
    bench.journal.flush()
    assert found == [[1]]


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_threads_that_flush_at_once_lose_nothing(tmp_path: Path, commit: str, durability: str) -> None:
    bench = Bench(tmp_path)
    bench.open(commit, durability)
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(bench.send, range(1, 2001)))
    assert taken == [[number] for number in range(1, 2001)]
    bench.answers.wait(once(*range(1, 2001)))
    bench.journal.close()
    assert sorted(numbers(bench.folder)) == list(range(1, 2001))
    assert len({batch.id for batch in bench.batches()}) == len(bench.batches())
    assert bench.total(Cell.JOURNALED) == 2000


def test_nobody_waits_for_the_commit_of_another_thread(bench: Bench) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(stored: bool) -> None:
        reached.set()
        assert go_on.wait(WAIT_SECONDS)
        bench.answers.of(1)(stored)

    assert bench.journal.add([event(1)], slow)
    first = threading.Thread(target=bench.journal.flush)
    first.start()
    assert reached.wait(WAIT_SECONDS)
    assert bench.send(2, 3) == [2, 3]  # comes back, though the other thread has not
    assert bench.answers.told == {}
    go_on.set()
    first.join()
    bench.answers.wait(once(1, 2, 3))  # that thread has stored these too


def test_an_answer_may_send_more(bench: Bench) -> None:
    def done(_: bool) -> None:
        assert bench.send(2) == [2]

    bench.journal.add([event(1)], done)
    bench.journal.flush()
    bench.answers.wait(once(2))
    assert numbers(bench.folder) == [1, 2]


def test_those_who_wait_together_share_a_sync(bench: Bench) -> None:
    bench.send(*range(1, 1101))
    bench.answers.wait(once(*range(1, 1101)))
    assert [len(batch.events) for batch in bench.batches()] == [512, 512, 76]
    assert bench.total(Cell.JOURNAL_BATCHES) == 1


def test_the_events_of_one_request_are_answered_together(bench: Bench) -> None:
    assert bench.journal.add([event(number) for number in range(1, 701)], bench.answers.of(1))
    bench.journal.flush()
    bench.answers.wait(once(1))
    assert numbers(bench.folder) == list(range(1, 701))
    assert bench.total(Cell.JOURNALED) == 700


def test_a_batch_of_the_counter_is_a_record_of_its_own(bench: Bench) -> None:
    batch = Batch(b"i" * 16, 5, [event(7)], [Visit(b"h" * 16, "https://example.com/"), Visit(b"g" * 16, "https://b/")])
    bench.journal.add([event(1)], bench.answers.of(1))
    bench.journal.put(batch, bench.answers.of(2))
    bench.send(3)
    bench.answers.wait(once(1, 2, 3))
    assert batch in bench.batches()
    assert sorted(len(one.events) for one in bench.batches()) == [1, 2]
    assert (bench.total(Cell.JOURNALED), bench.total(Cell.JOURNAL_BATCHES)) == (4, 1)


def test_a_record_that_is_too_long_becomes_two(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORD_MOST", 1000)
    bench.send(*range(1, 21))
    bench.answers.wait(once(*range(1, 21)))
    assert sum(len(batch.events) for batch in bench.batches()) == 20
    assert max(map(len, payloads(bench.folder))) <= 1000


@pytest.mark.parametrize(
    "change", [{"ts": 1 << 70}, {"title": "\ud800"}, {"properties": {"a": object()}}, {"title": "x" * 10_000}]
)
def test_an_event_that_cannot_be_written_harms_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(module, "RECORD_MOST", 5000)
    poison: Event = msgspec.structs.replace(event(2), **change)
    bench.journal.add([event(1)], bench.answers.of(1))
    bench.journal.add([poison], bench.answers.of(2))
    bench.send(3)
    bench.answers.wait(once(1, 3) | once(2, stored=False))
    assert numbers(bench.folder) == [1, 3]
    assert bench.journal.available


@pytest.mark.parametrize("url", ["https://example.com/\ud800", "https://example.com/" + "x" * 1000])
def test_a_batch_of_the_counter_that_cannot_be_written_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(module, "RECORD_MOST", 1000)
    assert not bench.journal.put(Batch(b"i" * 16, 5, [], [Visit(b"h" * 16, url)]), bench.answers.of(1))
    assert bench.send(2) == [2]
    bench.answers.wait(once(2))


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_an_answer_that_cannot_be_given_harms_no_other(tmp_path: Path, commit: str, durability: str) -> None:
    def broken(_: bool) -> None:
        raise OverflowError("no such year")

    bench = Bench(tmp_path)
    bench.open(commit, durability)
    bench.journal.add([event(1)], broken)
    bench.send(2)
    bench.answers.wait(once(2))
    bench.send(3)
    bench.answers.wait(once(2, 3))
    bench.journal.close()
    assert numbers(bench.folder) == [1, 2, 3]


def test_waiting_is_bounded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open(most=10)
    add = bench.journal.add
    assert add([event(number) for number in range(8)], bench.answers.of(1))
    assert not add([event(number) for number in range(3)], bench.answers.of(2))
    assert add([event(8), event(9)], bench.answers.of(3))
    assert not add([event(10)], bench.answers.of(4))
    bench.journal.flush()
    assert add([event(number) for number in range(20, 50)], bench.answers.of(5))  # more than ever wait, but alone
    assert not add([event(10)], bench.answers.of(6))
    bench.journal.flush()
    bench.answers.wait(once(1, 3, 5))
    assert sorted(numbers(bench.folder)) == [*range(10), *range(20, 50)]
    bench.journal.close()


def test_a_segment_begins_with_the_first_event(bench: Bench) -> None:
    bench.journal.flush()
    assert list(bench.folder.iterdir()) == []
    bench.journal.add([], bench.answers.of(1))
    bench.journal.flush()
    bench.answers.wait(once(1))
    assert list(bench.folder.iterdir()) == []
    bench.send(2)
    assert len(bench.segments()) == 1


def test_each_journal_has_a_segment_of_its_own(tmp_path: Path) -> None:
    benches = [Bench(tmp_path) for _ in range(3)]
    for number, bench in enumerate(benches):
        bench.open()
        bench.send(number)
    assert len(scan(benches[0].folder)) == 3
    for bench in benches:
        bench.journal.close()
        bench.open().close()
    assert len(scan(benches[0].folder)) == 3
    assert sorted(numbers(benches[0].folder)) == [0, 1, 2]


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_a_long_segment_is_followed_by_another(tmp_path: Path, commit: str, durability: str) -> None:
    bench = Bench(tmp_path)
    bench.open(commit, durability, mib=8)  # segments of 1 MiB
    title = "x" * 10_000
    big = [msgspec.structs.replace(event(number), title=title) for number in range(64)]
    for number in range(6):
        assert bench.journal.add(big, bench.answers.of(number))
        bench.journal.flush()
        bench.answers.wait(once(*range(number + 1)))
    until(lambda: [segment.is_live() for segment in bench.segments()] == [False] * 3)
    bench.journal.close()
    assert sum(len(batch.events) for batch in bench.batches()) == 6 * 64


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_an_old_segment_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: str, durability: str
) -> None:
    bench = Bench(tmp_path)
    bench.open(commit, durability)
    bench.send(1)
    bench.answers.wait(once(1))
    monkeypatch.setattr(module, "SEGMENT_SECONDS", 0.0)
    bench.send(2)
    bench.answers.wait(once(1, 2))
    until(lambda: sum(segment.is_live() for segment in bench.segments()) <= 1)
    if commit == "inline":
        bench.journal.flush()  # nothing waits: the second one is let go as well
        until(lambda: [segment.is_live() for segment in bench.segments()] == [False, False])
    bench.journal.close()
    assert sorted(numbers(bench.folder)) == [1, 2]


def fill(bench: Bench) -> int:
    """Journal until that is refused; return how many times it was not."""
    one = msgspec.structs.replace(event(1), title="x" * 100_000)
    number = 0
    while bench.journal.add([one], bench.answers.of(number)):
        bench.journal.flush()
        number += 1
        bench.answers.wait(once(*range(number)))
        assert number < 1000
    return number


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_a_journal_that_is_too_large_refuses_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, commit: str, durability: str
) -> None:
    monkeypatch.setattr(quota, "CHECK_SECONDS", 0.0)
    bench = Bench(tmp_path)
    bench.open(commit, durability, mib=8)
    with caplog.at_level(logging.INFO):
        taken = fill(bench)
        assert 80 <= taken <= 100
        assert not bench.journal.available
        assert not bench.journal.put(Batch(b"i" * 16, 5, []), bench.answers.of(0))
        # Also the last segment can be drained and deleted.
        until(lambda: not any(segment.is_live() for segment in bench.segments()))
        assert len(payloads(bench.folder)) == taken
        for segment in bench.segments():
            segment.remove()
        assert bench.journal.available
        assert bench.send(1000) == [1000]
        bench.answers.wait(once(*range(taken), 1000))
    bench.journal.close()
    assert numbers(bench.folder) == [1000]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "has 8 MiB and may have 8" in said[0]
    assert "has room again" in said[1]


def test_what_is_not_drained_may_have_a_fifth_of_the_free_disk(tmp_path: Path) -> None:
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "a.record").write_bytes(bytes(3000))
    (tmp_path / "b.segment").write_bytes(bytes(500))
    assert quota.used_bytes(tmp_path) == 3500
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    assert quota.most_bytes(tmp_path, 1 << 20, 3500) == 1 << 20
    assert quota.most_bytes(tmp_path, 1 << 60, 1 << 50) == pytest.approx((free + (1 << 50)) / 5, rel=0.01)


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_closing_stores_what_waits(tmp_path: Path, commit: str, durability: str) -> None:
    bench = Bench(tmp_path)
    bench.open(commit, durability)
    for number in range(600):
        bench.journal.add([event(number)], bench.answers.of(number))
    bench.journal.close()
    bench.answers.wait(once(*range(600)))
    assert numbers(bench.folder) == list(range(600))
    assert not bench.segments()[0].is_live()
    assert bench.send(601) == []
    assert not bench.journal.available
    bench.journal.close()
    bench.journal.flush()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("journal")]


@pytest.mark.parametrize(
    ("kind", "slow_seconds", "threads"),
    [
        (("auto", "full"), float("inf"), []),
        (("auto", "full"), 0.0, ["journal"]),
        (("auto", "relaxed"), 0.0, ["journal-syncer"]),  # no answer waits for a sync
        (("inline", "full"), 0.0, []),
        (("committer", "full"), float("inf"), ["journal"]),
        (("committer", "relaxed"), float("inf"), ["journal", "journal-syncer"]),
    ],
)
def test_a_slow_disk_gets_a_thread_of_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: tuple[str, str], slow_seconds: float, threads: list[str]
) -> None:
    monkeypatch.setattr(module, "SLOW_SYNC_SECONDS", slow_seconds)
    journal = bench.open(*kind)
    running = [thread.name for thread in threading.enumerate()]
    assert sorted(name for name in running if name.startswith("journal")) == threads
    journal.close()
    assert list(bench.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(bench: Bench) -> None:
    bench.send(1)
    bench.folder = bench.segments()[0].path / "journal"
    with pytest.raises(StoreError, match=r"Not a directory: the server's user must be able to write there"):
        Bench(bench.folder).open()


def test_a_record_says_when_it_was_made(bench: Bench) -> None:
    bench.send(1)
    [batch] = bench.batches()
    assert len(batch.id) == 16
    assert abs(int.from_bytes(batch.id[:6], "big") - batch.at) < 10_000
    assert encode_batch(batch) == payloads(bench.folder)[0]
