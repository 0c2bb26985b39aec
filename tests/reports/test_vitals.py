"""Web Vitals of a site."""

from typing import Any

import pytest

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, SAFARI, event, fold
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.event import Agent, Event, Place, Signal
from visitor_tracker.reports.query import QueryError, read_span
from visitor_tracker.reports.vitals import By, Vital, Vitals, VitalsRow, rating_of, vitals
from visitor_tracker.sites import Site
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOON = DAY + 12 * HOUR_MS
SPAN = read_span("2026-03-10", SITE.timezone, NOON, lambda: None)


def vital(name: str, value: float, page: str = "/", agent: Agent = FIREFOX, place: Place = GERMANY) -> Event:
    more: dict[str, Any] = {"name": name, "value": value, "interactive": False, "agent": agent, "place": place}
    return event(SITE, NOON, f"{name}{value}", page, "vital", **more)


def test_three_quarters_of_the_views_are_as_quick_as_it_says(store: SqlStore) -> None:
    values = [100, 2500, 2501, 4000, 4001, 5000, 6000, 7000]
    fold(store, SITE, [*(vital("LCP", value) for value in values), vital("CLS", 0.05), event(SITE, NOON, "a", "/")])
    assert vitals(store.database, SITE, SPAN) == Vitals(
        [Vital("LCP", 5000, "poor", 8, 0.25, 0.25, 0.5), Vital("CLS", 0.05, "good", 1, 1.0, 0.0, 0.0)]
    )


@pytest.mark.parametrize(("number", "place"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6), (100, 75)])
def test_the_percentile_is_one_of_the_values(store: SqlStore, number: int, place: int) -> None:
    fold(store, SITE, [vital("FCP", each) for each in range(1, number + 1)])
    assert [each.p75 for each in vitals(store.database, SITE, SPAN).vitals] == [place]


@pytest.mark.parametrize(
    ("name", "value", "rating"),
    [
        ("LCP", 2500, "good"),
        ("LCP", 2500.1, "needs-improvement"),
        ("LCP", 4000, "needs-improvement"),
        ("LCP", 4000.1, "poor"),
        ("INP", 200, "good"),
        ("INP", 501, "poor"),
        ("CLS", 0.1, "good"),
        ("CLS", 0.2, "needs-improvement"),
        ("CLS", 0.26, "poor"),
        ("FCP", 1800, "good"),
        ("TTFB", 800, "good"),
        ("TTFB", 1801, "poor"),
    ],
)
def test_ratings_are_those_of_the_field(name: str, value: float, rating: str) -> None:
    assert rating_of(name, value) == rating


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("page", [("/a", 2, [("LCP", 900), ("TTFB", 90)]), ("/b", 1, [("LCP", 5000)])]),
        ("device", [("desktop", 2, [("LCP", 5000), ("TTFB", 90)]), ("mobile", 1, [("LCP", 900)])]),
        ("browser", [("Firefox", 2, [("LCP", 5000), ("TTFB", 90)]), ("Safari", 1, [("LCP", 900)])]),
        ("country", [("DE", 2, [("LCP", 5000), ("TTFB", 90)]), ("FR", 1, [("LCP", 900)])]),
    ],
)
def test_lists_have_the_most_measured_first(
    store: SqlStore, by: By, wanted: list[tuple[str, int, list[tuple[str, float]]]]
) -> None:
    fold(
        store,
        SITE,
        [
            vital("LCP", 800, "/a"),
            vital("LCP", 900, "/a", SAFARI, FRANCE),
            vital("TTFB", 90, "/a"),
            vital("LCP", 5000, "/b"),
        ],
    )
    found = vitals(store.database, SITE, SPAN, by)
    told = [(row.value, row.samples, [(each.name, each.p75) for each in row.vitals]) for row in found.rows]
    assert (found.by, told, found.rows_in_all) == (by, wanted, 2)
    assert [row.value for row in vitals(store.database, SITE, SPAN, by, limit=1).rows] == [wanted[0][0]]


def test_agents_that_are_not_known_are_one_row(store: SqlStore) -> None:
    fold(store, SITE, [vital("LCP", 1, agent=Agent()), vital("LCP", 2, agent=Agent(os="Linux"))])
    row = VitalsRow("unknown", 2, [Vital("LCP", 2, "good", 2, 1.0, 0.0, 0.0)])
    assert vitals(store.database, SITE, SPAN, "device").rows == [row]


def test_what_is_no_vital_and_what_robots_measured_does_not_count(store: SqlStore) -> None:
    robot: dict[str, Any] = {"name": "LCP", "value": 1.0, "signals": int(Signal.USER_AGENT)}
    fold(
        store,
        SITE,
        [vital("Speed", 1), vital("LCP", -1), vital("LCP", 7), event(SITE, NOON, "robot", "/", "vital", **robot)],
    )
    assert [(each.name, each.samples) for each in vitals(store.database, SITE, SPAN).vitals] == [("LCP", 1)]


def test_a_site_without_vitals(store: SqlStore) -> None:
    assert vitals(store.database, SITE, SPAN, "page") == Vitals([], "page")


def test_too_many_are_refused(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fold(store, SITE, [vital("LCP", each) for each in range(3)])
    monkeypatch.setattr("visitor_tracker.reports.vitals.VITALS_MOST", 2)
    with pytest.raises(QueryError, match="take a shorter one"):
        vitals(store.database, SITE, SPAN)
