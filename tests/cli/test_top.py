"""`visitor-tracker top` and the small charts of `stats`: in real terminals, and where there is none."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, MINUTE, event, fold
from visitor_tracker.cli.spark import ASCII, spark
from visitor_tracker.days import DAY_MS
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.insight import Goal, InsightTable

SITE = Site(1, "default")
SECONDS = 30.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def visited(tmp_path: Path) -> Path:
    """A folder whose `data` has visits of the last minutes, of yesterday, and a goal."""
    now = time.time_ns() // 1_000_000
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    events = [
        event(SITE, now - 2 * MINUTE, "anna", "/", source=GOOGLE, place=GERMANY),
        event(SITE, now, "anna", "/thanks", place=GERMANY),
        event(SITE, now - 20 * MINUTE, "ben", "/a\x1b[31m[red]", place=FRANCE),
        event(SITE, now - 30 * DAY_MS, "cara", "/"),
        event(SITE, now - DAY_MS, "cara", "/"),
    ]
    fold(store, SITE, events)
    InsightTable(store.database).kept_goals.add(1, Goal("Thank you", "page", page="/thanks"))
    store.close()
    return tmp_path


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, folder: Path, arguments: list[str], columns: int, lines: int, **variables: str) -> None:
        self._own, theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(theirs)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VISITOR_", "COLUMNS"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "visitor_tracker", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=kept | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | variables,
            start_new_session=True,
        )
        self._theirs = theirs
        self.shown = ""
        self._at = 0  # in what is shown without colours

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def settings(self) -> list[object]:
        return list(termios.tcgetattr(self._theirs))

    def until(self, text: str) -> str:
        """Read until that is shown after what was returned last; return it and all before it, without colours."""
        until = time.monotonic() + SECONDS
        while (found := self._plain().find(text, self._at)) < 0:
            ready, _, _ = select.select([self._own], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"{text!r} is not in {self._plain()[self._at :]!r}"
            self.shown += os.read(self._own, 65_536).decode(errors="replace")
        start, self._at = self._at, found + len(text)
        return self._plain()[start : self._at]

    def look_away(self) -> None:
        """Take no notice of what is shown by now."""
        self._at = len(self._plain())

    def _plain(self) -> str:
        return _CONTROL.sub("", self.shown)

    def end(self) -> int:
        """Read what is left, and return the exit code."""
        code = self.process.wait(SECONDS)
        while select.select([self._own], [], [], 0)[0]:
            self.shown += os.read(self._own, 65_536).decode(errors="replace")
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self._own)
        os.close(self._theirs)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def test_it_shows_a_site_until_q_is_pressed(visited: Path, terminals: list[Terminal]) -> None:
    terminals.append(Terminal(visited, ["top", "--interval", "0.5"], 120, 40))
    [terminal] = terminals
    frame = terminal.until("Thank you 1") + terminal.until("/thanks")
    assert "1 here now (5 minutes)   2 visitors in 30 minutes   3 views" in frame
    assert "Germany" in frame
    assert "France" in frame
    terminal.look_away()
    terminal.resize(60, 12)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.until("views a minute")
    terminal.look_away()
    terminal.type("\x1b[A")  # an arrow is no wish to leave
    terminal.until("here now")
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.settings() == terminal.before
    assert "\x1b[?1049h" in terminal.shown, "a screen of its own"
    assert terminal.shown.rstrip().endswith(("\x1b[?1049l", "\x1b[?25h")), "and the old one again"
    assert "\x1b[31m[" not in terminal.shown, "what visitors send is text"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0)])
def test_it_leaves_the_terminal_as_it_was(
    visited: Path, terminals: list[Terminal], number: signal.Signals, code: int
) -> None:
    terminals.append(Terminal(visited, ["top"], 80, 24))
    [terminal] = terminals
    terminal.until("views a minute")
    terminal.process.send_signal(number)
    assert terminal.end() == code
    assert terminal.settings() == terminal.before
    assert "\x1b[?1049l" in terminal.shown


def test_no_colours_where_nobody_wants_them(visited: Path, terminals: list[Terminal]) -> None:
    terminals.append(Terminal(visited, ["top"], 110, 30, NO_COLOR="1"))
    [terminal] = terminals
    terminal.until("views a minute")
    terminal.type("q")
    assert terminal.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.shown)


def test_a_frame_as_text(visited: Path, command: Command) -> None:
    done = command("top", "--once")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == command("top").out.splitlines()[1:], "piped, it is the same but for the time"
    assert "\x1b" not in done.out
    assert "1 here now (5 minutes)   2 visitors in 30 minutes   3 views   0 of robots\n" in done.out
    assert re.search(r"^/a\\x1b\[31m\[red\] +0 +1 +direct +0 +1", done.out, re.MULTILINE), done.out
    assert re.search(r"^\d\d:\d\d:\d\d +DE +pageview +/thanks$", done.out, re.MULTILINE), done.out
    assert done.out.count(" DE ") == 1, "one line for a visit"


@pytest.mark.parametrize(("interval", "told"), [("0", "seconds from 0.5 to 3600"), ("often", "not 'often'")])
def test_an_interval_that_is_none_is_told(command: Command, interval: str, told: str) -> None:
    done = command("top", "--interval", interval)
    assert done.code == 2
    assert told in done.err


def test_charts_of_one_line() -> None:
    assert spark([0, 1, 4, 8], 10) == "▁▂▅█"
    assert spark([0, 0], 10) == "▁▁"
    assert spark([None, 1], 10) == " █"
    assert spark([9, 1, 1, 2, 2], 3) == spark([1, 2], 2) == "▅█", "the oldest that make no whole group are left out"
    assert spark([0, 8], 2, ASCII) == "_#"
    assert spark([], 5) == ""


def test_stats_draws_trends_in_terminals_only(visited: Path, command: Command, terminals: list[Terminal]) -> None:
    arguments = ["stats", "--period", "90d", "--by", "page"]
    piped = command(*arguments)
    assert "TREND" not in piped.out
    assert command(*arguments, "--no-sparklines").out == piped.out
    terminals.append(Terminal(visited, arguments, 120, 40))
    terminals.append(Terminal(visited, [*arguments, "--no-sparklines"], 120, 40))
    terminals.append(Terminal(visited, arguments, 120, 40, PYTHONUTF8="0", PYTHONIOENCODING="ascii:replace"))
    drawn, plain, ascii_only = terminals
    rows = drawn.until("ENGAGED  TREND") + drawn.until("note:")
    assert re.search(r"Visitors  4 +▁+▅▁+[▁-█]+\r", rows), rows
    assert drawn.end() == 0
    assert "TREND" not in plain.until("note:")
    assert plain.end() == 0
    assert re.search(r"Visitors  4 +_+=_+[_=#]+\r", ascii_only.until("note:"))
    assert ascii_only.end() == 0
