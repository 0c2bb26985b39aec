"""One server per SQLite file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from visitor_tracker.errors import AlreadyRunning, StoreError
from visitor_tracker.store.lock import hold

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from visitor_tracker.store.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

FORKING_HOLDER = """
import os, sys
from pathlib import Path
from visitor_tracker.store.lock import hold
with hold(Path(sys.argv[1])):
    if os.fork() == 0:
        print("forked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def started(program: str, path: Path, says: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program on `path` in a process of its own, from its first line on."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "server")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{says}\n"
        yield process


def test_the_second_server_is_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "visitors.db"
    with started(HOLDER, path, "held") as holder:
        expected = rf"{path} is used by another server \(process {holder.pid}\): stop that one, or .*server\.data_dir"
        with pytest.raises(AlreadyRunning, match=expected), hold(path):
            pass
        holder.kill()
    with hold(path):
        pass


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with (
        hold(tmp_path / "a"),
        hold(tmp_path / "b"),
        pytest.raises(AlreadyRunning, match=str(os.getpid())),
        hold(tmp_path / "a"),
    ):
        pass
    with hold(tmp_path / "a"):
        pass


def test_the_children_of_a_killed_server_do_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "visitors.db"
    with started(FORKING_HOLDER, path, "forked") as holder:  # said by the child, which then waits for our end
        with pytest.raises(AlreadyRunning), hold(path):
            pass
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        with hold(path):
            pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"server\.data_dir"), hold(tmp_path / "file" / "visitors.db"):
        pass
