"""`quality`: how many events of a site were lost on their way."""

import argparse
from typing import Any

import msgspec

from visitor_tracker.cli.arguments import add_command
from visitor_tracker.cli.output import remark, say, say_document, say_table
from visitor_tracker.cli.periods import SitePeriod, add_period, ask
from visitor_tracker.reports.quality import Arrived, Quality, quality

_EXAMPLES = """\
visitor-tracker quality
visitor-tracker quality --site blog --period today
visitor-tracker quality --json
"""
_NUMBERS = ("TABS", "RECEIVED", "EXPECTED", "LOST", "SHARE")


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    text = "print how many events of browser tabs were lost on their way"
    command = add_command(commands, "quality", _quality, text, examples=_EXAMPLES)
    add_period(command)
    command.add_argument("--json", action="store_true", help="print everything as JSON")


def _quality(options: argparse.Namespace) -> int:
    def answer(asked: SitePeriod) -> None:
        found = quality(asked.store.database, asked.site, asked.span)
        if options.json:
            say_document({**asked.document(), **msgspec.structs.asdict(found)})
        else:
            say(f"{asked.title()}\n")
            _print(found)

    return ask(options, answer)


def _print(found: Quality) -> None:
    if not found.tabs:
        remark("no tabs; the tracker script, /script.js, tells of them")
        return
    rows = [(point.start, *_numbers(point)) for point in found.points]
    say_table((found.interval.upper(), *_NUMBERS), [*rows, ("all", *_numbers(found))], _NUMBERS)
    remark(f"\n{found.note}")


def _numbers(arrived: Arrived) -> tuple[str, ...]:
    share = "-" if arrived.share_lost is None else f"{arrived.share_lost:.2%}"
    return (*(f"{each:,}" for each in (arrived.tabs, arrived.received, arrived.expected, arrived.lost)), share)
