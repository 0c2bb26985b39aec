"""Commands end in order, whatever becomes of what they print."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from visitor_tracker.cli.output import say_table


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    """A folder with a database."""
    command("migrate")
    return tmp_path


def start(folder: Path, arguments: tuple[str, ...], output: int, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "visitor_tracker", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **more},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def full() -> Iterator[int]:
    """A disk without room."""
    file = os.open("/dev/full", os.O_WRONLY)
    yield file
    os.close(file)


@pytest.fixture
def closed() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


COMMANDS = [("site", "list"), ("site", "list", "--json"), ("token",), ("--help",), ("site", "list", "--help")]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_told_in_a_line(folder: Path, full: int, arguments: tuple[str, ...], unbuffered: str) -> None:
    process = start(folder, arguments, full, PYTHONUNBUFFERED=unbuffered)
    said = process.communicate(timeout=60)[1]
    assert said == "visitor-tracker: the output cannot be written: No space left on device\n"
    assert process.returncode == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_who_has_seen_enough_is_no_mistake(
    folder: Path, closed: int, arguments: tuple[str, ...], unbuffered: str
) -> None:
    process = start(folder, arguments, closed, PYTHONUNBUFFERED=unbuffered)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


def test_a_key_that_nobody_has_seen_is_none(folder: Path, full: int, command: Command) -> None:
    process = start(folder, ("key", "add", "backend"), full)
    assert "cannot be written" in process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert command("key", "list", "--json").out == ""


def test_columns_are_as_wide_as_they_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("NAME", "N", "REST"), [("a", "1", "x"), ("long", "200", "")], right={"N"})
    assert capsys.readouterr().out == "NAME    N  REST\na       1  x\nlong  200\n"


def test_a_table_is_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("NAME",), [("a\x1b[2J\u202e",)])
    assert capsys.readouterr().out == "NAME\na\\x1b[2J\\u202e\n"
