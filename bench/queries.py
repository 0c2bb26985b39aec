"""How long queries take over a year of a site with ten million events: without a filter, and with one.

    queries.py [--events N] [--database FILE] [--only sqlite,mariadb] [--rounds N]

The site is that of dashboard.py, made where it is missing; a copy of it gets the tables that came since, and the
extracts of its days, as the jobs process makes them. MariaDB gets the rows of the tables that are read. Queries go
through the functions that answer users, from what is sent to the bytes of the answer, warm, one after the other.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

import msgspec

from dashboard import EVENTS, LAST_DAY, copy_rows, make_site
from database import Database
from load import CheckFailed
from visitor_tracker.days import DAY_MS, bounds
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.measures import NAMES
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.extracts.keeping import renew
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

SITE = Site(DEFAULT_SITE, "default")
NOW = bounds("UTC", LAST_DAY)[1] + 10 * DAY_MS  # all days are over
YEAR = "2025-01-01..2025-12-31"
PAGE, EVENT = "page is /pricing", "event is signup"
UNFILTERED_SECONDS, FILTERED_SECONDS = 0.05, 2.0
ROLLUP = ("site_id", "dimension", "period", "value", *NAMES)
COPIED = {
    "strings": ("id", "value"),
    "sources": ("id", "body"),
    "contexts": ("id", "body"),
    "rollup_day": ROLLUP,
    "rollup_month": ROLLUP,
    "day_extracts": ("site_id", "part", "day", "stamp", "body"),
}

UNFILTERED = {
    "totals": StatsQuery(date_range=YEAR),
    "totals, compared": StatsQuery(date_range=YEAR, compare="previous"),
    "by month": StatsQuery(date_range=YEAR, dimensions=["time:month"]),
    "by day": StatsQuery(date_range=YEAR, dimensions=["time:day"]),
    "pages": StatsQuery(date_range=YEAR, dimensions=["page"]),
    "pages by engaged time": StatsQuery(date_range=YEAR, dimensions=["page"], metrics=["engaged"]),
    "sources, compared": StatsQuery(date_range=YEAR, dimensions=["source"], compare="previous"),
    "entry pages": StatsQuery(date_range=YEAR, dimensions=["entry"]),
    "countries": StatsQuery(date_range=YEAR, dimensions=["country"], metrics=["visitors", "share"]),
    "channels by month": StatsQuery(date_range=YEAR, dimensions=["channel", "time:month"]),
    "countries by month": StatsQuery(date_range=YEAR, dimensions=["country", "time:month"]),
}
FILTERED = {
    "a country": StatsQuery(date_range=YEAR, filters="country is DE"),
    "all but a country": StatsQuery(date_range=YEAR, filters="country is not DE"),
    "a country, by day": StatsQuery(date_range=YEAR, filters="country is DE", dimensions=["time:day"]),
    "a country, browsers": StatsQuery(date_range=YEAR, filters="country is DE", dimensions=["browser"]),
    "a country, pages": StatsQuery(date_range=YEAR, filters="country is DE", dimensions=["page"]),
    "a country, events": StatsQuery(date_range=YEAR, filters="country is DE", dimensions=["event"]),
    "mobile from search, sources": StatsQuery(
        date_range=YEAR, filters="device is mobile and channel is search", dimensions=["source"]
    ),
    "entries of the blog, countries": StatsQuery(date_range=YEAR, filters="entry glob /blog/*", dimensions=["country"]),
    "some sources, entry pages": StatsQuery(
        date_range=YEAR, filters="source contains goo or referrer contains news", dimensions=["entry"]
    ),
    "a page": StatsQuery(date_range=YEAR, filters=PAGE),
    "a page, by day": StatsQuery(date_range=YEAR, filters=PAGE, dimensions=["time:day"]),
    "a page, sources": StatsQuery(date_range=YEAR, filters=PAGE, dimensions=["source"]),
    "a page and a country, pages": StatsQuery(
        date_range=YEAR, filters=f"{PAGE} and country is DE", dimensions=["page"]
    ),
    "not a page, countries": StatsQuery(date_range=YEAR, filters=f"not {PAGE}", dimensions=["country"]),
    "an event": StatsQuery(date_range=YEAR, filters=EVENT),
    "an event, pages": StatsQuery(date_range=YEAR, filters=EVENT, dimensions=["page"]),
    "an event on a phone, sources": StatsQuery(
        date_range=YEAR, filters=f"{EVENT} and device is mobile", dimensions=["source"]
    ),
    "countries and browsers": StatsQuery(date_range=YEAR, dimensions=["country", "browser"]),
    "channels and devices, compared": StatsQuery(date_range=YEAR, dimensions=["channel", "device"], compare="previous"),
}


@dataclass(frozen=True, slots=True)
class Timed:
    """Wall seconds by query, round by round, and CPU seconds of this process."""

    seconds: Mapping[str, Sequence[float]]
    cpu: Mapping[str, Sequence[float]]

    def line(self, name: str, target: float) -> str:
        every = sorted(each for rounds in self.seconds.values() for each in rounds)
        middle, high = median(every), quantiles(every, n=20)[-1]
        verdict = "met" if high <= target else "**missed**"
        return f"| {name} | {_shown(middle)} | {_shown(high)} | ≤ {_shown(target)} | {target / high:.2f}x | {verdict} |"

    def rows(self) -> list[str]:
        return [
            f"| {name} | {_shown(median(rounds))} | {_shown(median(self.cpu[name]))} |"
            for name, rounds in self.seconds.items()
        ]


def prepared(path: Path) -> Path:
    """Return a copy of the site with all tables and extracts."""
    copy = path.with_name(f"{path.name}.extracts")
    if not copy.is_file():
        part = path.with_name(f"{path.name}.extracts.part")
        shutil.copyfile(path, part)
        part.rename(copy)
    with closing(open_store(f"sqlite:///{copy}", durability="relaxed")) as store:
        migrate(store)
        begun, cpu = time.monotonic(), time.process_time()
        days = renew(ReportTable(store.database), SITE, NOW)
        bytes_of = store.execute("select coalesce(sum(length(body)), 0) from day_extracts")[0][0]
        _tell(
            f"extracts of {days} days made in {time.monotonic() - begun:,.0f} s,"
            f" {time.process_time() - cpu:,.0f} s of CPU time: {bytes_of / 1e6:,.0f} MB"
        )
    return copy


@contextmanager
def mariadb_with(path: Path) -> Iterator[SqlStore]:
    """Put up MariaDB with the rows of the file's tables that queries read."""
    with tempfile.TemporaryDirectory(prefix="visitor-bench-") as folder, Database(Path(folder) / "m") as database:
        name = database.fresh()
        store = open_store(database.url(name))
        migrate(store)
        with closing(sqlite3.connect(path)) as source, database.connection(name) as target:
            for table, columns in COPIED.items():
                copy_rows(source, target, table, columns, at_once=20 if table == "day_extracts" else 5_000)
        yield store
        store.close()


def timed(store: SqlStore, queries: Mapping[str, StatsQuery], rounds: int) -> Timed:
    """Ask everything once to warm up, then so many rounds."""
    table = ReportTable(store.database)
    of = About(SITE, "daily", lambda: table.known(SITE.id))
    seconds: dict[str, list[float]] = {name: [] for name in queries}
    cpu: dict[str, list[float]] = {name: [] for name in queries}
    for number in range(rounds + 1):
        for name, query in queries.items():
            begun, used = time.perf_counter(), time.process_time()
            msgspec.json.encode(answer_query(table, read_query(query, of, NOW)))
            if number:
                seconds[name].append(time.perf_counter() - begun)
                cpu[name].append(time.process_time() - used)
    return Timed(seconds, cpu)


def without_extracts() -> AbstractContextManager[object]:
    """Ask visits one by one meanwhile."""
    return patch("visitor_tracker.reports.asking.collecting.knows", lambda _: False)


def check(store: SqlStore) -> None:
    """Ask a week of every filtered query with and without extracts: both must tell the same."""
    table = ReportTable(store.database)
    of = About(SITE, "daily", lambda: table.known(SITE.id))
    for name, query in FILTERED.items():
        ask = read_query(msgspec.structs.replace(query, date_range="2025-06-02..2025-06-04"), of, NOW)
        with_extracts = answer_query(table, ask)
        with without_extracts():
            without = answer_query(table, ask)
        if with_extracts != without:
            raise CheckFailed(f"{name}: extracts and visits tell different numbers")


def visit_by_visit(store: SqlStore) -> str:
    """Say what the same costs without extracts: a week, as the whole year is refused."""
    table = ReportTable(store.database)
    of = About(SITE, "daily", lambda: table.known(SITE.id))
    query = msgspec.structs.replace(FILTERED["a country, browsers"], date_range="2025-06-02..2025-06-08")
    refused = ""
    with without_extracts():
        begun = time.perf_counter()
        found = answer_query(table, read_query(query, of, NOW))
        taken = time.perf_counter() - begun
        try:
            answer_query(table, read_query(FILTERED["a country, browsers"], of, NOW))
        except QueryError as error:
            refused = str(error)
    if answer_query(table, read_query(query, of, NOW)) != found:
        raise CheckFailed("extracts and visits tell different numbers")
    begun = time.perf_counter()
    answer_query(table, read_query(query, of, NOW))
    quick = time.perf_counter() - begun
    return (
        f"A week, one visit after the other: {_shown(taken)}; from extracts {_shown(quick)}: {taken / quick:.0f}x."
        f" The year without extracts: refused, {refused!r}."
    )


def main() -> int:
    options = _options()
    path = options.database or Path(tempfile.gettempdir()) / f"visitor-bench-year-{options.events}.db"
    parts: list[str] = []
    try:
        if not path.is_file():
            make_site(path, options.events)
        ready = prepared(path)
        _tell(f"load average {os.getloadavg()[0]:.2f}")
        if "sqlite" in options.only.split(","):
            with closing(open_store(f"sqlite:///{ready}")) as store:
                check(store)
                parts += [*_measured("SQLite", store, options.rounds), visit_by_visit(store)]
        if "mariadb" in options.only.split(","):
            with mariadb_with(ready) as store:
                parts += _measured("MariaDB", store, options.rounds)
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    print("\n\n".join(parts))
    return 0


def _measured(title: str, store: SqlStore, rounds: int) -> list[str]:
    unfiltered, filtered = timed(store, UNFILTERED, rounds), timed(store, FILTERED, rounds)
    head = ["| queries | p50 | p95 | target of p95 | target ÷ p95 | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    each = [f"| {title}: query | wall | CPU of the worker |", "| --- | ---: | ---: |"]
    return [
        "\n".join(
            [
                *head,
                unfiltered.line(f"{title}, no filter", UNFILTERED_SECONDS),
                filtered.line(f"{title}, filtered or by two dimensions", FILTERED_SECONDS),
            ]
        ),
        "\n".join([*each, *unfiltered.rows(), *filtered.rows()]),
    ]


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long queries take over a year.")
    parser.add_argument("--events", type=int, default=EVENTS, help="of the year (default 10000000)")
    parser.add_argument("--database", type=Path, help="SQLite file of the site, made where it is missing")
    parser.add_argument("--only", default="sqlite,mariadb", metavar="STORE,…", help="sqlite, mariadb")
    parser.add_argument("--rounds", type=int, default=5, help="after one to warm up (default 5)")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
