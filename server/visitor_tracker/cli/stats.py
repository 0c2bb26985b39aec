"""`stats`: a page of numbers of a site."""

import argparse
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import dropwhile
from typing import Any

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import add_command, config_of, opened
from visitor_tracker.cli.output import EXIT_USAGE, complain, remark, say, say_document, say_table
from visitor_tracker.cli.periods import add_week_start
from visitor_tracker.cli.row_trends import row_trends, total_trend
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.days import date_of, zone_of
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.logs import escape
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.answers import (
    Answer,
    answer,
    shape_of,
    shown_breakdown,
    shown_series,
    shown_totals,
)
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.numbers import NOTES, Breakdown, Numbers, Point, Series, Totals
from visitor_tracker.reports.query import (
    BY,
    INTERVALS,
    ORDERS,
    PERIODS,
    Asked,
    QueryError,
    Question,
    Span,
    read_question,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable

_EXAMPLES = """\
visitor-tracker stats
visitor-tracker stats --site blog --period 2026-01-01..2026-03-31 --interval week
visitor-tracker stats --by source --limit 20
visitor-tracker stats --filter "country is DE,FR and not page glob /blog/*" --by entry
visitor-tracker stats --by prop:plan --filter "event is Signup"
visitor-tracker stats --period 24h --json
"""
_PANELS = (Dimension.PAGE, Dimension.CHANNEL, Dimension.SOURCE, Dimension.COUNTRY)
_BAR, _BAR_LEAST = 40, 8  # characters of the longest one, where the terminal has room for it or not
_NAME_LEAST = 20  # characters that a narrow terminal leaves of a row's name
_POINTS = 40  # lines of a series; with more of them it is one by week
_TITLES = {
    "visitors": "VISITORS",
    "visits": "VISITS",
    "views": "VIEWS",
    "events": "EVENTS",
    "bounce_rate": "BOUNCES",
    "engaged_seconds": "ENGAGED",
}
_DRAWN = frozenset({"visitors", "visits", "views", "events"})  # totals that have a small chart


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
        help=f"list the values of one dimension: {', '.join(BY)}; default: page, channel, source and country",
    )
    command.add_argument("--interval", choices=INTERVALS, default="", help="what one line of the chart stands for")
    command.add_argument(
        "--filter",
        dest="filters",
        metavar="FILTER",
        default="",
        help='count what fits only, e.g. "country is DE and prop:plan is pro"; docs/reports.md has the language',
    )
    command.add_argument("--timezone", metavar="ZONE", default="", help="whose days; default: those of the site")
    add_week_start(command)
    command.add_argument("--order", choices=ORDERS, default="", help="what lists are sorted by; default: visitors")
    command.add_argument("--limit", metavar="N", default="", help="rows of each list; default: 10")
    command.add_argument("--no-sparklines", action="store_true", help="no small charts beside the numbers")
    command.add_argument("--json", action="store_true", help="print everything as JSON")


def _stats(options: argparse.Namespace) -> int:
    asked = Asked(**{name: getattr(options, name, "") for name in Asked.__dataclass_fields__})
    config = config_of(options)
    with opened(config) as store:
        sites = all_sites(store, config)
        site = _site(sites, options.site)
        policy = (site.policy or policy_of(config.identity)).visitor
        table = ReportTable(store.database)
        now_ms = time.time_ns() // 1_000_000
        try:
            question = read_question(asked, site, policy, now_ms=now_ms, known=lambda: table.known(site.id))
            if not asked.interval and not options.json:
                question = _readable(question)
            found = answer(table, question, () if question.dimension is not None else _PANELS)
        except QueryError as error:
            complain(str(error))
            return EXIT_USAGE
        if options.json:
            say_document(_document(question, found))
        else:
            points = _shown_points(found.series, now_ms, is_all=options.period == "all")
            _print(question, found, points, None if options.no_sparklines else table)
            if not _has_numbers(found.totals.numbers):
                _tell_nothing(question, table.known(site.id), [each.name for each in sites if each.id != site.id])
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


def _has_numbers(numbers: Numbers) -> bool:
    return bool(numbers.visits or numbers.views or numbers.events)


def _shown_points(found: Series, now_ms: int, *, is_all: bool) -> list[Point]:
    """Return the points to print: none to come, and of all time none before the first one with numbers."""
    points: Iterable[Point] = found.points
    if found.interval == "hour":
        points = (point for point in points if datetime.fromisoformat(point.start).timestamp() * 1000 <= now_ms)
    if is_all:
        points = dropwhile(lambda point: not _has_numbers(point.numbers), points)
    return list(points)


def _print(question: Question, found: Answer, points: Sequence[Point], table: ReportTable | None) -> None:
    """Print an answer; with a table to ask, terminals get small charts, too."""
    say(f"{question.site.name}, {_period(question.span)}\n")
    _print_totals(found.totals, points if table is not None else ())
    has_numbers = _has_numbers(found.totals.numbers)
    if has_numbers and points:
        _print_series(found.series.interval, points)
    for each in found.breakdowns:
        if each.rows or has_numbers:
            _print_rows(each, row_trends(table, question, each) if table is not None else [])
    if has_numbers and found.totals.visitors_are != "exact":
        remark(f"\nnote: {NOTES[found.totals.visitors_are]}")


def _period(span: Span) -> str:
    if span.by_hours:
        zone = zone_of(span.timezone)
        first, last = (
            f"{datetime.fromtimestamp(ms / 1000, zone):%Y-%m-%d %H:%M}" for ms in (span.start_ms, span.end_ms)
        )
    else:
        first, last = (date_of(day).isoformat() for day in (span.first_day, span.last_day))
    return f"{first if first == last else f'{first} to {last}'} ({span.timezone})"


def _tell_nothing(question: Question, known: tuple[int, int] | None, others: Sequence[str]) -> None:
    """Say why there may be no numbers, and what to try."""
    if known is not None:
        what = "was counted" if question.filters is None else "fits the filter"
        remark(f"\nnothing {what} in this period; the first day with numbers is {date_of(known[0])}")
        return
    remark("\nnothing was counted on this site yet")
    if others:
        remark(f"other sites: {', '.join(others)}; name one with --site")
    if question.dimension is None:
        remark("robots are not counted, nor are programs such as curl:  --by bot  lists what came of them")


def _print_totals(found: Totals, points: Sequence[Point]) -> None:
    numbers = found.numbers
    for title, value in (
        ("Visitors", _number(numbers.visitors)),
        ("Visits", _number(numbers.visits)),
        ("Views", f"{_number(numbers.views)}{_each(numbers.views_per_visit, ' a visit')}"),
        ("Events", _number(numbers.events)),
        ("Bounces", f"{_percent(numbers.bounce_rate)}{_each(numbers.single_rate, ' with one page', percent=True)}"),
        ("Engaged", _time(numbers.engaged_seconds, " a visit")),
        ("Duration", _time(numbers.duration_seconds, " a visit")),
    ):
        chart = total_trend(points, title.lower()) if len(points) > 1 and title.lower() in _DRAWN else ""
        say(f"{title:<10}{value:<24}{chart}".rstrip())


def _print_series(interval: str, points: Sequence[Point]) -> None:
    labels = _labels(points)
    width = max(map(len, labels))
    highest = max(point.numbers.views for point in points)
    title = f"{interval.upper():<{width}}  {'VISITORS':>10}  {'VIEWS':>10}"
    longest = max(_BAR_LEAST, min(_BAR, shutil.get_terminal_size().columns - len(title) - 3))
    mark = "█" if (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf") else "#"
    say(f"\n{title}")
    for label, point in zip(labels, points, strict=True):
        numbers = point.numbers
        bar = mark * -(-numbers.views * longest // highest) if highest else ""
        say(f"{label:<{width}}  {_number(numbers.visitors):>10}  {numbers.views:>10,}  {bar}".rstrip())


def _labels(points: Sequence[Point]) -> list[str]:
    """Return how buckets are called: hours by the clock, with its offset where one comes twice."""
    whole = [point.start.replace("T", " ") for point in points]
    times = Counter(label[:16] for label in whole)
    return [label if times[label[:16]] > 1 else label[:16] for label in whole]


def _print_rows(found: Breakdown, charts: Sequence[str]) -> None:
    say("")
    shape = shape_of(found)
    rows = [(row.value, shape(row.numbers)) for row in found.rows]
    names = [name for name in _TITLES if rows and name in rows[0][1]]
    header = (_heading(found.dimension), *(_TITLES[name] for name in names))
    cells = [[_cell(name, numbers[name]) for name in names] for _, numbers in rows]
    if charts:
        header = (*header, "TREND")
        cells = [[*row, chart] for row, chart in zip(cells, charts, strict=True)]
    room = _room([header[1:], *cells])
    shown = [_cut(_named(found.dimension, value), room) for value, _ in rows]
    numeric = header[1 : 1 + len(names)]
    say_table(header, [(value, *row) for value, row in zip(shown, cells, strict=True)], numeric)
    if not rows:
        say("none")
    elif found.rows_in_all > len(rows):
        say(f"… {found.rows_in_all:,} in all")


def _heading(dimension: Dimension | Field) -> str:
    """Return the name of a list; a property's stays as it was sent."""
    return escape(dimension.name) if isinstance(dimension, Field) else dimension.name.replace("_", " ")


def _room(numbers: Sequence[Sequence[str]]) -> int | None:
    """Return how many characters a terminal has for the names beside these numbers; None: whoever reads takes all."""
    if not sys.stdout.isatty():
        return None
    taken = sum(2 + max(map(len, column)) for column in zip(*numbers, strict=True))
    return max(_NAME_LEAST, shutil.get_terminal_size().columns - taken - 1)


def _cut(value: str, room: int | None) -> str:
    """Return a value in so many characters: addresses differ at their ends, so the middle goes."""
    value = escape(value)
    if room is None or len(value) <= room:
        return value
    return f"{value[: room // 2]}…{value[room // 2 + 1 - room :]}"


def _named(dimension: Dimension | Field, value: str) -> str:
    """Return a value as people know it; what filters call it comes first."""
    name = country_name(value) if dimension is Dimension.COUNTRY else value
    return value if name.upper() == value.upper() else f"{value} {name}"


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


def _time(seconds: float | None, each: str = "") -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"
    return parts + each
