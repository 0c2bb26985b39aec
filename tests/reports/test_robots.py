"""Robots by reason and name, their pages, and arrivals by the day of a site's zone."""

import pytest

from tests.reports.traffic import MINUTE, event, fold
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Agent
from visitor_tracker.reports import robots as report
from visitor_tracker.reports.arrivals import ArrivalPoint, arrivals
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.reports.robots import Crawler, PagesOf, Reason, RobotPage, is_ai, robots
from visitor_tracker.sites import Site
from visitor_tracker.store.arrivals import ArrivedEvents, add_arrivals
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
GPT, GOOGLE = Agent(device="bot", bot="GPTBot"), Agent(device="bot", bot="Googlebot")


def span(period: str) -> Span:
    return read_span(period, SITE.timezone, DAY + 15 * HOUR_MS, lambda: None)


@pytest.fixture
def visited(store: SqlStore) -> SqlStore:
    fold(
        store,
        SITE,
        [
            event(SITE, DAY, "a", "/a", agent=GPT, signals=1),
            event(SITE, DAY + MINUTE, "a", "/b", agent=GPT, signals=1),
            event(SITE, DAY + 2 * MINUTE, "a", "/b", agent=GPT, signals=1 | 16),
            event(SITE, DAY + MINUTE, "b", "/c", agent=GOOGLE, signals=1),
            event(SITE, DAY + MINUTE, "c", "/c", signals=64),
            event(SITE, DAY + MINUTE, "d", "/c", signals=4),
            event(SITE, DAY + MINUTE, "e", "/c"),
            event(SITE, DAY - HOUR_MS, "b", "/c", agent=GOOGLE, signals=1),
        ],
    )
    return store


def test_reasons_names_and_pages_of_a_day(visited: SqlStore) -> None:
    found = robots(visited.database, SITE, span("today"), PagesOf())
    assert (found.events, found.doubtful, found.days_missing, found.pages_in_all) == (5, 1, 0, 3)
    assert found.reasons == [Reason("user_agent", 4, 3), Reason("automation", 1, 1), Reason("probe_path", 1, 0)]
    assert found.crawlers == [Crawler("GPTBot", True, 3), Crawler("Googlebot", False, 1)]
    assert sorted((each.page, each.events) for each in found.pages) == [("/a", 1), ("/b", 2), ("/c", 2)]


@pytest.mark.parametrize(
    ("pages_of", "pages"),
    [
        (PagesOf(only_ai=True), [("/b", 2), ("/a", 1)]),
        (PagesOf("Googlebot"), [("/c", 2)]),
        (PagesOf("Googlebot", only_ai=True), [("/c", 2)]),
        (PagesOf(only_ai=True, limit=1), [("/b", 2)]),
        (PagesOf("nobody"), []),
    ],
)
def test_pages_of_some(visited: SqlStore, pages_of: PagesOf, pages: list[tuple[str, int]]) -> None:
    found = robots(visited.database, SITE, span("7d"), pages_of)
    assert found.pages == [RobotPage("a.test", page, events) for page, events in pages]
    assert found.events == 6


def test_too_many_events_are_refused(visited: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "READ_MOST", 5)
    with pytest.raises(QueryError, match="shorter period"):
        robots(visited.database, SITE, span("7d"), PagesOf())


def test_days_whose_events_are_gone_are_told(visited: SqlStore) -> None:
    visited.execute("update raw_days set raw_complete = 0 where day = 20260309")
    assert robots(visited.database, SITE, span("7d"), PagesOf()).days_missing == 1


@pytest.mark.parametrize(
    ("name", "expected"), [("GPTBot", True), ("ClaudeBot", True), ("Googlebot", False), ("", False)]
)
def test_crawlers_that_read_for_language_models(name: str, expected: bool) -> None:
    assert is_ai(name) is expected


def test_arrivals_by_hour_and_by_day(store: SqlStore) -> None:
    hours = {DAY - HOUR_MS: ArrivedEvents(3, 1), DAY: ArrivedEvents(4, 0, 1, 4, 2, 1), DAY - DAY_MS: ArrivedEvents(1)}
    store.database.write(lambda session: add_arrivals(session, SITE.id, hours))
    today = arrivals(store.database, SITE, span("today"))
    assert today.points == [ArrivalPoint(4, 4, 0, 1, 4, 2, 2, 1, "2026-03-10T00:00+01:00")]
    week = arrivals(store.database, SITE, span("7d"))
    assert (week.accepted, week.stored, week.duplicates, week.interval) == (8, 7, 1, "day")
    assert [(each.start, each.accepted) for each in week.points] == [("2026-03-09", 4), ("2026-03-10", 4)]
    assert week.since == "2026-03-08T23:00:00.000Z"
