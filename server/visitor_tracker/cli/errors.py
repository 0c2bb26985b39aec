"""`errors`: what goes wrong in the scripts of a site's pages."""

import argparse
from typing import Any

import msgspec

from visitor_tracker.cli.arguments import add_command, positive
from visitor_tracker.cli.output import remark, say, say_document
from visitor_tracker.cli.periods import SitePeriod, add_period, ask
from visitor_tracker.logs import escape
from visitor_tracker.reports.problems import LIMIT, Problem, Problems, problems

_EXAMPLES = """\
visitor-tracker errors
visitor-tracker errors --site blog --period 7d --limit 5
visitor-tracker errors --json
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    command = add_command(commands, "errors", _errors, "list the errors of a site's pages", examples=_EXAMPLES)
    add_period(command)
    command.add_argument("--limit", type=positive, metavar="N", default=LIMIT, help=f"problems; default: {LIMIT}")
    command.add_argument("--json", action="store_true", help="print everything as JSON")


def _errors(options: argparse.Namespace) -> int:
    def answer(asked: SitePeriod) -> None:
        found = problems(asked.store.database, asked.site, asked.span, options.limit)
        if options.json:
            say_document({**asked.document(), **msgspec.structs.asdict(found)})
        else:
            say(asked.title())
            _print(found)

    return ask(options, answer)


def _print(found: Problems) -> None:
    for problem in found.problems:
        _print_problem(problem)
    if found.groups > len(found.problems):
        say(f"\n… {found.groups:,} problems in all")
    if not found.errors:
        remark('\nno errors; the tracker script tells of them on sites whose modules have "errors"')


def _print_problem(problem: Problem) -> None:
    times = f"{problem.count:,} times" if problem.count > 1 else "once"
    visitors = f"{problem.visitors:,} visitor{'' if problem.visitors == 1 else 's'}"
    say(f"\n{escape(problem.message) or 'without a message'}")
    say(
        f"    {times}, {visitors}, {problem.first_seen[:16]} to {problem.last_seen[:16]}, group {escape(problem.group)}"
    )
    if problem.page:
        say(f"    on {escape(problem.page)}")
    for frame in problem.stack.split(" | ") if problem.stack else ():
        say(f"      at {escape(frame)}")
