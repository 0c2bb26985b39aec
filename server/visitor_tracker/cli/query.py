"""`query`: the query API on the command line."""

import argparse
import time
from functools import partial
from typing import Any

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import add_command, config_of, opened
from visitor_tracker.cli.output import EXIT_USAGE, complain, remark, say, say_document, say_table
from visitor_tracker.cli.periods import add_week_start
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.metrics import METRICS
from visitor_tracker.reports.asking.named import goal_named, segment_named
from visitor_tracker.reports.asking.reading import LIMIT_MOST, LIMIT_OF_FILES, NAMES, About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Answered, Change, Row, Shown
from visitor_tracker.reports.asking.spans import COMPARISONS, WORDS
from visitor_tracker.reports.asking.tables import csv_of, ndjson_of
from visitor_tracker.reports.query import INTERVALS, QueryError
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.store.reports import ReportTable

_EXAMPLES = """\
visitor-tracker query --metrics visitors,bounce_rate --by source
visitor-tracker query --site blog --by page --period month --compare previous
visitor-tracker query --by source,page --filter "country is DE" --order views
visitor-tracker query --by time:week --period 2026-01-01..2026-03-31 --csv > weeks.csv
visitor-tracker query --metrics revenue --by utm_campaign --json
"""
_OPTIONS = {"--filter": "filters", "--period": "date_range", "--by": "dimensions", "--order": "order_by"}


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    text = "ask for numbers of a site by any metrics, dimensions and filters"
    command = add_command(commands, "query", _query, text, examples=_EXAMPLES)
    command.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")
    command.add_argument("--metrics", metavar="NAME,…", default="", help=f"of {', '.join(METRICS)}")
    command.add_argument("--by", metavar="NAME,…", default="", help=f"one dimension or two of {', '.join(NAMES)}")
    command.add_argument(
        "--filter",
        dest="filters",
        metavar="FILTER",
        default="",
        help='count what fits only, e.g. "country is DE and page glob /blog/*"; docs/reports.md has the language',
    )
    command.add_argument("--segment", metavar="NAME", default="", help="count what a segment of the site selects only")
    command.add_argument("--goal", metavar="NAME", default="", help="of which conversions and conversion_rate are")
    command.add_argument(
        "--period",
        metavar="PERIOD",
        default="30d",
        help=f"{', '.join(WORDS)}, a day such as 2026-03-31, or two with .. between; default: 30d",
    )
    command.add_argument("--interval", choices=INTERVALS, default="", help="of rows by time")
    add_week_start(command)
    command.add_argument("--timezone", metavar="ZONE", default="", help="whose days; default: those of the site")
    command.add_argument(
        "--compare", metavar="PERIOD", default="", help=f"{', '.join(COMPARISONS)}, or days: show changes since then"
    )
    command.add_argument("--order", metavar="NAME,…", default="", help="sort by these, e.g. visits or page:asc")
    command.add_argument("--limit", metavar="N", type=int, default=0, help="rows at most; default: 100")
    command.add_argument("--cursor", metavar="TEXT", default="", help="go on behind the last row of an answer")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print the answer of the API")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="print rows as CSV")
    form.add_argument("--ndjson", dest="form", action="store_const", const="ndjson", help="print rows as NDJSON")


def _query(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        sites = all_sites(store, config)
        site = next((each for each in sites if options.site in each.aliases), None) or known_site(sites, options.site)
        table, insight = ReportTable(store.database), InsightTable(store.database)
        about = About(
            site,
            (site.policy or policy_of(config.identity)).visitor,
            known=partial(table.known, site.id),
            segment=partial(segment_named, insight, site.id, ""),
            goal=partial(goal_named, insight, site.id),
        )
        most = LIMIT_OF_FILES if options.form in ("csv", "ndjson") else LIMIT_MOST
        try:
            found = answer_query(table, read_query(_asked(options), about, time.time_ns() // 1_000_000, most))
        except QueryError as error:
            complain(_as_options(error))
            return EXIT_USAGE
    _print(found, options.form)
    return 0


def _asked(options: argparse.Namespace) -> StatsQuery:
    return StatsQuery(
        options.site,
        _list(options.metrics),
        _list(options.by),
        options.filters or None,
        options.segment,
        options.goal,
        options.period,
        options.interval,
        options.timezone,
        options.compare or None,
        _list(options.order),
        options.limit,
        options.cursor,
        week_start=options.week_start,
    )


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _as_options(error: QueryError) -> str:
    """Return what is wrong in the words of the command's options."""
    option = next((option for option, name in _OPTIONS.items() if name == error.name), f"--{error.name}")
    return f"{option}: {error}"


def _print(found: Answered, form: str | None) -> None:
    if form == "json":
        say_document(found)
    elif form is not None:
        text = (csv_of if form == "csv" else ndjson_of)(found).decode()
        say(text.replace("\r\n", "\n").rstrip("\n"))
    else:
        _print_table(found)


def _print_table(found: Answered) -> None:
    meta, query = found.meta, found.query
    days = meta.first if meta.first == meta.last else f"{meta.first} to {meta.last}"
    compared = "" if meta.compared is None else f", compared with {meta.compared.first} to {meta.compared.last}"
    say(f"{query.site}, {days} ({meta.timezone}){compared}\n")
    rows = [*found.rows, Row({}, found.totals.metrics, found.totals.compared, found.totals.change)]
    header = [*(name.upper() for name in query.dimensions)]
    numbers: list[str] = []
    for name in query.metrics:
        numbers += [name.upper(), *([] if meta.compared is None else [f"{name.upper()} ±"])]
    cells = [[*_values(row, query.dimensions), *_numbers(row, query.metrics)] for row in rows]
    say_table([*header, *numbers], cells, numbers)
    if len(found.rows) < meta.rows_in_all:
        remark(f"\n{len(found.rows):,} of {meta.rows_in_all:,} rows: more with --limit, or --cursor {found.cursor}")
    for each in meta.suppressed:
        remark(f"\nnote: no {each.metric}: {each.reason}")
    if "visitors" in query.metrics and meta.visitors_are not in ("exact", "suppressed"):
        remark(f"\nnote: {meta.note}")


def _values(row: Row, names: list[str]) -> list[str]:
    """Return the values of a row; of the totals, which have none, a word in the first place."""
    if names and not row.dimensions:
        return ["all", *[""] * (len(names) - 1)]
    return [row.dimensions[name] for name in names]


def _numbers(row: Row, metrics: list[str]) -> list[str]:
    found: list[str] = []
    for name in metrics:
        found.append(_cell(name, row.metrics[name]))
        if row.change is not None:
            found.append(_change(row.change[name]))
    return found


def _cell(name: str, value: Shown) -> str:
    if value is None:
        return "-"
    unit = METRICS[name].unit if name in METRICS else "count"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "milliseconds":
        return f"{value / 1000:,.1f} s"
    return f"{value:,}"


def _change(change: Change) -> str:
    return "-" if change.percent is None else f"{change.percent:+.1f} %"
