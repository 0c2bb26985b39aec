"""What `import` shows: a line that moves while it works, and what it came to."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from visitor_tracker.cli.arguments import command_line
from visitor_tracker.cli.output import moment, moment_json, remark, say, say_document, say_table
from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import judge
from visitor_tracker.jobs.importing.importer import Done
from visitor_tracker.jobs.importing.sources import Source
from visitor_tracker.jobs.importing.tally import Tally
from visitor_tracker.logs import escape

_EVERY_SECONDS = 0.25
_ROBOTS_SHOWN = 5
_NAME_WIDTH = 32
_CLEAR = "\r\x1b[K"  # to the line's begin, and delete what was there

_WHY = {
    "file": "no page: an image, a script, another file",
    "for programs": "an address for programs",
    "the tracker's own": "a request of the tracker's own",
    "no request": "no request in the line",
    "no path": "asked for another server",
    "no host": "the line does not say which host",
    "time": "a time that cannot be",
    "too long": "a line of more than 64 KiB",
    "empty": "an empty line",
    "hostname": "a host that is not the site's",
    "unknown_site": "a host that is no site's",
    "invalid_url": "an address that is none",
}


class Line:
    """The line of progress on standard error, where a person sees it; it is gone afterwards."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began + _EVERY_SECONDS
        self._source: Source | None = None
        self._source_began = self._began

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown:
            print(end=_CLEAR, file=sys.stderr, flush=True)

    def show(self, source: Source, tally: Tally) -> None:
        """Show how far the file is, a few times a second."""
        if not self._is_shown or (now := time.monotonic()) < self._next:
            return
        self._next = now + _EVERY_SECONDS
        if source is not self._source:
            self._source, self._source_began = source, now
        name = escape(source.name.rpartition("/")[2])[-_NAME_WIDTH:]
        parts = [name, f"{tally.lines:,} lines", f"{tally.events / (now - self._began):,.0f} events/s"]
        if source.packed_size:
            share = min(1.0, source.packed_position / source.packed_size)
            parts.insert(1, f"{100 * share:.0f} %")
            if share > 0:
                left = (now - self._source_began) * (1 - share) / share
                parts.append(f"{int(left) // 60}:{int(left) % 60:02} left")
        print(end=_CLEAR + "  ".join(parts), file=sys.stderr, flush=True)


def report(done: Sequence[Done], tally: Tally, options: argparse.Namespace, sites: Mapping[int, str]) -> None:
    """Say what was taken and what was not; `sites` are names by id."""
    if options.json:
        say_document(_document(done, tally, stored=not options.dry_run))
        return
    for file in done:
        if file.problem:
            remark(f"{escape(file.problem)}; what stands before is taken")
    if options.dry_run:
        _say_examples(tally.examples)
    if tally.lines:
        _say_numbers(tally)
    _say_next(done, tally, options, sites)


def _say_numbers(tally: Tally) -> None:
    say(f"lines read  {tally.lines:>12,}")
    say(f"page views  {tally.views:>12,}")
    robots = tally.robots.most_common(_ROBOTS_SHOWN)
    say(f"robots      {tally.robots.total():>12,}  {_listed(robots)}".rstrip())
    say(f"passed over {tally.skipped.total():>12,}")
    for reason, number in tally.skipped.most_common():
        say(f"            {number:>12,}  {_WHY.get(reason, reason)}")
    say(f"unreadable  {tally.broken:>12,}")
    for problem in tally.problems:
        say(f"              {escape(problem.file)}:{problem.line or '?'}: {escape(problem.why)}")
    if tally.first_ts:
        say(f"from {moment(tally.first_ts)} to {moment(tally.last_ts)} UTC")


def _say_examples(examples: Sequence[Event]) -> None:
    header = ("TIME (UTC)", "PAGE", "FROM", "COUNTRY", "BROWSER", "SYSTEM", "DEVICE", "ROBOT")
    rows = [
        (
            moment(event.ts),
            event.url,
            event.source.referrer or event.source.channel,
            event.place.country,
            f"{event.agent.browser} {event.agent.browser_version}".strip() or "-",
            f"{event.agent.os} {event.agent.os_version}".strip() or "-",
            event.agent.device or "-",
            (event.agent.bot or "yes") if judge(event.signals) else "-",
        )
        for event in examples
    ]
    if rows:
        say_table(header, rows)
        say("")


def _say_next(done: Sequence[Done], tally: Tally, options: argparse.Namespace, sites: Mapping[int, str]) -> None:
    if options.dry_run:
        remark("nothing was stored: leave out --dry-run to do so")
    elif not any(file.new_bytes for file in done):
        remark("nothing to import: every line of these files is in the store, or there is none")
    elif tally.events:
        remark("\nlook at them with")
        for name in sorted(sites[site_id] for site_id in tally.sites):
            remark(f"  {command_line(options, 'stats', '--site', name, '--period', 'all')}")


def _document(done: Sequence[Done], tally: Tally, *, stored: bool) -> dict[str, object]:
    return {
        "stored": stored,
        "files": done,
        "lines": tally.lines,
        "views": tally.views,
        "robots": dict(tally.robots.most_common()),
        "passed_over": dict(tally.skipped.most_common()),
        "unreadable": tally.broken,
        "problems": tally.problems,
        "first": moment_json(tally.first_ts),
        "last": moment_json(tally.last_ts),
    }


def _listed(robots: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in robots)
