"""How many events a second of CPU time folds: from inbox rows of 500 events to every table that reports read.

    fold.py [--events N] [--rounds N] [--only sqlite,mariadb] [--profile]

The real Folder on a durable store, one round of the same site's traffic after the other, so the tables grow as they do
in use. Rounds alternate between transactions of 500 events and the size that the folder takes by itself. Each is a
backlog, of which several transactions write their rollups together (docs/decisions/0018). Python's collector is set as
in the process that folds. CPU time is that of the process with all its threads; of MariaDB's server too where it is
said. What comes out is compared with what went in.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

import process
import traffic
from database import Database
from load import CheckFailed
from sampling import sampled
from visitor_tracker.event import DEFAULT_SITE, Event, InboxRow, inbox_rows
from visitor_tracker.ingest import fold
from visitor_tracker.ingest.bots import judge
from visitor_tracker.ingest.people import Rule
from visitor_tracker.measures import Dimension
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.serve import spare_the_collector
from visitor_tracker.store.inbox import add_rows
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

ROW_EVENTS = 500
# Events a day decide how many visits share a transaction: ten million a year are whole visits, one after the other; of
# five million a day 500 events in a row are one or two each of some 300 visits that go on. Not at midnight, where
# visitors change their hashes.
DENSITIES = (27_400, 5_000_000)
TARGETS = {"sqlite": 18_000, "mariadb": 9_000}  # events per second of the process's CPU time, in transactions of 500
SIZES = {"500": 500, "its own": 2_000}  # most events of a transaction
SHOWN = 15  # functions

Case = tuple[str, int]  # store, events a day

SUMS = """select coalesce(sum(views), 0), coalesce(sum(events), 0)
from rollup_month
where site_id = ? and dimension = ?"""


@dataclass(frozen=True, slots=True)
class Round:
    """What folding some events took, in seconds."""

    events: int
    wall: float
    cpu: float
    database_cpu: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What the tables must come to: pageviews and all events of people."""

    views: int = 0
    events: int = 0

    def with_(self, events: Sequence[Event]) -> "Expected":
        people = [event for event in events if not judge(event.signals)]
        views = sum(event.kind == "pageview" for event in people)
        return Expected(self.views + views, self.events + len(people))


class Bench:
    """Feeds one store's inbox and folds it; belongs to one thread."""

    def __init__(self, store: SqlStore, database_pid: int = 0, plan: traffic.Plan | None = None) -> None:
        """`database_pid` is the database server's, where there is one."""
        self._store = store
        self._database_pid = database_pid
        self._traffic = traffic.batches(plan or traffic.Plan(), ROW_EVENTS)
        self._counters = Metrics().counters()
        self._folder = fold.Folder(store, self._counters, lambda _: Rule("UTC", True))
        self.expected = Expected()

    def feed(self, events: int) -> int:
        """Let about so many of the next events wait in the inbox; return how many, 0 when the traffic has ended."""
        fed = 0
        rows: list[InboxRow] = []
        for batch in islice(self._traffic, max(1, events // ROW_EVENTS)):
            rows += inbox_rows(batch[-1].id, batch[-1].at, batch)
            self.expected = self.expected.with_(batch)
            fed += len(batch)
        self._store.database.write(lambda session: add_rows(session, rows))
        return fed

    def fold(self, fed: int, most: int = SIZES["its own"]) -> Round:
        """Fold what was fed in transactions of at most `most` events."""
        with transactions_of(most):
            wall, cpu, database_cpu = time.perf_counter(), time.process_time(), self._database_cpu()
            while self._folder.step():
                if self._counters.get(Cell.DEAD_LETTERS):
                    raise CheckFailed("an event cannot be folded")
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            return Round(fed, wall, cpu, self._database_cpu() - database_cpu)

    def check(self) -> None:
        """Compare the tables with what was fed; raises CheckFailed."""
        ask = self._store.database.read
        [(views, _)] = ask(lambda session: session.ask(SUMS, (DEFAULT_SITE, Dimension.TOTAL)))
        [(_, events)] = ask(lambda session: session.ask(SUMS, (DEFAULT_SITE, Dimension.KIND)))
        found = Expected(int(views), int(events))
        if found != self.expected:
            raise CheckFailed(f"folded {found}, fed {self.expected}")

    def _database_cpu(self) -> float:
        return process.cpu_seconds(self._database_pid) if self._database_pid else 0.0


@contextmanager
def transactions_of(most: int) -> Iterator[None]:
    """Let folders take at most so many events at once."""
    before = fold._MOST_EVENTS
    fold._MOST_EVENTS = most
    try:
        yield
    finally:
        fold._MOST_EVENTS = before


@contextmanager
def benches(folder: Path, names: Sequence[str]) -> Iterator[dict[Case, Bench]]:
    """Put up an empty store for each name and density, durable at every commit."""
    found: dict[Case, Bench] = {}
    stores: list[SqlStore] = []
    with Database(folder / "m") as database:
        for name, per_day in product(names, DENSITIES):
            mariadb = name == "mariadb"
            url = database.url(database.fresh()) if mariadb else f"sqlite:///{folder / f'{per_day}.db'}"
            stores.append(open_store(url, durability="full"))
            migrate(stores[-1])
            plan = traffic.Plan(first_hour=10, per_day=per_day)
            found[name, per_day] = Bench(stores[-1], database.pid if mariadb else 0, plan)
        try:
            yield found
        finally:
            for store in stores:
                store.close()


def measure(found: dict[Case, Bench], events: int, rounds: int) -> dict[tuple[Case, str], list[Round]]:
    """Fold rounds of so many events on every store in turn, by (store and density, size of transactions)."""
    samples: dict[tuple[Case, str], list[Round]] = defaultdict(list)
    for number in range(rounds + 1):
        for case, bench in found.items():
            for title, most in SIZES.items():
                sample = bench.fold(bench.feed(events), most)
                if number:  # the first one warms up
                    samples[case, title].append(sample)
                    _tell(f"{number}/{rounds} {case} {title}: {sample.events / sample.cpu:,.0f} events per CPU second")
    for bench in found.values():
        bench.check()
    return samples


def table(samples: dict[tuple[Case, str], list[Round]]) -> str:
    """Return one line for each store and size of transactions."""
    lines = [
        "| store | events a day | in a transaction | per CPU second | spread | target |  | with the database's |"
        " events/s |"
    ]
    lines.append("| --- | ---: | --- | ---: | ---: | ---: | --- | ---: | ---: |")
    for ((name, per_day), size), rounds in samples.items():
        rates = [each.events / each.cpu for each in rounds]
        rate = median(rates)
        both = median(each.events / (each.cpu + each.database_cpu) for each in rounds)
        wall = median(each.events / each.wall for each in rounds)
        target = TARGETS[name] if size == "500" else 0
        judged = f"≥ {target:,} | {'met' if rate >= target else '**missed**'}" if target else " | "
        spread = (max(rates) - min(rates)) / 2 / rate
        beside = f"{both:,.0f}" if name == "mariadb" else ""
        lines.append(
            f"| {name} | {per_day:,} | {size} | {rate:,.0f} | ±{spread:.0%} | {judged} | {beside} | {wall:,.0f} |"
        )
    return "\n".join(lines)


def profile(found: dict[Case, Bench], events: int) -> str:
    """Return which functions' own time a round in transactions of 500 consists of."""
    parts = []
    for (name, per_day), bench in found.items():
        bench.fold(bench.feed(events), SIZES["500"])
        fed = bench.feed(events)
        with sampled() as seconds:
            took = bench.fold(fed, SIZES["500"])
        top = sorted(seconds.items(), key=lambda each: -each[1])[:SHOWN]
        lines = [f"{each / fed * 1e6:7.1f}  {function}" for function, each in top]
        parts.append(
            "\n".join(
                [f"{name}, {per_day:,} a day: {took.cpu / fed * 1e6:.1f} µs of CPU time per event, of which", *lines]
            )
        )
    return "\n\n".join(parts)


def main() -> int:
    options = _options()
    names = options.only.split(",")
    _tell(f"load average at the start {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory(prefix="visitor-bench-") as folder, benches(Path(folder), names) as found:
        spare_the_collector()
        try:
            if options.profile:
                print(profile(found, options.events))
            else:
                print(table(measure(found, options.events, options.rounds)))
        except CheckFailed as error:
            print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
            return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how many events a second of CPU time folds.")
    parser.add_argument("--events", type=int, default=20_000, help="of a round (default 20000)")
    parser.add_argument("--rounds", type=int, default=4, help="after the one that warms up (default 4)")
    parser.add_argument("--only", default=",".join(TARGETS), metavar="STORE,…", help="sqlite, mariadb")
    parser.add_argument("--profile", action="store_true", help="show instead where the time goes")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
