"""`funnel`: how many visits or visitors go which way along some steps."""

import argparse
from collections.abc import Callable
from typing import Any

from visitor_tracker.cli.arguments import add_command, add_group
from visitor_tracker.cli.output import remark, say, say_document, say_json, say_table
from visitor_tracker.cli.questions import (
    Desk,
    add_by,
    add_chosen,
    add_json,
    add_site,
    answered,
    percent,
    say_title,
)
from visitor_tracker.reports.funnels import StepNumbers, funnel_report
from visitor_tracker.reports.query import QueryError
from visitor_tracker.reports.saved import checked_funnel
from visitor_tracker.store.insight import Funnel, Step, StepOrder
from visitor_tracker.web.api.funnels import shown

_EXAMPLES = """\
visitor-tracker funnel add Checkout --page /cart --page /checkout --event purchase
visitor-tracker funnel report Checkout --period 7d
"""
_ADD_EXAMPLES = """\
visitor-tracker funnel add Checkout --page /cart --page /checkout --event purchase --minutes 60
visitor-tracker funnel add "Read, then buy" --page "/blog/*" --step "event is purchase and value > 10" --days 7
visitor-tracker funnel add Straight --page / --page /pricing --page /signup --strict
"""
_REPORT_EXAMPLES = """\
visitor-tracker funnel report Checkout
visitor-tracker funnel report Checkout --by device --filter "country is DE"
visitor-tracker funnel report --page / --page /pricing --json
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    group = add_group(commands, "funnel", "follow visits along steps, and see where they leave", examples=_EXAMPLES)
    add = add_command(group, "add", answered(_add), "save the steps of a funnel", examples=_ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", help="what people will read, e.g. Checkout")
    add_site(add)
    _add_steps(add)
    listing = add_command(
        group, "list", answered(_list), "list the funnels of a site", examples="visitor-tracker funnel list --json"
    )
    add_site(listing)
    add_json(listing, "the funnels as JSON lines")
    remove = add_command(
        group, "remove", answered(_remove), "remove a funnel", examples="visitor-tracker funnel remove Checkout"
    )
    remove.add_argument("name", metavar="NAME", help="its name, or its id as  funnel list --json  shows it")
    add_site(remove)
    report = add_command(group, "report", answered(_report), "print how many went how far", examples=_REPORT_EXAMPLES)
    report.add_argument("name", metavar="NAME", nargs="?", default="", help="a saved funnel; else give the steps")
    add_chosen(report)
    add_by(report)
    _add_steps(report)


def _add_steps(command: argparse.ArgumentParser) -> None:
    steps: tuple[tuple[str, str, str, Callable[[str], Step]], ...] = (
        ("--page", "PATTERN", "next step: a page, such as /cart or /blog/*", lambda text: Step(page=text)),
        ("--event", "NAME", "next step: a custom event", lambda text: Step(event=text)),
    )
    for option, metavar, text, read in steps:
        command.add_argument(option, dest="steps", metavar=metavar, action="append", type=read, help=text)
    command.add_argument(
        "--step",
        dest="steps",
        metavar="FILTER",
        action="append",
        type=lambda text: Step(filter=text),
        help='next step: an event that a filter selects, e.g. "outbound contains pay"',
    )
    command.add_argument("--strict", action="store_true", help="nothing else in between")
    command.add_argument("--minutes", metavar="N", type=int, help="from the first step to the last, within a visit")
    command.add_argument("--days", metavar="N", type=int, help="from the first step to the last, across visits")


def _funnel(options: argparse.Namespace, desk: Desk, name: str) -> Funnel:
    order: StepOrder = "strict" if options.strict else "loose"
    steps = tuple(options.steps or ())
    return checked_funnel(Funnel(name, steps, order, options.minutes, options.days, at=desk.now_ms))


def _add(options: argparse.Namespace, desk: Desk) -> None:
    funnel = desk.kept.kept_funnels.add(desk.site.id, _funnel(options, desk, options.name))
    desk.note("funnel.added", funnel.name, funnel.id)
    say(f"added the funnel {funnel.name}; see  visitor-tracker funnel report {funnel.name!r} --site {desk.site.name}")


def _list(options: argparse.Namespace, desk: Desk) -> None:
    funnels = desk.kept.funnels(desk.site.id)
    if options.json:
        for funnel in funnels:
            say_json(shown(funnel))
    elif funnels:
        say_table(("NAME", "ORDER", "STEPS"), [(each.name, each.order, _steps(each)) for each in funnels])
    else:
        remark("no funnels yet: make one with  visitor-tracker funnel add NAME")


def _steps(funnel: Funnel) -> str:
    return " > ".join(step.page or step.event or step.filter for step in funnel.steps)


def _remove(options: argparse.Namespace, desk: Desk) -> None:
    funnel = desk.funnel(options.name)
    desk.kept.kept_funnels.remove(desk.site.id, funnel.id)
    desk.note("funnel.removed", funnel.name, funnel.id)
    say(f"removed the funnel {funnel.name}")


def _report(options: argparse.Namespace, desk: Desk) -> None:
    if options.name and options.steps:
        raise QueryError("steps", "name a saved funnel or give steps, not both")
    funnel = desk.funnel(options.name) if options.name else _funnel(options, desk, "funnel")
    found = funnel_report(desk.table, desk.question, funnel, with_sessions=True)
    if options.json:
        say_document(found)
        return
    say_title(found)
    header = ("STEP", found.follows.upper(), "OF FIRST", "DROPPED", "AFTER")
    say_table(header, [_cells(step) for step in found.steps], header[1:])
    for row in found.rows or ():
        say(f"\n{found.by}: {row.value}")
        say_table(header, [_cells(step) for step in row.steps], header[1:])
    if funnel.days is not None:
        remark(f"\nnote: {found.known}")


def _cells(step: StepNumbers) -> tuple[str, ...]:
    number = step.visitors if step.visits is None else step.visits
    dropped = "-" if step.dropped is None else f"{step.dropped:,} ({percent(step.drop_rate)})"
    after = "-" if step.median_seconds is None else f"{step.median_seconds:,.0f} s"
    return step.name, f"{number:,}", percent(step.of_first), dropped, after
