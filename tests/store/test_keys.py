"""Keys of visitor hashes: one for all, logged, and gone when destroyed."""

import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest

from tests.running import until
from tests.store.samples import HOME, NOW, new_batch, visits
from tests.store.test_sqlite_faults import ENVIRONMENT
from visitor_tracker.store import migrate
from visitor_tracker.store.keys import NO_LINE, KeyLine, KeyTable, line_hash
from visitor_tracker.store.sql import SqlStore

KEY, OTHER = bytes(range(32)), bytes(range(100, 200))
TODAY, TOMORROW = "2026-09-21", "2026-09-22"


@pytest.fixture
def keys(store: SqlStore) -> KeyTable:
    return KeyTable(store.database)


def digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=32).digest()


def assert_chained(lines: list[KeyLine]) -> None:
    assert [line.n for line in lines] == list(range(1, len(lines) + 1))
    assert [line.previous for line in lines] == [NO_LINE, *(line.hash for line in lines)][: len(lines)]
    assert [line.hash for line in lines] == [line_hash(line) for line in lines]


def test_a_key_is_made_once(keys: KeyTable) -> None:
    assert keys.make(TODAY, KEY, NOW) == KEY
    assert keys.make(TODAY, OTHER, NOW + 1) == KEY
    assert keys.make(TOMORROW, OTHER, NOW + 2) == OTHER
    assert keys.keys() == {TODAY: KEY, TOMORROW: OTHER}


def test_what_became_of_keys_is_in_the_log(keys: KeyTable) -> None:
    keys.make(TODAY, KEY, NOW)
    keys.make(TODAY, OTHER, NOW + 1)
    assert keys.destroy(TODAY, NOW + 2)
    assert not keys.destroy(TODAY, NOW + 3)
    assert not keys.destroy(TOMORROW, NOW + 3)
    keys.make(TODAY, OTHER, NOW + 4)
    lines = keys.log()
    assert [(line.at, line.period, line.action, line.digest) for line in lines] == [
        (NOW, TODAY, "created", digest(KEY)),
        (NOW + 2, TODAY, "destroyed", digest(KEY)),
        (NOW + 4, TODAY, "created", digest(OTHER)),
    ]
    assert_chained(lines)
    assert keys.keys() == {TODAY: OTHER}


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2},
        {"at": NOW + 1},
        {"period": TOMORROW},
        {"action": "destroyed"},
        {"digest": digest(OTHER)},
        {"previous": digest(b"")},
    ],
)
def test_a_changed_line_has_another_hash(change: dict[str, object]) -> None:
    line = KeyLine(1, NOW, TODAY, "created", digest(KEY), NO_LINE, b"")
    assert line_hash(msgspec.structs.replace(line, **change)) != line_hash(line)


def test_the_hash_of_a_line_can_be_computed_elsewhere() -> None:
    line = KeyLine(3, 5, TODAY, "created", b"\x01\xff", b"before", b"")
    assert line_hash(line) == digest(b'before[3,5,"2026-09-21","created","01ff"]')


def test_threads_that_make_keys_at_once_get_the_same(store: SqlStore) -> None:
    start = threading.Barrier(4)

    def make(_: int) -> list[bytes]:
        keys = KeyTable(store.database)
        start.wait(20)
        return [keys.make(str(period), os.urandom(32), period) for period in range(10)]

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(make, range(4))
    assert all(other == first for other in others)
    lines = KeyTable(store.database).log()
    assert [line.digest for line in lines] == [digest(value) for value in first]
    assert_chained(lines)


def test_processes_that_make_keys_at_once_get_the_same(lasting_store: SqlStore, store_url: str) -> None:
    command = [sys.executable, "-m", "tests.store.keys_child", store_url, "20"]
    children = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = [child.communicate(timeout=120)[0].split() for child in children]
    assert first == second
    keys = KeyTable(lasting_store.database)
    assert keys.keys() == {str(period): bytes.fromhex(value) for period, value in enumerate(first)}
    assert len(keys.log()) == 20
    assert_chained(keys.log())


def test_writers_of_different_periods_share_one_log(store: SqlStore) -> None:
    def rotate(thread: int) -> None:
        keys = KeyTable(store.database)
        for number in range(6):
            keys.make(f"{thread}-{number}", os.urandom(32), NOW)
            assert keys.destroy(f"{thread}-{number}", NOW)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(rotate, range(3))) == [None] * 3
    lines = KeyTable(store.database).log()
    assert len(lines) == 3 * 6 * 2
    assert_chained(lines)


# What a SQLite file remembers.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v.db"


@pytest.fixture
def file_store(path: Path, opened: Callable[[str], SqlStore]) -> SqlStore:
    """A store on a SQLite that does not overwrite what it deletes, as some are built to do."""
    store = opened(f"sqlite:///{path}")
    migrate(store)
    store.execute("pragma secure_delete = 0")
    return store


def files_with(path: Path, value: bytes) -> list[str]:
    """Name the files of a database that have these bytes."""
    files = [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]
    return [file.name for file in files if file.exists() and value in file.read_bytes()]


def test_a_destroyed_key_is_in_no_file(file_store: SqlStore, path: Path) -> None:
    keys = KeyTable(file_store.database)
    value = os.urandom(32)
    keys.make(TODAY, value, NOW)
    assert files_with(path, value)
    keys.destroy(TODAY, NOW)
    assert files_with(path, value) == []


def test_a_destroyed_key_that_was_in_the_database_file_is_in_no_file(
    file_store: SqlStore, path: Path, opened: Callable[[str], SqlStore]
) -> None:
    value, kept = os.urandom(32), os.urandom(32)
    KeyTable(file_store.database).make(TODAY, value, NOW)
    KeyTable(file_store.database).make(TOMORROW, kept, NOW)
    file_store.close()
    assert files_with(path, value) == ["v.db"]
    again = opened(f"sqlite:///{path}")
    again.execute("pragma secure_delete = 0")
    KeyTable(again.database).destroy(TODAY, NOW)
    assert files_with(path, value) == []
    assert files_with(path, kept) == ["v.db"]
    assert KeyTable(again.database).keys() == {TOMORROW: kept}


def test_keys_that_come_and_go_leave_nothing(file_store: SqlStore, path: Path) -> None:
    keys = KeyTable(file_store.database)
    choose = random.Random(5)
    held: dict[str, bytes] = {}
    gone: list[bytes] = []
    for number in range(60):
        held[str(number)] = keys.make(str(number), os.urandom(choose.choice([32, 60, 93])), NOW)
        file_store.count(new_batch(), visits(f"{HOME}{number}"), NOW)
        if len(held) > 5:
            period = choose.choice(list(held))
            gone.append(held.pop(period))
            assert keys.destroy(period, NOW)
    assert [value for value in gone if files_with(path, value)] == []
    assert keys.keys() == held


@pytest.mark.parametrize("made_before", [True, False])
def test_what_a_reader_holds_goes_when_it_ends(file_store: SqlStore, path: Path, made_before: bool) -> None:
    keys = KeyTable(file_store.database)
    value = os.urandom(32)
    reader = sqlite3.connect(path, isolation_level=None)
    acts: list[Callable[[], object]] = [lambda: keys.make(TODAY, value, NOW), lambda: read_on(reader)]
    for act in acts if made_before else reversed(acts):
        act()
    assert keys.destroy(TODAY, NOW)
    assert keys.keys() == {}
    assert files_with(path, value) == ["v.db" if made_before else "v.db-wal"]
    reader.execute("rollback")
    reader.close()

    def gone() -> bool:
        file_store.count(new_batch(), visits(HOME), NOW)
        return files_with(path, value) == []

    until(gone)


def read_on(reader: sqlite3.Connection) -> None:
    reader.execute("begin")
    reader.execute("select count(*) from visitors").fetchall()


def test_what_a_killed_process_left_goes_with_the_next_key(file_store: SqlStore, path: Path) -> None:
    keys = KeyTable(file_store.database)
    value = os.urandom(32)
    keys.make(TODAY, value, NOW)
    file_store.execute("pragma secure_delete = 1")
    file_store.execute("delete from visitor_keys")  # committed, and the process was killed
    assert files_with(path, value)
    keys.make(TOMORROW, OTHER, NOW)
    assert files_with(path, value) == []


@pytest.mark.parametrize("overwrites", [0, 1])
def test_destroying_leaves_the_store_as_it_was(file_store: SqlStore, path: Path, overwrites: int) -> None:
    file_store.execute(f"pragma secure_delete = {int(overwrites)}")
    keys = KeyTable(file_store.database)
    keys.make(TODAY, KEY, NOW)
    keys.destroy(TODAY, NOW)
    settings = [file_store.execute(f"pragma {name}") for name in ("secure_delete", "busy_timeout", "synchronous")]
    assert settings == [[(overwrites,)], [(5000,)], [(2,)]]
    file_store.count(new_batch(), visits(HOME), NOW)
    assert path.with_name("v.db-wal").stat().st_size > 0  # and is not emptied each time
