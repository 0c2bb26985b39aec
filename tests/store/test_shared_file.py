"""One SQLite file that several stores of a process, and other programs, have open."""

import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.store.samples import HOME, NOW, new_batch, stored_count, visits
from visitor_tracker.errors import StoreError, StoreUnavailable
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.checkpoint import WAL_BYTES, Checkpointer
from visitor_tracker.store.sql import SqlStore

READER = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select count(*) from visitors').fetchall())"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "visitors.db"


@pytest.fixture
def relaxed(path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{path}", durability="relaxed")
    migrate(store)
    yield store
    store.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_store_of_the_process_leaves_the_first_ones_locks_alone(path: Path) -> None:
    first = open_store(f"sqlite:///{path}")
    migrate(first)
    first.count(new_batch(), visits(HOME), NOW)
    open_store(f"sqlite:///{path}").close()
    # The last program to close a file deletes its log: this one must see that it is not the last.
    subprocess.run([sys.executable, "-c", READER, str(path)], check=True, capture_output=True, timeout=60)
    first.count(new_batch(), visits(HOME), NOW)
    assert path.with_name(path.name + "-wal").exists()
    other = open_store(f"sqlite:///{path}")
    assert stored_count(other) == 2
    other.close()
    first.close()


def test_the_file_is_made_for_its_owner_only(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_may_not_be_written_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    with pytest.raises(StoreError, match="must be able to write this file"):
        open_store(f"sqlite:///{path}")


def test_after_a_failed_sync_nothing_is_stored_at_once_before_the_log_is_emptied(
    relaxed: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    sync = os.fdatasync

    def fail_once(descriptor: int) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError(5, "Input/output error")
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", fail_once)
    assert relaxed.count_at_once(new_batch(), visits(HOME), NOW)
    until(lambda: failed.is_set() and relaxed.count_at_once(new_batch(), visits(HOME), NOW) is None)
    before = path.with_name(path.name + "-wal").stat().st_size
    relaxed.count(new_batch(), visits(HOME), NOW)
    assert path.with_name(path.name + "-wal").stat().st_size < before
    assert relaxed.count_at_once(new_batch(), visits(HOME), NOW)


class BrokenDisk(sqlite3.Connection):
    """Its checkpoints fail as with a log that cannot be synced."""

    def execute(self, sql: str, *_: object) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error


@pytest.mark.parametrize("relaxed_durability", [True, False])
def test_a_checkpoint_that_cannot_sync_the_log_is_a_failed_sync(path: Path, relaxed_durability: bool) -> None:
    path.with_name(path.name + "-wal").write_bytes(bytes(WAL_BYTES + 1))
    seen = threading.Event()

    def connect() -> sqlite3.Connection:
        seen.set()
        return sqlite3.connect(":memory:", factory=BrokenDisk, check_same_thread=False)

    checkpointer = Checkpointer(path, connect, sync=relaxed_durability)
    checkpointer.committed()
    assert seen.wait(20)
    checkpointer.close()
    # With full durability each commit has synced the log itself.
    assert checkpointer.take_failure() is relaxed_durability
    assert not checkpointer.take_failure()


def test_a_process_out_of_descriptors_stores_nothing_and_says_so(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    migrate(store)
    said: list[object] = []

    def count() -> None:
        """Be a thread that has no lock files open yet."""
        for call in (store.count_at_once, store.count):
            try:
                said.append(call(new_batch(), visits(HOME), NOW))
            except StoreUnavailable as error:
                said.append(str(error))

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    thread = threading.Thread(target=count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, before[1]))
    held: list[int] = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        thread.start()
        thread.join()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in held:
            os.close(descriptor)
    assert ["Too many open files" in str(one) for one in said] == [True, True]
    assert stored_count(store) == 0
    assert store.count_at_once(new_batch(), visits(HOME), NOW)
    store.close()
