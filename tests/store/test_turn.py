"""The turn to write is exclusive and fair."""

import fcntl
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from visitor_tracker.store.turn import Turn

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}


@pytest.fixture(params=["files", "memory"])
def turn(request: pytest.FixtureRequest, tmp_path: Path) -> Turn:
    return Turn(tmp_path / "visitors.db" if request.param == "files" else None)


def test_one_thread_at_a_time_has_it(turn: Turn) -> None:
    inside: list[int] = []

    def take(number: int) -> None:
        for _ in range(200):
            with turn.hold():
                inside.append(number)
                assert inside == [number]
                inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(take, number) for number in range(4)]:
            done.result()


def test_it_may_be_nested(turn: Turn) -> None:
    with ThreadPoolExecutor(1) as pool:
        with turn.hold():
            waiting = pool.submit(take_once, turn)
            with turn.hold():
                pass
            assert not waiting.done()
        assert waiting.result(10)


def take_once(turn: Turn) -> bool:
    with turn.hold():
        return True


def test_the_holder_sees_whether_somebody_waits(turn: Turn) -> None:
    with ThreadPoolExecutor(1) as pool:
        with turn.hold():
            assert not turn.is_wanted()
            waiting = pool.submit(take_once, turn)
            until(turn.is_wanted)
            assert not waiting.done()
        assert waiting.result(10)
    with turn.hold():
        assert not turn.is_wanted()


def test_to_look_who_waits_keeps_nobody_out(turn: Turn) -> None:
    with ThreadPoolExecutor(1) as pool:
        with turn.hold():
            assert not turn.is_wanted()
        assert pool.submit(take_once, turn).result(10)


def test_an_error_inside_gives_it_back(turn: Turn) -> None:
    with pytest.raises(ZeroDivisionError), turn.hold():
        _ = 1 // 0
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(take_once, turn).result(10)


def test_who_waits_keeps_the_gate(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "visitors.db")
    with ThreadPoolExecutor(1) as pool:
        with turn.hold():
            assert not is_locked(tmp_path / "visitors.db.gate")
            waiting = pool.submit(take_once, turn)
            until(lambda: is_locked(tmp_path / "visitors.db.gate"))
            assert not waiting.done()
        assert waiting.result(10)
    assert not is_locked(tmp_path / "visitors.db.gate")
    assert not is_locked(tmp_path / "visitors.db.write")


def is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_who_waits_comes_before_who_just_had_it(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_bytes(bytes(8))
    database = tmp_path / "visitors.db"
    with counter.open("r+b") as file:
        takings = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.hogging_child", str(database), str(counter)], env=ENVIRONMENT
    )
    try:
        until(lambda: takings[0] > 0)
        turn = Turn(database)
        waits = []
        for _ in range(50):
            before = takings[0]
            with turn.hold():
                waits.append(takings[0] - before)
            go_on = takings[0] + 1
            until(partial(passed, takings, go_on))
    finally:
        child.kill()
        child.wait(10)
    # One hold is running when we come; that process may take one more before we stand in the gate.
    assert sorted(waits)[45] <= 2
    assert takings[0] > 50


def passed(takings: memoryview, number: int) -> bool:
    return bool(takings[0] > number)


def test_a_killed_holder_gives_it_back(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_bytes(bytes(8))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.hogging_child", str(tmp_path / "visitors.db"), str(counter)],
        env=ENVIRONMENT,
    )
    until(lambda: counter.read_bytes() != bytes(8))
    child.kill()
    child.wait(10)
    assert take_once(Turn(tmp_path / "visitors.db"))
