"""`journey` and `cohorts`: which pages visits go to one after the other, and who comes again."""

import argparse
from typing import Any, get_args

from visitor_tracker.cli.arguments import add_command
from visitor_tracker.cli.output import remark, say, say_document, say_table
from visitor_tracker.cli.periods import add_week_start
from visitor_tracker.cli.questions import Desk, add_chosen, add_period, answered, percent, say_title
from visitor_tracker.reports.journeys import LIMIT, LIMIT_MOST, STEPS, STEPS_MOST, Direction, journeys
from visitor_tracker.reports.query import QueryError
from visitor_tracker.reports.retention import CohortInterval, retention
from visitor_tracker.web.api.ways import start_of

_JOURNEY_EXAMPLES = """\
visitor-tracker journey
visitor-tracker journey --start /pricing --steps 2
visitor-tracker journey --start "/blog/*" --direction previous --filter "country is DE"
"""
_COHORT_EXAMPLES = """\
visitor-tracker cohorts --period 90d
visitor-tracker cohorts --site shop --period 12mo --interval month --json
"""
_COHORTS_SHOWN = 14  # periods of a cohort in a table


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    journey = add_command(
        commands, "journey", answered(_journey), "print which pages visits go to one after the other",
        examples=_JOURNEY_EXAMPLES,
    )  # fmt: skip
    add_chosen(journey)
    journey.add_argument("--start", metavar="PAGE", default="", help="such as /pricing; default: entry or exit")
    journey.add_argument("--direction", choices=get_args(Direction), default="next", help="onwards or back")
    journey.add_argument("--steps", metavar="N", type=int, default=STEPS, help=f"1 to {STEPS_MOST}; default: {STEPS}")
    journey.add_argument(
        "--pages", metavar="N", type=int, default=LIMIT, help=f"told apart at each step, 1 to {LIMIT_MOST}; default: 10"
    )
    cohorts = add_command(
        commands, "cohorts", answered(_cohorts), "print who comes again, by the time of the first visit",
        examples=_COHORT_EXAMPLES,
    )  # fmt: skip
    add_period(cohorts)
    cohorts.add_argument("--interval", dest="cohorts", choices=get_args(CohortInterval), help="what one cohort is of")
    add_week_start(cohorts)


def _journey(options: argparse.Namespace, desk: Desk) -> None:
    for name, number, most in (("steps", options.steps, STEPS_MOST), ("pages", options.pages, LIMIT_MOST)):
        if not 1 <= number <= most:
            raise QueryError(name, f"--{name} must be from 1 to {most}")
    found = journeys(
        desk.table,
        desk.question,
        start=start_of(options.start),
        direction=options.direction,
        steps=options.steps,
        limit=options.pages,
    )
    if options.json:
        say_document(found)
        return
    say_title(found)
    say(f"{found.visits:,} visits\n")
    header = ("STEP", "FROM", "TO", "VISITS")
    rows = [(str(link.step), link.source, link.target, f"{link.visits:,}") for link in found.links]
    say_table(header, rows, ("STEP", "VISITS"))


def _cohorts(options: argparse.Namespace, desk: Desk) -> None:
    found = retention(desk.store.database, desk.question, asked=options.cohorts)
    if options.json:
        say_document(found)
        return
    say_title(found)
    if found.suppressed is not None:
        remark(found.suppressed)
        return
    shown = min(len(found.all), _COHORTS_SHOWN)
    header = (found.interval.upper(), "VISITORS", *(str(number) for number in range(1, shown)))
    rows = [
        (cohort.start, f"{cohort.visitors:,}", *_cells([period.rate for period in cohort.periods[1:shown]], shown - 1))
        for cohort in found.cohorts
    ]
    say_table(header, rows, header[1:])
    remark(f"\nnote: {found.note}")


def _cells(rates: list[float | None], most: int) -> list[str]:
    return [percent(rate) for rate in rates] + [""] * (most - len(rates))
