"""The queue: bounded, in order, once."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.middleware.conftest import settled
from tests.middleware.trackers import Hanging, Remembering
from tests.running import until
from visitor_tracker.middleware import Counts, Delivered, Refused, Tracker, Unavailable, sender
from visitor_tracker.middleware.seen import Asked, Seen
from visitor_tracker.middleware.sender import BATCH_MOST, Sender


def seen(number: int, age: float = 0.0) -> Seen:
    return Seen(Asked("GET", "http", "", f"/{number}", "", ""), {}, 200, time.monotonic() - age)


def event(event_id: str, seen: Seen) -> dict[str, Any]:
    return {"id": event_id, "url": seen.asked.path}


def made(tracker: Tracker, most: int = 10_000, keep_seconds: float = 60.0) -> Sender:
    return Sender(tracker, event, most=most, keep_seconds=keep_seconds)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(sender, "PAUSE_SECONDS", 0.01)


def test_everything_arrives_in_order_in_batches() -> None:
    tracker = Remembering()
    queue = made(tracker)
    number = 3 * BATCH_MOST + 7
    for one in range(number):
        queue.put(seen(one))
    assert settled(queue.counts) == Counts(sent=number)
    assert tracker.urls == [f"/{one}" for one in range(number)]
    assert max(map(len, tracker.batches)) == BATCH_MOST
    assert len({one["id"] for batch in tracker.batches for one in batch}) == number


def test_what_finds_the_queue_full_is_dropped_and_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    tracker = Hanging()
    queue = made(tracker, most=5)
    queue.put(seen(0))
    assert tracker.is_asked.wait(20)
    for one in range(1, 20):
        queue.put(seen(one))
    assert queue.counts() == Counts(dropped=15, waiting=5)
    tracker.release.set()
    assert settled(queue.counts) == Counts(sent=5, dropped=15)
    assert tracker.urls == ["/0", "/1", "/2", "/3", "/4"]
    assert [record.getMessage()[:18] for record in caplog.records] == ["5 requests wait to"]


def test_a_queue_that_is_full_again_and_again_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class OneAtATime(Remembering):
        def __init__(self) -> None:
            super().__init__()
            self.turns = threading.Semaphore(0)

        def send(self, events: bytes) -> Delivered:
            self.turns.acquire()
            return super().send(events)

    tracker = OneAtATime()
    queue = made(tracker, most=3 * BATCH_MOST)
    for round_number in range(1, 4):
        while not queue.counts().dropped >= round_number:
            queue.put(seen(0))
        tracker.turns.release()
        until(lambda: len(tracker.batches) == round_number)  # noqa: B023
    assert len(caplog.messages) == 1
    tracker.turns.release(1000)
    settled(queue.counts)


@pytest.mark.parametrize("error", [lambda: Unavailable("away", retry_after=0.01), ZeroDivisionError])
def test_a_batch_is_sent_again_with_the_same_ids(error: Callable[[], Exception]) -> None:
    tracker = Remembering(3, error)
    queue = made(tracker)
    for one in range(10):
        queue.put(seen(one))
    assert settled(queue.counts) == Counts(sent=10)
    assert sorted(tracker.urls) == sorted(f"/{one}" for one in range(10))
    assert tracker.tries[:4] == [tracker.tries[0]] * 4


def test_what_is_refused_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    tracker = Remembering(1, lambda: Refused("400 too odd"))
    queue = made(tracker)
    queue.put(seen(0))
    assert settled(queue.counts) == Counts(refused=1)
    queue.put(seen(1))
    assert settled(queue.counts) == Counts(sent=1, refused=1)
    assert caplog.messages == ["the tracker refuses requests: 400 too odd"]


def test_the_reasons_of_what_was_dropped_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Choosy:
        def send(self, events: bytes) -> Delivered:
            return Delivered(0, ("hostname",))

    queue = made(Choosy())
    for number in (1, 2):
        queue.put(seen(number))
        assert settled(queue.counts) == Counts(refused=number)
    assert caplog.messages == ["the tracker dropped requests: hostname"]


def test_what_has_waited_too_long_is_dropped() -> None:
    tracker = Remembering()
    queue = made(tracker, keep_seconds=30.0)
    queue.put(seen(0, age=31.0))
    queue.put(seen(1))
    assert settled(queue.counts) == Counts(sent=1, dropped=1)
    assert tracker.urls == ["/1"]


def test_a_request_that_makes_no_event_does_not_stop_the_others() -> None:
    def broken(event_id: str, seen: Seen) -> dict[str, Any]:
        if seen.asked.path == "/0":
            raise ZeroDivisionError
        return event(event_id, seen)

    queue = Sender(Remembering(), broken, most=10, keep_seconds=60)
    queue.put(seen(0))
    assert settled(queue.counts) == Counts(dropped=1)
    queue.put(seen(1))
    assert settled(queue.counts) == Counts(sent=1, dropped=1)


def test_a_flush_does_not_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "GATHER_SECONDS", 3600.0)
    tracker = Remembering()
    queue = made(tracker)
    assert queue.flush(20)
    queue.put(seen(0))
    assert queue.flush(20)
    assert tracker.urls == ["/0"]


def test_a_flush_has_an_end(caplog: pytest.LogCaptureFixture) -> None:
    tracker = Hanging()
    queue = made(tracker)
    queue.put(seen(0))
    assert not queue.flush(0.05)
    assert caplog.messages == ["1 requests could not be sent to the tracker in 0.05 s"]
    tracker.release.set()
    settled(queue.counts)


def test_a_flush_does_not_wait_for_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(sender, "PAUSE_MOST_SECONDS", 3600.0)
    tracker = Remembering(1)
    queue = made(tracker)
    queue.put(seen(0))
    until(lambda: tracker.tries)
    assert queue.flush(20)
    assert tracker.urls == ["/0"]


def test_many_threads_lose_nothing() -> None:
    tracker = Remembering()
    queue = made(tracker, most=500)

    def put_some() -> None:
        for one in range(200):
            queue.put(seen(one))

    threads = [threading.Thread(target=put_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = settled(queue.counts)
    assert (found.sent + found.dropped, len(tracker.urls)) == (1600, found.sent)


def test_the_counts_of_a_process_are_those_of_all_queues() -> None:
    first, second = made(Remembering()), made(Remembering())
    before = sender.counts()
    first.put(seen(0))
    second.put(seen(0))
    settled(first.counts)
    settled(second.counts)
    assert sender.counts().sent == before.sent + 2
