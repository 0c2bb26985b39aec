"""Extracts tell what visits tell one by one, whatever is asked of them."""

import random

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.reports.asking.people import ZONE, crowd, new_site
from tests.reports.traffic import fold
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.reports.asking import collecting
from visitor_tracker.reports.asking.answering import answer_query, is_told, told_at_once
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.metrics import TABLE
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.extracts.keeping import renew
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

NOW = bounds(ZONE, 20270310)[0] + 9 * HOUR_MS
OF_VISITS = ["country", "browser", "source", "channel", "entry", "exit"]
OF_PARTS = ["page", "host", "event", "outbound", "click", "download"]
CONDITIONS = [
    "country is DE",
    "browser contains fire",
    'source is ""',
    "entry is /a",
    "exit glob *b",
    "page is /a",
    "page is /,/b",
    "page contains b",
    'page glob "/?"',
    "host is a.test",
    "host contains b",
    "event is signup",
    'event is ""',
    "event contains p",
    "outbound glob https*",
    "click contains s",
    "download is play",
]


def a_filter(chance: random.Random, depth: int = 0) -> str:
    if depth == 2 or chance.random() < 0.4:
        return chance.choice(["", "", "not "]) + chance.choice(CONDITIONS)
    parts = [a_filter(chance, depth + 1) for _ in range(chance.choice([2, 2, 3]))]
    return chance.choice(["", "not "]) + f"({chance.choice([' and ', ' or ']).join(parts)})"


def some_dimensions(chance: random.Random) -> list[str]:
    dimensions = chance.choice(
        [
            [],
            chance.sample(OF_VISITS, 1),
            chance.sample(OF_VISITS, 2),
            chance.sample(OF_PARTS, 1),
            [chance.choice(OF_VISITS), chance.choice(OF_PARTS)],
            ["host", "page"],
        ]
    )
    if len(dimensions) < 2 and chance.random() < 0.5:
        dimensions = [*dimensions, chance.choice(["time:day", "time:week"])]
    return dimensions


def some_queries(chance: random.Random) -> list[StatsQuery]:
    """Return queries of the same days and filter."""
    filters = a_filter(chance)
    days = chance.choice(["2026-10-22..2026-10-29", "2026-10-24..2026-10-26", "2026-10-25..2026-10-25"])
    return [
        StatsQuery(
            dimensions=some_dimensions(chance), filters=filters, date_range=days, metrics=["visits"], limit=1_000
        )
        for _ in range(2)
    ]


def asked(site: Site, query: StatsQuery) -> Ask:
    """Return a query for all metrics that extracts know."""
    of = About(site, "daily", lambda: None)
    rows = read_query(query, of, NOW).rows
    known = [each.name for each in TABLE if rows in each.about and not each.from_events and not each.of_goal]
    if rows == "looks":
        known.remove("events")
    return read_query(msgspec.structs.replace(query, metrics=known), of, NOW)


def visit_by_visit(table: ReportTable, ask: Ask) -> Answered:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "knows", lambda _: False)
        return answer_query(table, ask)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller crowd is not a simpler one
)
@given(seed=st.integers(0, 1 << 64))
def test_extracts_tell_what_visits_do(store: SqlStore, table: ReportTable, seed: int) -> None:
    chance = random.Random(seed)
    site = new_site()
    fold(store, site, crowd(chance, site, 60, daily=True))
    renew(table, site, NOW)
    compared = 0
    for _ in range(10):
        asks = [asked(site, query) for query in some_queries(chance)]
        told = told_at_once(table, asks)
        for ask in asks:
            if not is_told(ask, told):  # too manifold a filter
                continue
            found, other = answer_query(table, ask, told), visit_by_visit(table, ask)
            assert found.totals == other.totals, found.query
            assert found.rows == other.rows, found.query
            assert found == other, found.query
            compared += 1
    assert compared > 10
