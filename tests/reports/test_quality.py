"""Losses of a site by the hour and by the day."""

import pytest

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.reports.quality import Point, quality
from visitor_tracker.reports.query import Span, read_span
from visitor_tracker.sites import Site
from visitor_tracker.store.quality import QualityTable, add_tabs
from visitor_tracker.store.sql import SqlStore

BERLIN = Site(1, "default", timezone="Europe/Berlin")
KOLKATA = Site(1, "default", timezone="Asia/Kolkata")  # half an hour off UTC's hours
DAY = bounds("Europe/Berlin", 20260310)[0]


def span(period: str, site: Site = BERLIN) -> Span:
    return read_span(period, site.timezone, DAY + 15 * HOUR_MS, lambda: None)


def put(store: SqlStore, hour: int, *tabs: tuple[int, int]) -> None:
    rows = {(hour, number.to_bytes(16, "big")): tab for number, tab in enumerate(tabs)}
    store.database.write(lambda session: add_tabs(session, 1, rows))


def test_a_day_is_told_by_the_hour(store: SqlStore) -> None:
    put(store, DAY, (3, 4), (1, 1))
    put(store, DAY + 9 * HOUR_MS, (5, 5))
    put(store, DAY - HOUR_MS, (1, 100))
    found = quality(store.database, BERLIN, span("today"))
    assert (found.interval, found.tabs, found.received, found.expected, found.lost, found.share_lost) == (
        "hour", 3, 9, 10, 1, 0.1,
    )  # fmt: skip
    assert found.points == [
        Point(2, 4, 5, 1, 0.2, "2026-03-10T00:00+01:00"),
        Point(1, 5, 5, 0, 0.0, "2026-03-10T09:00+01:00"),
    ]
    assert "sent last" in found.note


def test_several_days_are_told_by_the_day_whether_they_are_added_up_or_not(store: SqlStore) -> None:
    put(store, DAY - HOUR_MS, (1, 2))
    put(store, DAY - DAY_MS, (1, 3))
    put(store, DAY, (2, 2))
    expected = [Point(2, 2, 5, 3, 0.6, "2026-03-09"), Point(1, 2, 2, 0, 0.0, "2026-03-10")]
    assert quality(store.database, BERLIN, span("7d")).points == expected
    assert QualityTable(store.database).add_up(1, DAY) == 2
    found = quality(store.database, BERLIN, span("7d"))
    assert (found.interval, found.points) == ("day", expected)


def test_an_hour_over_midnight_belongs_to_the_day_in_which_it_begins(store: SqlStore) -> None:
    midnight = bounds("Asia/Kolkata", 20260310)[0]
    put(store, midnight - HOUR_MS // 2, (1, 1))
    put(store, midnight + HOUR_MS // 2, (1, 2))
    assert [point.start for point in quality(store.database, KOLKATA, span("7d", KOLKATA)).points] == [
        "2026-03-09", "2026-03-10",
    ]  # fmt: skip
    assert [point.start for point in quality(store.database, KOLKATA, span("2026-03-10", KOLKATA)).points] == [
        "2026-03-10T00:30+05:30"
    ]


@pytest.mark.parametrize("period", ["today", "24h", "90d"])
def test_without_tabs_there_is_nothing_to_tell(store: SqlStore, period: str) -> None:
    found = quality(store.database, BERLIN, span(period))
    assert (found.tabs, found.lost, found.share_lost, found.points) == (0, 0, None, [])


def test_a_share_is_told_for_years(store: SqlStore) -> None:
    put(store, DAY - 400 * DAY_MS, (1, 3))
    found = quality(store.database, BERLIN, span("2025-01-01..2026-03-10"))
    assert [(point.start, point.share_lost) for point in found.points] == [("2025-02-03", 0.666667)]
