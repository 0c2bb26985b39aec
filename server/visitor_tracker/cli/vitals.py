"""`vitals`: Web Vitals of a site."""

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from visitor_tracker.cli.arguments import add_command, positive
from visitor_tracker.cli.output import remark, say, say_document, say_table
from visitor_tracker.cli.periods import SitePeriod, add_period, ask
from visitor_tracker.reports.vitals import BY, LIMIT, THRESHOLDS, Vital, Vitals, vitals

_EXAMPLES = """\
visitor-tracker vitals
visitor-tracker vitals --by page --period 7d
visitor-tracker vitals --site blog --by device --json
"""
_HEADER = ("VITAL", "P75", "RATING", "GOOD", "IMPROVE", "POOR", "SAMPLES")
_NUMBERS = ("P75", "GOOD", "IMPROVE", "POOR", "SAMPLES", *THRESHOLDS)


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    text = "print how quickly a site's pages come up and answer (Web Vitals)"
    command = add_command(commands, "vitals", _vitals, text, examples=_EXAMPLES)
    add_period(command)
    command.add_argument("--by", choices=BY, help="list the 75th percentiles of each")
    command.add_argument("--limit", type=positive, metavar="N", default=LIMIT, help=f"rows; default: {LIMIT}")
    command.add_argument("--json", action="store_true", help="print everything as JSON")


def _vitals(options: argparse.Namespace) -> int:
    def answer(asked: SitePeriod) -> None:
        found = vitals(asked.store.database, asked.site, asked.span, options.by, options.limit)
        if options.json:
            say_document({**asked.document(), **msgspec.to_builtins(found)})
        else:
            say(f"{asked.title()}\n")
            _print(found)

    return ask(options, answer)


def _print(found: Vitals) -> None:
    if not found.vitals:
        remark('no vitals; the tracker script tells of them on sites whose modules have "vitals"')
        return
    say_table(_HEADER, [_row(vital) for vital in found.vitals], _NUMBERS)
    if not found.by:
        return
    say("")
    header = (found.by.upper(), *THRESHOLDS, "SAMPLES")
    rows = [(row.value, *_values(row.vitals), f"{row.samples:,}") for row in found.rows]
    say_table(header, rows, _NUMBERS)
    if found.rows_in_all > len(found.rows):
        say(f"… {found.rows_in_all:,} in all")


def _row(vital: Vital) -> tuple[str, ...]:
    shares = (f"{share:.0%}" for share in (vital.good, vital.needs_improvement, vital.poor))
    return vital.name, _value(vital), vital.rating, *shares, f"{vital.samples:,}"


def _values(found: Sequence[Vital]) -> list[str]:
    by_name = {vital.name: vital for vital in found}
    return [_value(by_name[name]) if name in by_name else "-" for name in THRESHOLDS]


def _value(vital: Vital) -> str:
    return f"{vital.p75:.3f}" if vital.name == "CLS" else f"{vital.p75:,.0f} ms"
