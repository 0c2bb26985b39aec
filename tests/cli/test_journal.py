"""`visitor-tracker journal`: what an operator sees of it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from visitor_tracker.event import Agent, Batch, Event, Place, Source, encode_batch
from visitor_tracker.ingest.segments import SegmentWriter, make_folder, time_ordered_id

AWAY = "mysql://u:secret@127.0.0.1:1/d"


def write(folder: Path, *sizes: int) -> SegmentWriter:
    """Make a segment with records of so many events in the data folder, and keep it open."""
    journal = folder / "data" / "journal"
    if not journal.exists():
        make_folder(journal)
    writer = SegmentWriter(journal)
    writer.append([encode_batch(Batch(time_ordered_id(), 1, [event() for _ in range(size)])) for size in sizes])
    writer.sync()
    return writer


def event() -> Event:
    return Event(
        os.urandom(16), "pageview", 1, 1, 1, 20261122, b"", b"", b"", b"",
        "https://example.com/", Source(), Place(), Agent(),
    )  # fmt: skip


def segment_of(folder: Path) -> Path:
    [path] = (folder / "data" / "journal").glob("*.segment")
    return path


def spoil(path: Path) -> None:
    """Change a byte in the middle of the first record."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def status(command: Command, *more: str) -> dict[str, Any]:
    done = command("journal", "status", "--json", *more)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    command("migrate")
    return tmp_path


def test_status_tells_what_waits(command: Command, folder: Path) -> None:
    writer = write(folder, 2, 3)
    found = status(command)
    writer.close()
    [one] = found["segments"]
    assert (found["waiting"], one["waiting"], one["drained"], one["live"]) == (5, 5, 0, True)
    assert (one["path"], one["bytes"], found["dead"]) == (str(segment_of(folder)), found["bytes"], [])
    assert status(command)["segments"][0]["live"] is False


def test_status_is_a_table_for_people(command: Command, folder: Path) -> None:
    write(folder, 2).close()
    done = command("journal", "status")
    header, row, total = done.out.splitlines()
    assert header.split() == ["SEGMENT", "BYTES", "SYNCED", "STORED", "WAITING", "WRITTEN", "STATE"]
    assert re.fullmatch(rf"{segment_of(folder).name} +[\d,]+ +[\d,]+ +0 +2  \d+ s ago +closed", row)
    assert total.startswith("2 events wait for the store (")


def test_status_is_there_while_the_store_is_away(command: Command, folder: Path) -> None:
    write(folder, 2).close()
    done = command("journal", "status", "--json", "--store", AWAY)
    assert done.code == 0
    assert "the store was not asked" in done.err
    assert "secret" not in done.err
    found = json.loads(done.out)
    assert (found["waiting"], found["segments"][0]["drained"]) == (2, None)
    assert "  ?  " in command("journal", "status", "--store", AWAY).out


def test_a_sound_journal_is_told(command: Command, folder: Path) -> None:
    write(folder, 1, 2).close()
    done = command("journal", "verify")
    assert done.code == 0
    assert re.search(r" 2 +3 +0 +0 +0  whole\n", done.out)
    assert done.out.endswith("every record is sound; segments read: 1\n")
    [report] = json.loads(command("journal", "verify", "--json").out)
    assert (report["records"], report["events"], report["is_sound"]) == (2, 3, True)


def test_a_damaged_journal_is_told_by_the_exit_code(command: Command, folder: Path) -> None:
    write(folder, 20, 20).close()
    spoil(segment_of(folder))
    done = command("journal", "verify")
    assert done.code == 1
    assert "damaged segments: 1 of 1;" in done.out
    as_json = command("journal", "verify", "--json")
    assert (as_json.code, json.loads(as_json.out)[0]["is_sound"]) == (1, False)


@pytest.mark.parametrize("name", ["status", "verify"])
def test_a_wrong_folder_is_told_and_left_alone(command: Command, tmp_path: Path, name: str) -> None:
    done = command("journal", name)
    assert (done.code, done.out) == (1, "")
    assert str(tmp_path / "data" / "journal") in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["status", "verify"])
def test_an_empty_journal_is_no_mistake(command: Command, folder: Path, name: str) -> None:
    make_folder(folder / "data" / "journal")
    done = command("journal", name)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("name", ["status", "verify"])
def test_a_journal_that_cannot_be_read_is_told(command: Command, folder: Path, name: str) -> None:
    make_folder(folder / "data" / "journal")
    broken = folder / "data" / "journal" / f"{'0' * 32}.segment"
    broken.symlink_to(broken)
    done = command("journal", name)
    assert (done.code, done.out) == (1, "")
    assert f"{broken}: Too many levels of symbolic links" in done.err
