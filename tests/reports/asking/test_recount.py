"""Random queries about random events come to what the events come to, counted one by one."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.reports.asking.people import DAYS, FIRST_DAY, ZONE, crowd, new_site
from tests.reports.asking.recount import (
    VALUES,
    Recount,
    Times,
    buckets,
    change,
    metrics_of,
    share_of,
)
from tests.reports.asking.wanted import Wanted, filters
from tests.reports.traffic import fold
from visitor_tracker.days import HOUR_MS, bounds, date_of
from visitor_tracker.event import Event
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Answered, Row
from visitor_tracker.reports.extracts.keeping import renew
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

NOW = bounds(ZONE, 20270310)[0] + 9 * HOUR_MS
FILTERS = filters()
DIMENSIONS = [*VALUES]
INTERVALS = ["day", "week", "month"]
FAR = "Pacific/Auckland"


@dataclass(frozen=True)
class Asked:
    """A query, and what it is about."""

    query: StatsQuery
    wanted: Wanted
    first: date
    last: date

    @property
    def dimensions(self) -> list[str]:
        return [name for name in self.query.dimensions if not name.startswith("time")]

    @property
    def by_time(self) -> bool:
        return len(self.dimensions) < len(self.query.dimensions)


def a_query(chance: random.Random) -> Asked:
    first = date_of(FIRST_DAY) + timedelta(days=chance.randrange(DAYS))
    last = first + timedelta(days=chance.choice([0, 0, 2, 5]))
    wanted = FILTERS[chance.choice([*FILTERS, "", ""])]
    names: list[str] = chance.sample(DIMENSIONS, chance.choice([0, 1, 1, 2]))
    interval = chance.choice(INTERVALS)
    if len(names) < 2 and chance.random() < 0.5:
        names.insert(chance.randrange(len(names) + 1), f"time:{interval}")
    query = StatsQuery(
        dimensions=names,
        filters=wanted.text or None,
        date_range=[first.isoformat(), last.isoformat()],
        interval=interval,
        timezone=chance.choice(["", "", FAR]),
        compare=chance.choice([None, None, "previous", ["2026-10-23", "2026-10-25"]]),
        metrics=["visitors", "visits"],
        limit=1_000,
        week_start=chance.choice(["monday", "sunday", "saturday"]),
    )
    return Asked(query, wanted, first, last)


@dataclass(frozen=True)
class Of:
    """A site with what happened there."""

    table: ReportTable
    site: Site
    policy: VisitorPolicy
    events: list[Event]

    def read(self, query: StatsQuery) -> Ask:
        return read_query(query, About(self.site, self.policy, lambda: None), NOW)

    def answer(self, query: StatsQuery) -> Answered:
        return answer_query(self.table, self.read(query))

    def recount(self, asked: Asked, first: date, last: date) -> Recount:
        times = Times(asked.query.timezone or ZONE, ZONE, first, last, asked.query.interval, asked.query.week_start)
        return Recount(self.events, times, asked.wanted, asked.dimensions, by_time=asked.by_time)


@pytest.mark.parametrize("policy", ["daily", "persistent"])
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller crowd is not a simpler one
)
@given(chance=st.randoms(use_true_random=False))
def test_answers_are_what_events_come_to(
    store: SqlStore, table: ReportTable, policy: VisitorPolicy, chance: random.Random
) -> None:
    site = new_site()
    events = crowd(chance, site, chance.choice([3, 20, 60]), daily=policy == "daily")
    fold(store, site, events, daily=policy == "daily")
    if chance.random() < 0.5:  # else extracts are made as they are asked for
        renew(table, site, bounds(ZONE, 20261027)[0])
    of = Of(table, site, policy, events)
    for _ in range(12):
        check(of, a_query(chance))


def check(of: Of, asked: Asked) -> None:
    """Ask for every metric that there is of such rows, and compare all of the answer."""
    recount = of.recount(asked, asked.first, asked.last)
    asked = replace(asked, query=msgspec.structs.replace(asked.query, metrics=known_metrics(of, asked)))
    ask = of.read(asked.query)
    found = of.answer(asked.query)
    assert found.meta.answered_from == ask.origin
    expected = rows_of(ask, recount, asked)
    assert differences({key_of(row): row.metrics for row in found.rows}, expected) == [], asked.query
    assert len(found.rows) == len(expected) == (found.meta.rows_in_all if asked.query.dimensions else 0)
    assert differences({(): found.totals.metrics}, {(): totals_of(ask, recount)}) == [], asked.query
    assert found.cursor is None
    check_order(found)
    check_pages(of, asked, found)
    if ask.compared is not None:
        check_compared(of, asked, ask, found)


def differences(
    found: Mapping[tuple[str, ...], Mapping[str, Any]], expected: Mapping[tuple[str, ...], Mapping[str, Any]]
) -> list[tuple[object, ...]]:
    """Return (key, metric, what was found, what was expected) wherever they differ."""
    return [
        (key, name, found.get(key, {}).get(name, "no row"), expected.get(key, {}).get(name, "no row"))
        for key in {**found, **expected}
        for name in {**found.get(key, {}), **expected.get(key, {})}
        if found.get(key, {}).get(name, "no row") != expected.get(key, {}).get(name, "no row")
    ]


def known_metrics(of: Of, asked: Asked) -> list[str]:
    """Return the metrics that are known of such rows, in the words of the refusal of one that is not."""
    with pytest.raises(QueryError) as refused:
        of.read(msgspec.structs.replace(asked.query, metrics=["nonsense"]))
    names = str(refused.value).partition(": use ")[2].split(", ")
    known = []
    for name in names:
        try:
            of.read(msgspec.structs.replace(asked.query, metrics=[name]))
        except QueryError:
            continue
        known.append(name)
    return known


def is_daily(ask: Ask, *, of_rows: bool) -> bool:
    """Say whether visitors of several days are those of each day, added up: of lists from rollups they are."""
    if ask.question.policy == "daily":
        return True
    return of_rows and bool(ask.dimensions) and ask.origin == "rollups"


def hides_visitors(ask: Ask, *, of_rows: bool) -> bool:
    """Say whether nobody can tell visitors: days of another zone, from rollups."""
    is_far = ask.question.is_foreign and not ask.question.from_sessions
    return is_far and (not of_rows or ask.origin == "rollups")


def rows_of(ask: Ask, recount: Recount, asked: Asked) -> dict[tuple[str, ...], dict[str, Any]]:
    rows = dict(recount.rows)
    if asked.by_time and not asked.dimensions:
        times = Times(ZONE, ZONE, asked.first, asked.last, asked.query.interval, asked.query.week_start)
        nothing = Recount([], times, asked.wanted, [], by_time=False).total
        rows = {(label,): rows.get((label,), nothing) for label in buckets(times)}
    whole = share_of(recount, asked.dimensions)
    found = {}
    for key, sums in rows.items():
        own = metrics_of(sums, recount.kind, whole, daily=is_daily(ask, of_rows=True))
        if hides_visitors(ask, of_rows=True):
            own["visitors"] = None
        found[in_order(asked, key)] = {metric.name: own[metric.name] for metric in ask.metrics}
    return found


def totals_of(ask: Ask, recount: Recount) -> Mapping[str, Any]:
    own = metrics_of(recount.total, "", recount.total.visits, daily=is_daily(ask, of_rows=False))
    own["share"] = 1.0 if recount.total.visits else None
    if hides_visitors(ask, of_rows=False):
        own["visitors"] = None
    return {metric.name: own[metric.name] for metric in ask.metrics}


def in_order(asked: Asked, key: tuple[str, ...]) -> tuple[str, ...]:
    """Return a key of the recount, in which time is last, in the order of the query."""
    values = iter(key)
    return tuple(key[-1] if name.startswith("time") else next(values) for name in asked.query.dimensions)


def key_of(row: Row) -> tuple[str, ...]:
    return tuple(row.dimensions.values())


def check_order(found: Answered) -> None:
    """Rows stand by time, then by visitors or what stands in for them."""
    first = found.query.order_by[-1].partition(":")[0]
    if all(row.metrics.get(first) is not None for row in found.rows):
        ranks = [(row.dimensions.get("time", ""), -(row.metrics[first] or 0)) for row in found.rows]
        assert ranks == sorted(ranks)


def check_pages(of: Of, asked: Asked, found: Answered) -> None:
    pages: list[Row] = []
    query = msgspec.structs.replace(asked.query, limit=max(1, len(found.rows) // 3))
    for _ in range(len(found.rows) + 1):
        page = of.answer(query)
        pages += page.rows
        if page.cursor is None:
            break
        query = msgspec.structs.replace(query, cursor=page.cursor)
    assert pages == found.rows


def check_compared(of: Of, asked: Asked, ask: Ask, found: Answered) -> None:
    if asked.query.compare == "previous":
        days = (asked.last - asked.first).days + 1
        first, last = asked.first - timedelta(days=days), asked.first - timedelta(days=1)
    else:
        first, last = date(2026, 10, 23), date(2026, 10, 25)
    theirs = replace(asked, first=first, last=last)
    recount = of.recount(theirs, first, last)
    totals = totals_of(ask, recount)
    assert found.totals.compared == totals
    assert told(found.totals.change) == {
        name: change(value, totals[name]) for name, value in found.totals.metrics.items()
    }
    if asked.by_time:
        return  # by place: has a test of its own
    rows = rows_of(ask, recount, theirs)
    for row in found.rows:
        other = rows.get(key_of(row))
        if other is not None:
            assert row.compared == other
        else:
            assert row.compared is not None
            assert [value or None for value in row.compared.values()] == [None] * len(row.compared)
        assert told(row.change) == {
            name: change(value, (row.compared or {})[name]) for name, value in row.metrics.items()
        }


def told(changes: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {name: msgspec.structs.asdict(each) for name, each in (changes or {}).items()}
