"""Work that nobody waits for rests while the workers have no time to spare, and never stops altogether."""

import threading

import pytest

from visitor_tracker.jobs.courtesy import Breaks, Workers


class Machine:
    """A clock, and workers that are busy as the test says."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.busy_ms = 5_000

    def now(self) -> float:
        return self.seconds

    def busy(self) -> int:
        return self.busy_ms

    def passes(self, seconds: float, share: float, number: int) -> None:
        """Let time pass in which each of the workers is busy for this share of it."""
        self.seconds += seconds
        self.busy_ms += round(1000 * seconds * share * number)


class Stop(threading.Event):
    """Notes how long it was waited for, and lets no time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        return self.is_set()


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize(("share", "expected"), [(0.0, False), (0.1, False), (0.7, False), (0.9, True), (1.0, True)])
def test_workers_are_short_of_time_when_all_are_busy_nearly_all_the_time(
    number: int, share: float, expected: bool
) -> None:
    machine = Machine()
    workers = Workers(machine.busy, number, now=machine.now)
    assert not workers.are_short()
    machine.passes(1.0, share, number)
    assert workers.are_short() is expected


def test_it_is_the_latest_time_that_counts() -> None:
    machine = Machine()
    workers = Workers(machine.busy, 1, now=machine.now)
    found = []
    for share in (1.0, 0.2, 1.0):
        machine.passes(0.5, share, 1)
        found.append(workers.are_short())
    machine.passes(0.1, 0.0, 1)  # too soon to tell
    found.append(workers.are_short())
    assert found == [True, False, True, True]


def test_a_worker_that_begins_again_is_not_busy() -> None:
    machine = Machine()
    workers = Workers(machine.busy, 1, now=machine.now)
    machine.seconds += 1.0
    machine.busy_ms = 0
    assert not workers.are_short()


def test_work_goes_on_without_a_break_while_the_workers_have_time() -> None:
    stop = Stop()
    breaks = Breaks(stop, lambda: False)
    assert [breaks.is_set(), breaks.is_set()] == [False, False]
    assert stop.waited == []


def test_there_is_a_break_after_each_step_while_they_have_none() -> None:
    stop = Stop()
    breaks = Breaks(stop, lambda: True)
    assert [breaks.is_set(), breaks.is_set()] == [False, False]
    assert len(stop.waited) == 2
    assert all(seconds is not None and 0 <= seconds <= 2 for seconds in stop.waited)


def test_the_end_is_seen_at_once() -> None:
    stop = Stop()
    breaks = Breaks(stop, lambda: True)
    stop.set()
    assert breaks.is_set()
    assert breaks.wait(3.0)
    assert stop.waited == [3.0]
