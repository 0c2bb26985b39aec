"""`goal` and `attribution`: what visitors are wanted to do, how often they do, and what brought those who did."""

import argparse
from typing import Any, get_args

from visitor_tracker.cli.arguments import add_command, add_group
from visitor_tracker.cli.output import remark, say, say_document, say_json, say_table
from visitor_tracker.cli.questions import (
    Desk,
    add_by,
    add_chosen,
    add_interval,
    add_json,
    add_site,
    answered,
    money,
    percent,
    say_title,
)
from visitor_tracker.reports.attribution import (
    LOOKBACK_DAYS,
    LOOKBACK_MOST,
    AttributedBy,
    Model,
    attribution,
)
from visitor_tracker.reports.goals import GoalNumbers, goal_report
from visitor_tracker.reports.query import QueryError
from visitor_tracker.reports.saved import checked_goal
from visitor_tracker.store.insight import Goal, GoalKind
from visitor_tracker.web.api.goals import shown

_EXAMPLES = """\
visitor-tracker goal add "Thank you" --page "/thanks*"
visitor-tracker goal add "Sign-up" --event signup --where "prop:plan is pro"
visitor-tracker goal report --period 7d --by source
"""
_ADD_EXAMPLES = """\
visitor-tracker goal add "Thank you" --page "/thanks*" --site shop
visitor-tracker goal add "Sign-up" --event signup --where "prop:plan is pro"
visitor-tracker goal add Sales --revenue purchase
visitor-tracker goal add "Read to the end" --scroll 90 --page "/blog/*"
visitor-tracker goal add "A good look" --engaged-ms 60000
"""
_REPORT_EXAMPLES = """\
visitor-tracker goal report
visitor-tracker goal report --goal Sales --by utm_campaign --period 90d
visitor-tracker goal report --filter "country is DE" --json
"""
_ATTRIBUTION_EXAMPLES = """\
visitor-tracker attribution Sales
visitor-tracker attribution "Sign-up" --model first --by campaign --period 90d
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "goal", "say what visitors shall do, and see how often they do it", examples=_EXAMPLES)
    add = add_command(group, "add", answered(_add), "make a goal; the past counts, too", examples=_ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", help="what people will read, e.g. Sign-up")
    add_site(add)
    add.add_argument("--page", metavar="PATTERN", default="", help="a page was viewed: /thanks, /blog/*, a.test/x")
    add.add_argument("--event", metavar="NAME", default="", help="a custom event was sent")
    add.add_argument("--revenue", metavar="EVENT", default="", help="the same, and what its values come to is told")
    add.add_argument("--where", metavar="FILTER", default="", help='what must hold for it, e.g. "prop:plan is pro"')
    add.add_argument("--scroll", metavar="PERCENT", type=int, default=0, help="so far of a page was reached")
    add.add_argument("--engaged-ms", metavar="MS", type=int, default=0, help="a page, or the visit, was looked at")
    listing = add_command(
        group, "list", answered(_list), "list the goals of a site", examples="visitor-tracker goal list --json"
    )
    add_site(listing)
    add_json(listing, "the goals as JSON lines")
    remove = add_command(
        group, "remove", answered(_remove), "remove a goal", examples="visitor-tracker goal remove Sales"
    )
    remove.add_argument("name", metavar="NAME", help="its name, or its id as  goal list --json  shows it")
    add_site(remove)
    report = add_command(
        group, "report", answered(_report), "print how often goals were reached", examples=_REPORT_EXAMPLES
    )
    report.add_argument("--goal", metavar="NAME", default="", help="one goal; default: all of the site")
    add_chosen(report)
    add_by(report)
    add_interval(report)
    credit = add_command(
        commands, "attribution", answered(_attribution), "print what brought the visitors who reached a goal",
        examples=_ATTRIBUTION_EXAMPLES,
    )  # fmt: skip
    credit.add_argument("goal", metavar="GOAL", help="its name or id")
    add_chosen(credit)
    credit.add_argument("--model", choices=get_args(Model), default="last", help="which visit gets the credit")
    credit.add_argument("--by", dest="credit_by", choices=get_args(AttributedBy), default="channel", help="by what")
    credit.add_argument(
        "--lookback", metavar="DAYS", type=int, default=LOOKBACK_DAYS, help=f"1 to {LOOKBACK_MOST} days; default: 30"
    )
    credit.add_argument("--limit", metavar="N", default="", help="rows; default: 10")


def _add(options: argparse.Namespace, desk: Desk) -> None:
    goal = Goal(
        options.name,
        _kind(options),
        options.page,
        options.revenue or options.event,
        options.where,
        options.scroll,
        options.engaged_ms,
        at=desk.now_ms,
    )
    goal = desk.kept.kept_goals.add(desk.site.id, checked_goal(goal))
    desk.note("goal.added", goal.name, goal.id)
    say(f"added the goal {goal.name}; see  visitor-tracker goal report --site {desk.site.name}")


def _kind(options: argparse.Namespace) -> GoalKind:
    if options.revenue and options.event:
        raise QueryError("event", "use --event or --revenue, not both")
    if options.revenue:
        return "revenue"
    if options.event:
        return "event"
    if options.scroll:
        return "scroll"
    if options.engaged_ms:
        return "engaged"
    if options.page:
        return "page"
    raise QueryError("kind", "say what is wanted: use --page, --event, --revenue, --scroll or --engaged-ms")


def _list(options: argparse.Namespace, desk: Desk) -> None:
    goals = desk.kept.goals(desk.site.id)
    if options.json:
        for goal in goals:
            say_json(shown(goal))
    elif goals:
        say_table(("NAME", "KIND", "WHAT"), [(goal.name, goal.kind, _what(goal)) for goal in goals])
    else:
        remark("no goals yet: make one with  visitor-tracker goal add NAME")


def _what(goal: Goal) -> str:
    parts = [
        f"{goal.percent} %" if goal.percent else "",
        f"{goal.engaged_ms / 1000:g} s" if goal.engaged_ms else "",
        goal.page,
        goal.event,
        goal.where,
    ]
    return ", ".join(filter(None, parts))


def _remove(options: argparse.Namespace, desk: Desk) -> None:
    goal = desk.goal(options.name)
    desk.kept.kept_goals.remove(desk.site.id, goal.id)
    desk.note("goal.removed", goal.name, goal.id)
    say(f"removed the goal {goal.name}")


def _report(options: argparse.Namespace, desk: Desk) -> None:
    goals = [desk.goal(options.goal)] if options.goal else desk.kept.goals(desk.site.id)
    found = goal_report(desk.table, desk.question, goals)
    if options.json:
        say_document(found)
        return
    say_title(found)
    say(f"{found.visitors:,} visitors, {found.visits:,} visits\n")
    header = ("GOAL", "CONVERSIONS", "VISITORS", "VISITS", "RATE", "REVENUE")
    rows = [(goal.name, goal) for goal in found.goals]
    say_table(header, [(name, *_cells(goal)) for name, goal in rows], header[1:])
    for goal in found.goals:
        if goal.rows:
            say("")
            header = (f"{goal.name} by {found.by}", *header[1:])
            say_table(header, [(row.value, *_cells(row)) for row in goal.rows], header[1:])
    if not goals:
        remark("no goals yet: make one with  visitor-tracker goal add NAME")
    elif found.visitors_are != "exact":
        remark(f"\nnote: {found.note}")


def _cells(goal: GoalNumbers) -> tuple[str, ...]:
    numbers = (goal.conversions, goal.visitors, goal.visits)
    return *(f"{number:,}" for number in numbers), percent(goal.rate), money(goal.revenue)


def _attribution(options: argparse.Namespace, desk: Desk) -> None:
    if not 1 <= options.lookback <= LOOKBACK_MOST:
        raise QueryError("lookback", f"--lookback must be from 1 to {LOOKBACK_MOST}")
    found = attribution(
        desk.table,
        desk.question,
        desk.goal(options.goal),
        model=options.model,
        by=options.credit_by,
        lookback_days=options.lookback,
    )
    if options.json:
        say_document(found)
        return
    say_title(found)
    header = (found.by.upper(), "CONVERSIONS", "SHARE", "VISITORS", "REVENUE")
    rows = [
        (row.value or "(none)", f"{row.conversions:,}", percent(row.share), f"{row.visitors:,}", money(row.revenue))
        for row in found.rows
    ]
    say_table(header, rows, header[1:])
    remark(f"\nnote: {found.known}")
