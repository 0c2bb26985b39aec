"""How long a dashboard of 30 days takes: its 12 panels on a site with ten million events over a year.

    dashboard.py [--events N] [--database FILE] [--only sqlite,mariadb] [--make] [--write-sql]

Warm, through the functions that answer users, and as the plain SQL that these run (in dashboard.sql, to read). The site
is made once by the real Folder on SQLite, and kept; MariaDB gets the rows of the tables that are read. --make stops
there.
"""

import argparse
import os
import re
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

import traffic
from database import Database
from fold import Bench
from load import CheckFailed
from visitor_tracker.days import bounds, day_after
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.answers import shown_breakdown, shown_series, shown_totals
from visitor_tracker.reports.breakdown import breakdown
from visitor_tracker.reports.query import Asked, Question, Span, read_question
from visitor_tracker.reports.series import series
from visitor_tracker.reports.totals import totals
from visitor_tracker.sites import Site
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.session import Database as Sessions
from visitor_tracker.store.session import Rows, Session, T, Value
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.statements import text

EVENTS = 10_000_000
YEAR = traffic.Plan(first_day=20_250_101, days=365)
LAST_DAY = 20_251_231
DAYS = 30
TARGET_SECONDS = 0.3  # for all panels one after the other
WARM_UP, ROUNDS = 3, 15
FED = 16_000  # events at a time; a site is made faster in large transactions
TOLD_EVENTS = 500_000
COPIED = {
    "strings": ("id", "value"),
    "rollup_day": ("site_id", "dimension", "period", "value", *NAMES),
    "rollup_month": ("site_id", "dimension", "period", "value", *NAMES),
}
COPIED_ROWS = 5_000
SQL_FILE = Path(__file__).with_name("dashboard.sql")
SQL_HEAD = """-- What the 12 panels of bench/dashboard.py read, as the reports run it: for a look at plans and times in
-- the shells of sqlite3 and mysql. What is asked afterwards of the rows that are shown, sums and texts, is left out.
-- Written by  bench/dashboard.py --write-sql
"""
BREAKDOWNS = {
    "top pages": Dimension.PAGE,
    "entry pages": Dimension.ENTRY,
    "exit pages": Dimension.EXIT,
    "sources": Dimension.SOURCE,
    "channels": Dimension.CHANNEL,
    "countries": Dimension.COUNTRY,
    "browsers": Dimension.BROWSER,
    "devices": Dimension.DEVICE,
    "events": Dimension.EVENT,
}

Panels = Mapping[str, Callable[[ReportTable], object]]


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each panel, round by round."""

    by_panel: Mapping[str, Sequence[float]]

    def of(self, panel: str) -> float:
        return median(self.by_panel[panel])

    def in_all(self) -> float:
        return median(map(sum, zip(*self.by_panel.values(), strict=True)))


def panels() -> Panels:
    """Return what asks each panel: from the question to what is sent as JSON."""
    site = Site(DEFAULT_SITE, "default")
    _, end = bounds("UTC", LAST_DAY)
    now = read_question(Asked(period=f"{DAYS}d"), site, "daily", now_ms=end - 1, known=lambda: None)
    before = replace(now, span=_days(now.span, day_after(LAST_DAY, 1 - 2 * DAYS), day_after(LAST_DAY, -DAYS)))
    found: dict[str, Callable[[ReportTable], object]] = {
        "totals": lambda table: shown_totals(now, totals(table, now)),
        "totals of the 30 days before": lambda table: shown_totals(before, totals(table, before)),
        "series by day": lambda table: shown_series(series(table, now)),
    }
    return found | {name: partial(_broken_down, now, dimension) for name, dimension in BREAKDOWNS.items()}


def _broken_down(question: Question, dimension: Dimension, table: ReportTable) -> object:
    return shown_breakdown(breakdown(table, question, dimension))


def _days(span: Span, first: int, last: int) -> Span:
    start, end = bounds("UTC", first)[0], bounds("UTC", last)[1]
    return replace(span, first_day=first, last_day=last, start_ms=start, end_ms=end)


# The site.


def make_site(path: Path, events: int) -> None:
    """Fold so many events of a year into a new file; tell how far it is."""
    part = path.with_name(f"{path.name}.part")
    _remove(part)
    store = open_store(f"sqlite:///{part}", durability="relaxed")
    migrate(store)
    bench = Bench(store, plan=replace(YEAR, per_day=events // YEAR.days))
    begun, cpu, made = time.monotonic(), time.process_time(), 0
    while made < events and (fed := bench.feed(FED)):
        bench.fold(fed, FED)
        made += fed
        if made // TOLD_EVENTS > (made - fed) // TOLD_EVENTS or made >= events:
            _tell(f"{made:,} of {events:,} events, {time.monotonic() - begun:,.0f} s")
    bench.check()
    store.close()
    _tell(f"made in {time.monotonic() - begun:,.0f} s, {time.process_time() - cpu:,.0f} s of CPU time with the events")
    part.rename(path)
    _remove(part)


def _remove(path: Path) -> None:
    """Remove a database with its log and its locks."""
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()


@contextmanager
def mariadb_with(path: Path) -> Iterator[tuple[SqlStore, Any]]:
    """Put up MariaDB with the rows of the file's tables that the panels read."""
    with tempfile.TemporaryDirectory(prefix="visitor-bench-") as folder, Database(Path(folder) / "m") as database:
        name = database.fresh()
        store = open_store(database.url(name))
        migrate(store)
        with closing(sqlite3.connect(path)) as source, database.connection(name) as target:
            for table, columns in COPIED.items():
                copy_rows(source, target, table, columns)
            yield store, target
        store.close()


def copy_rows(
    source: sqlite3.Connection,
    target: Any,  # noqa: ANN401
    table: str,
    columns: Sequence[str],
    at_once: int = COPIED_ROWS,
) -> None:
    """Copy a table to MariaDB, and tell how long that took."""
    started = time.monotonic()
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    rows = source.execute(f"select {names} from {table}")
    cursor = target.cursor()
    copied = 0
    while some := rows.fetchmany(at_once):
        cursor.executemany(f"insert into {table} ({names}) values ({marks})", some)
        copied += len(some)
    cursor.execute(f"analyze table {table}")
    cursor.fetchall()
    _tell(f"{copied:,} rows of {table} copied in {time.monotonic() - started:,.0f} s")


# The SQL.


class Recorder:
    """A session that remembers what it is asked, with the values in it."""

    def __init__(self, session: Session, asked: list[str]) -> None:
        self._session = session
        self._asked = asked
        self.dialect = session.dialect

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        raise CheckFailed(f"a report writes: {template}")

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        for row in rows:
            self.send(template, row)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        head, *pieces = re.split(r"\?|%s", text(self.dialect, template, rows))
        literals = (str(int(value)) if isinstance(value, int) else repr(value) for value in values)
        self._asked.append(head + "".join(map("".join, zip(literals, pieces, strict=True))))
        return self._session.ask(template, values, rows)

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        raise CheckFailed(f"a report asks what no template is: {sql}")


class Recording:
    """A database whose sessions are recorders; for what only reads."""

    def __init__(self, database: Sessions, asked: list[str]) -> None:
        self._database = database
        self._asked = asked

    def read(self, work: Callable[[Session], T]) -> T:
        return self._database.read(lambda session: work(Recorder(session, self._asked)))


def statements(store: SqlStore) -> dict[str, list[str]]:
    """Return the SQL of each panel."""
    found: dict[str, list[str]] = {}
    for name, ask in panels().items():
        ask(ReportTable(Recording(store.database, found.setdefault(name, []))))  # type: ignore[arg-type] # it only reads
    return found


def sql_file(found: Mapping[str, Sequence[str]]) -> str:
    """Return the first statement of each panel as a file, a clause a line."""
    clause = re.compile(r"\s+(?=(?:from|where|group by|having|order by|limit|left join|select) )")
    parts = [
        f"-- {name}\n{clause.sub(chr(10), asked[0].partition('*/')[2].strip())};\n" for name, asked in found.items()
    ]
    return "\n".join([SQL_HEAD, *parts])


# The times.


def timed(asking: Mapping[str, Callable[[], object]]) -> Timed:
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(WARM_UP + ROUNDS):
        for name, ask in asking.items():
            started = time.perf_counter()
            ask()
            if number >= WARM_UP:
                found[name].append(time.perf_counter() - started)
    return Timed(found)


def through_reports(store: SqlStore) -> Timed:
    table = ReportTable(store.database)
    return timed({name: partial(ask, table) for name, ask in panels().items()})


def as_sql(run: Callable[[str], object], found: Mapping[str, Sequence[str]]) -> Timed:
    def run_all(asked: Sequence[str]) -> None:
        for sql in asked:
            run(sql)

    return timed({name: partial(run_all, asked) for name, asked in found.items()})


def on_sqlite(path: Path) -> dict[str, Timed]:
    store = open_store(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as db:
        plain = as_sql(lambda sql: db.execute(sql).fetchall(), statements(store))
    found = {"SQLite": through_reports(store), "SQLite, plain SQL": plain}
    store.close()
    return found


def on_mariadb(path: Path) -> dict[str, Timed]:
    with mariadb_with(path) as (store, connection):
        cursor = connection.cursor()

        def run(sql: str) -> object:
            cursor.execute(sql)
            return cursor.fetchall()

        plain = as_sql(run, statements(store))
        return {"MariaDB": through_reports(store), "MariaDB, plain SQL": plain}


def table(found: Mapping[str, Timed]) -> str:
    """Return a line for each panel, and one for all of them."""
    lines = [f"| panel | {' | '.join(found)} |", f"| --- |{' ---: |' * len(found)}"]
    for name in panels():
        lines.append(f"| {name} | {' | '.join(f'{each.of(name) * 1000:.1f} ms' for each in found.values())} |")
    sums = [each.in_all() for each in found.values()]
    judged = [f"{each * 1000:.1f} ms, {'met' if each <= TARGET_SECONDS else '**missed**'}" for each in sums]
    return "\n".join([*lines, f"| all, target ≤ {TARGET_SECONDS * 1000:.0f} ms | {' | '.join(judged)} |"])


def main() -> int:
    options = _options()
    path = options.database or Path(tempfile.gettempdir()) / f"visitor-bench-year-{options.events}.db"
    try:
        if not path.is_file():
            make_site(path, options.events)
        if options.make:
            return 0
        _check_sql(path, write=options.write_sql)
        _tell(f"load average {os.getloadavg()[0]:.2f}")
        found: dict[str, Timed] = {}
        for name, measure in {"sqlite": on_sqlite, "mariadb": on_mariadb}.items():
            found |= measure(path) if name in options.only.split(",") else {}
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    print(table(found))
    return 0


def _check_sql(path: Path, *, write: bool) -> None:
    """Compare dashboard.sql with what the reports run, or write it."""
    store = open_store(f"sqlite:///{path}")
    found = sql_file(statements(store))
    store.close()
    if write:
        SQL_FILE.write_text(found)
    elif SQL_FILE.read_text() != found:
        raise CheckFailed("dashboard.sql is not what the reports run any more: write it with --write-sql")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long the panels of a dashboard take.")
    parser.add_argument("--events", type=int, default=EVENTS, help="of the year (default 10000000)")
    parser.add_argument("--database", type=Path, help="SQLite file of the site, made where it is missing")
    parser.add_argument("--only", default="sqlite,mariadb", metavar="STORE,…", help="sqlite, mariadb")
    parser.add_argument("--make", action="store_true", help="only make the site")
    parser.add_argument("--write-sql", action="store_true", help="write dashboard.sql from what the reports run")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
