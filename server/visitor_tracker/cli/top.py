"""Who is on a site now, in a terminal, again and again: what `visitor-tracker top` does."""

import argparse
import io
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.live import Live as Screen

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import config_of, opened
from visitor_tracker.cli.output import OutputError, say
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.cli.top_screen import Frame, GoalToday, screen
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.reports.goals import goal_report
from visitor_tracker.reports.live import LiveView
from visitor_tracker.reports.query import Asked, QueryError, read_question
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import Goal, InsightTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.visitors import JUDGE, now_ms

_GOALS_SECONDS = 60.0  # at least, between two counts of goals
_GOALS_TIMES = 20  # as long as they took to count
_COLUMNS = 100  # of a frame that goes into a file

Woken = Literal["quit", "again"]


def run(options: argparse.Namespace) -> int:
    """Show the site that the options name; return the exit code."""
    config = config_of(options)
    with opened(config) as store:
        sites = all_sites(store, config)
        site = next((each for each in sites if options.site in each.aliases), None) or known_site(sites, options.site)
        view = _View(store, config, site)
        console = Console()
        if options.once or not console.is_terminal or console.is_dumb_terminal:
            say(_as_text(view.frame(), site, console))
        else:
            _follow(console, view, site, options.interval)
    return 0


def _as_text(frame: Frame, site: Site, console: Console) -> str:
    """Return a frame as lines without colours."""
    width = console.width if console.is_terminal else _COLUMNS
    is_ascii = console.options.ascii_only
    paper = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with paper.capture() as written:
        paper.print(screen(frame, site, width, None, is_ascii=is_ascii))
    lines = written.get().splitlines()
    text = "\n".join(line.rstrip() for line in lines)
    return text.replace("…", "~").encode("ascii", "backslashreplace").decode() if is_ascii else text


def _follow(console: Console, view: "_View", site: Site, interval: float) -> None:
    """Show frames until somebody has seen enough."""
    try:
        with _woken() as waker, Screen(console=console, screen=True, auto_refresh=False) as shown:
            read_at, frame = 0.0, view.frame()
            while True:
                size = console.size
                is_ascii = console.options.ascii_only
                shown.update(screen(frame, site, size.width, size.height, is_ascii=is_ascii), refresh=True)
                read_at = read_at or time.monotonic()
                woken = waker.wait(max(0.0, read_at + interval - time.monotonic()))
                if woken == "quit":
                    return
                if woken is None:
                    read_at, frame = time.monotonic(), view.frame(frame)
    except KeyboardInterrupt:
        return
    except OSError as error:  # the terminal is gone
        raise OutputError(f"the terminal cannot be written: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Waker:
    """Waits for a key, a signal or the time to come."""

    keys: int  # -1: there is no keyboard
    signals: int

    def wait(self, seconds: float) -> Woken | None:
        """Return what to do where something woke it, None where the time is over."""
        sources = [self.signals] if self.keys < 0 else [self.signals, self.keys]
        ready, _, _ = select.select(sources, [], [], seconds)
        if not ready:
            return None
        got = {source: os.read(source, 64) for source in ready}
        typed = got.get(self.keys)
        is_over = typed is not None and (typed in (b"", b"\x1b") or bool(set(typed.lower()) & set(b"q\x03\x04")))
        signals = got.get(self.signals, b"")
        return "quit" if is_over or signal.SIGTERM in signals or signal.SIGHUP in signals else "again"


@contextmanager
def _woken() -> Iterator[_Waker]:
    """Take keys as they are pressed, and signals as bytes, until the end."""
    with ExitStack() as stack:
        reads, writes = os.pipe()
        for end in (reads, writes):
            os.set_blocking(end, False)
            stack.callback(os.close, end)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writes, warn_on_full_buffer=False))
        for number in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: None))
        keys = -1
        if sys.stdin is not None and sys.stdin.isatty():
            keys = sys.stdin.fileno()
            stack.callback(termios.tcsetattr, keys, termios.TCSADRAIN, termios.tcgetattr(keys))
            tty.setcbreak(keys)
        yield _Waker(keys, reads)


class _View:
    """Reads what is shown; goals, which take longer, seldom."""

    def __init__(self, store: SqlStore, config: Config, site: Site) -> None:
        self._live = LiveView(store.database, JUDGE)
        self._table, self._kept = ReportTable(store.database), InsightTable(store.database)
        self._site = site
        self._policy = (site.policy or policy_of(config.identity)).visitor
        self._goals: tuple[GoalToday, ...] = ()
        self._goals_note = ""
        self._count_at = 0.0  # monotonic

    def frame(self, before: Frame | None = None) -> Frame:
        """Return the site as it is now; as it was `before` while the store is away."""
        try:
            live = self._live.read(self._site, now_ms())
            if time.monotonic() >= self._count_at:
                self._count_goals()
        except (StoreUnavailable, OutcomeUnknown) as error:
            if before is None:
                raise
            return Frame(before.live, before.goals, before.goals_note, f"the store is away: {error}")
        return Frame(live, self._goals, self._goals_note)

    def _count_goals(self) -> None:
        began = time.monotonic()
        goals = self._kept.goals(self._site.id)
        self._goals, self._goals_note = (), ""
        try:
            self._goals = self._counted(goals) if goals else ()
        except QueryError as error:
            self._goals_note = str(error)
        ended = time.monotonic()
        self._count_at = ended + max(_GOALS_SECONDS, _GOALS_TIMES * (ended - began))

    def _counted(self, goals: Sequence[Goal]) -> tuple[GoalToday, ...]:
        question = read_question(
            Asked(period="today"),
            self._site,
            self._policy,
            now_ms=now_ms(),
            known=lambda: self._table.known(self._site.id),
        )
        found = goal_report(self._table, question, goals)
        return tuple(GoalToday(goal.name, goal.conversions, goal.visitors) for goal in found.goals)
