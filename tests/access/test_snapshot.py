"""The snapshot file: written whole, read whole, and never waited for."""

import logging
import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from visitor_tracker.access.snapshot import (
    SnapshotError,
    SnapshotReader,
    read_snapshot,
    remove_leftover,
    write_snapshot,
)
from visitor_tracker.sites import Policy, SendKey, Site, Snapshot

FULL = Snapshot(
    sites=(
        Site(1, "default"),
        Site(
            9,
            "shop",
            ("shop.example", "*.shop.example"),
            ("1f0c",),
            "Asia/Kathmandu",
            Policy("cookie", "truncated", "full", "keep", "drop"),
            public=True,
            created_at=1_795_348_800_000,
            automatic=True,
        ),
    ),
    keys={"2026-11-22": bytes(range(32)), "persistent": b"p" * 32},
    secrets={"cookie": b"c" * 32},
    send_keys=(SendKey(b"d" * 32, "backend", 9),),
    auto_create=False,
    policy=Policy("monthly"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "snapshot"


def numbered(number: int) -> Snapshot:
    """Return a snapshot of its own size and content."""
    return Snapshot(keys={f"{number}-{place}": bytes([number % 256]) * 32 for place in range(number % 7)})


def test_what_was_written_is_read(path: Path) -> None:
    write_snapshot(path, FULL)
    assert read_snapshot(path) == FULL


def test_what_a_snapshot_has_looked_up_is_no_part_of_the_file(path: Path) -> None:
    used = msgspec.structs.replace(FULL)
    assert used.by_name["shop"].holds("www.shop.example")
    assert used.by_host
    assert used.by_key
    assert used.uses_cookies
    write_snapshot(path, FULL)
    before = path.read_bytes()
    write_snapshot(path, used)
    assert path.read_bytes() == before


def test_only_its_owner_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        write_snapshot(path, FULL)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_no_file_is_no_snapshot(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_snapshot(path) is None
    assert caplog.records == []


def damaged(content: bytes) -> list[bytes]:
    middle = len(content) // 2
    return [
        b"",
        b"VT",
        content[:-1],
        content[:middle],
        content + b"\0",
        content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        b"VTSNAP9\n" + content[8:],
        bytes(len(content)),
    ]


def test_a_damaged_file_is_reported_and_as_good_as_none(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_snapshot(path, FULL)
    for content in damaged(path.read_bytes()):
        caplog.clear()
        path.write_bytes(content)
        assert read_snapshot(path) is None
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        assert str(path) in record.getMessage()


def test_a_folder_in_its_place_is_as_good_as_none(path: Path) -> None:
    path.mkdir(parents=True)
    assert read_snapshot(path) is None


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError, match=r"file/snapshot: .*: the server's user must be able to write it"):
        write_snapshot(tmp_path / "file" / "snapshot", FULL)


def test_the_bytes_of_the_old_file_are_overwritten(path: Path) -> None:
    write_snapshot(path, FULL)
    with path.open("rb") as old:
        assert bytes(range(32)) in old.read()
        write_snapshot(path, Snapshot())
        old.seek(0)
        assert set(old.read()) == {0}


def test_a_writer_that_was_killed_leaves_one_file_which_goes_away(path: Path) -> None:
    write_snapshot(path, FULL)
    leftover = path.with_name("snapshot.new")
    leftover.write_bytes(b"half of it")
    write_snapshot(path, Snapshot())
    assert [file.name for file in path.parent.iterdir()] == ["snapshot"]
    leftover.write_bytes(b"half of it")
    remove_leftover(path)
    remove_leftover(path)
    assert not leftover.exists()


def test_a_reader_takes_over_what_was_written_since(path: Path) -> None:
    first = Snapshot(auto_create=False)
    reader = SnapshotReader(path, first)
    assert not reader.refresh()
    assert reader.now is first
    write_snapshot(path, FULL)
    assert reader.refresh()
    taken = reader.now
    assert taken == FULL
    assert not reader.refresh()
    assert reader.now is taken, "what was looked up in it stays warm"


def test_a_reader_keeps_what_it_has_when_the_file_is_damaged_or_gone(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_snapshot(path, FULL)
    reader = SnapshotReader(path, Snapshot())
    reader.refresh()
    path.write_bytes(b"rubbish")
    assert [reader.refresh() for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1, "it is read, and reported, once"
    path.unlink()
    assert not reader.refresh()
    assert reader.now == FULL
    write_snapshot(path, Snapshot())
    assert reader.refresh()
    assert reader.now == Snapshot()


def test_readers_of_many_threads_see_whole_snapshots_and_the_last_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader = SnapshotReader(path, numbered(0))
    all_of_them = [numbered(number) for number in range(60)]
    seen: list[Snapshot] = []
    done = threading.Event()

    def read() -> None:
        while not done.wait(0.001):
            reader.refresh()
            seen.append(reader.now)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for snapshot in all_of_them:
        write_snapshot(path, snapshot)
    done.set()
    for thread in threads:
        thread.join()
    reader.refresh()
    assert reader.now == all_of_them[-1]
    assert [one for one in {id(found): found for found in seen}.values() if one not in all_of_them] == []
    assert caplog.records == []
