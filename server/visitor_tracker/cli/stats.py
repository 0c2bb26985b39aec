"""`stats`: a page of numbers of a site."""

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import add_command, config_of, opened
from visitor_tracker.cli.output import EXIT_USAGE, complain, remark, say, say_document, say_table
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.days import date_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.answers import (
    Answer,
    answer,
    shape_of,
    shown_breakdown,
    shown_series,
    shown_totals,
)
from visitor_tracker.reports.numbers import NOTES, Breakdown, Series, Totals
from visitor_tracker.reports.query import (
    DIMENSIONS,
    INTERVALS,
    ORDERS,
    PERIODS,
    Asked,
    QueryError,
    Question,
    read_question,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable

_EXAMPLES = """\
visitor-tracker stats
visitor-tracker stats --site blog --period 2026-01-01..2026-03-31 --interval week
visitor-tracker stats --by source --limit 20
visitor-tracker stats --filter "country is DE,FR and not page glob /blog/*" --by entry
visitor-tracker stats --period 24h --json
"""
_PANELS = (Dimension.PAGE, Dimension.SOURCE, Dimension.COUNTRY)
_BAR = 40  # characters of the longest one
_POINTS = 40  # lines of a series; with more of them it is one by week
_TITLES = {
    "visitors": "VISITORS",
    "visits": "VISITS",
    "views": "VIEWS",
    "events": "EVENTS",
    "bounce_rate": "BOUNCES",
    "engaged_seconds": "ENGAGED",
}


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    command = add_command(commands, "stats", _stats, "print the numbers of a site", examples=_EXAMPLES)
    command.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")
    command.add_argument(
        "--period",
        metavar="PERIOD",
        default="",
        help=f"{', '.join(PERIODS)}, a day such as 2026-03-31, or two with .. between; default: 30d",
    )
    command.add_argument(
        "--by",
        metavar="DIMENSION",
        default="",
        help=f"list the values of one dimension: {', '.join(DIMENSIONS)}; default: page, source and country",
    )
    command.add_argument("--interval", choices=INTERVALS, default="", help="what one line of the chart stands for")
    command.add_argument(
        "--filter",
        dest="filters",
        metavar="FILTER",
        default="",
        help='count what fits only, e.g. "country is DE and page contains price"; docs/reports.md has the language',
    )
    command.add_argument("--timezone", metavar="ZONE", default="", help="whose days; default: those of the site")
    command.add_argument("--order", choices=ORDERS, default="", help="what lists are sorted by; default: visitors")
    command.add_argument("--limit", metavar="N", default="", help="rows of each list; default: 10")
    command.add_argument("--json", action="store_true", help="print everything as JSON")


def _stats(options: argparse.Namespace) -> int:
    asked = Asked(**{name: getattr(options, name, "") for name in Asked.__dataclass_fields__})
    config = config_of(options)
    with opened(config) as store:
        site = _site(all_sites(store, config), options.site)
        policy = (site.policy or policy_of(config.identity)).visitor
        table = ReportTable(store.database)
        now_ms = time.time_ns() // 1_000_000
        try:
            question = read_question(asked, site, policy, now_ms=now_ms, oldest=lambda: table.oldest(site.id))
            if not asked.interval and not options.json:
                question = _readable(question)
            found = answer(table, question, () if question.dimension is not None else _PANELS)
        except QueryError as error:
            complain(str(error))
            return EXIT_USAGE
    if options.json:
        say_document(_document(question, found))
    else:
        _print(question, found)
    return 0


def _site(there: Iterable[Site], name: str) -> Site:
    """Return the site of that name or alias; raises SiteError."""
    sites = list(there)
    return next((site for site in sites if name in site.aliases), None) or known_site(sites, name)


def _readable(question: Question) -> Question:
    """Return the question with weeks in the place of more days than fit on a page."""
    is_long = question.interval == "day" and question.span.days > _POINTS
    return replace(question, interval="week") if is_long else question


def _document(question: Question, found: Answer) -> dict[str, object]:
    return {
        "site": question.site.name,
        "totals": shown_totals(question, found.totals),
        "series": shown_series(found.series),
        "breakdowns": [shown_breakdown(each) for each in found.breakdowns],
    }


def _print(question: Question, found: Answer) -> None:
    span = question.span
    first, last = date_of(span.first_day).isoformat(), date_of(span.last_day).isoformat()
    say(f"{question.site.name}, {first if first == last else f'{first} to {last}'} ({span.timezone})\n")
    _print_totals(found.totals)
    _print_series(found.series)
    for each in found.breakdowns:
        _print_rows(each)
    if found.totals.visitors_are != "exact":
        remark(f"\nvisitors: {NOTES[found.totals.visitors_are]}")
    if not found.totals.numbers.views and not found.totals.numbers.events:
        remark("\nnothing was counted here: is the period right, and the site? visitor-tracker site list")


def _print_totals(found: Totals) -> None:
    numbers = found.numbers
    for title, value in (
        ("Visitors", _number(numbers.visitors)),
        ("Visits", _number(numbers.visits)),
        ("Views", f"{_number(numbers.views)}{_each(numbers.views_per_visit, ' a visit')}"),
        ("Events", _number(numbers.events)),
        ("Bounces", f"{_percent(numbers.bounce_rate)}{_each(numbers.single_rate, ' with one page', percent=True)}"),
        ("Engaged", f"{_time(numbers.engaged_seconds)} a visit"),
        ("Duration", f"{_time(numbers.duration_seconds)} a visit"),
    ):
        say(f"{title:<10}{value}")


def _print_series(found: Series) -> None:
    width = max(len(point.start) for point in found.points)
    highest = max(point.numbers.views for point in found.points)
    mark = "█" if (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf") else "#"
    say(f"\n{found.interval.upper():<{width}}  {'VISITORS':>10}  {'VIEWS':>10}")
    for point in found.points:
        numbers = point.numbers
        bar = mark * -(-numbers.views * _BAR // highest) if highest else ""
        say(f"{point.start:<{width}}  {_number(numbers.visitors):>10}  {numbers.views:>10,}  {bar}".rstrip())


def _print_rows(found: Breakdown) -> None:
    say("")
    shape = shape_of(found.dimension)
    rows = [(row.value, shape(row.numbers)) for row in found.rows]
    names = [name for name in _TITLES if rows and name in rows[0][1]]
    header = (found.dimension.name.replace("_", " "), *(_TITLES[name] for name in names))
    say_table(header, [(value, *(_cell(name, numbers[name]) for name in names)) for value, numbers in rows], header[1:])
    if not rows:
        say("-")
    elif found.rows_in_all > len(rows):
        say(f"… {found.rows_in_all:,} in all")


def _cell(name: str, value: object) -> str:
    number = value if isinstance(value, int | float) else None
    if name == "bounce_rate":
        return _percent(number)
    return _time(number) if name == "engaged_seconds" else _number(number)


def _number(number: float | None) -> str:
    return "-" if number is None else f"{number:,}"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.0%}"


def _each(number: float | None, what: str, *, percent: bool = False) -> str:
    if number is None:
        return ""
    return f"  ({_percent(number) if percent else f'{number:.1f}'}{what})"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"
