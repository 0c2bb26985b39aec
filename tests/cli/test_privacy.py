"""`visitor-tracker privacy verify`: its report and its exit code."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from visitor_tracker.store.keys import KeyTable
from visitor_tracker.store.open import open_store


def make_key(folder: Path, period: str) -> None:
    store = open_store(f"sqlite:///{folder / 'data' / 'visitors.db'}")
    try:
        KeyTable(store.database).make(period, b"k" * 32, 1)
    finally:
        store.close()


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    command("migrate")
    return tmp_path


def test_nothing_to_complain_of(command: Command, folder: Path) -> None:
    done = command("privacy", "verify")
    assert done.code == 0
    assert all(line.startswith("ok ") for line in done.out.splitlines())
    assert "the log of keys is whole" in done.out


def test_a_key_that_should_be_gone_is_an_error(command: Command, folder: Path) -> None:
    make_key(folder, "2020-01-01")
    done = command("privacy", "verify")
    assert done.code == 1
    assert "ERROR   2020-01-01 is over, and its visitor key was not destroyed\n          -> " in done.out
    as_json = command("privacy", "verify", "--json")
    assert (as_json.code, as_json.err) == (1, "")
    assert "error" in {finding["level"] for finding in json.loads(as_json.out)}


def test_something_personal_is_a_warning(command: Command, folder: Path) -> None:
    (folder / "data" / "notes.txt").write_text("ann.smith@example.com")
    done = command("privacy", "verify")
    assert done.code == 0
    assert "WARNING" in done.out
    assert "ann.smith" not in done.out + done.err


def test_a_wrong_folder_is_told_and_left_alone(command: Command, tmp_path: Path) -> None:
    done = command("privacy", "verify")
    assert (done.code, done.out) == (1, "")
    assert str(tmp_path / "data" / "visitors.db") in done.err
    assert list(tmp_path.iterdir()) == []
