"""Averages, busiest weekday and growth."""

from collections.abc import Mapping

import pytest

from tests.reports.visits_of_people import ANNA, BEN, DEFAULT, fill, happened
from visitor_tracker.event import Event
from visitor_tracker.reports.summary import NoSummary, Summary, WeeklyGrowth, summary
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

NOW = 1_774_000_800_000  # Friday, 2026-03-20T10:00:00Z
DAY = 86_400_000


def views(numbers: Mapping[int, int], site: Site = DEFAULT) -> list[Event]:
    """Return so many views so many days ago; every second one is another visitor's."""
    return [
        happened(NOW - days * DAY + number, (ANNA, BEN)[number % 2], site=site)
        for days, count in numbers.items()
        for number in range(count)
    ]


def test_nothing_is_told_of_a_site_without_visits(table: ReportTable) -> None:
    assert summary(table, DEFAULT, NOW) == NoSummary("No data available")


@pytest.mark.parametrize(
    ("numbers", "growth"),
    [
        ({0: 3}, WeeklyGrowth(3, 0, 0.0)),
        ({0: 3, 7: 2}, WeeklyGrowth(3, 2, 50.0)),
        ({0: 1, 6: 1, 7: 2, 13: 1, 14: 9}, WeeklyGrowth(2, 3, -33.33)),
        ({7: 4}, WeeklyGrowth(0, 4, -100.0)),
        ({14: 4}, WeeklyGrowth(0, 0, 0.0)),
    ],
)
def test_a_week_is_seven_days_up_to_today(
    store: SqlStore, table: ReportTable, numbers: dict[int, int], growth: WeeklyGrowth
) -> None:
    fill(store, views(numbers))
    found = summary(table, DEFAULT, NOW)
    assert isinstance(found, Summary)
    assert found.weekly_growth == growth


def test_averages_are_over_days_with_visits(store: SqlStore, table: ReportTable) -> None:
    fill(store, views({0: 4, 3: 1, 100: 2}))
    found = summary(table, DEFAULT, NOW)
    assert isinstance(found, Summary)
    assert (found.average_daily_visits, found.average_daily_unique) == (2.33, 1.67)


def test_the_busiest_weekday_has_the_most_visits_on_average(store: SqlStore, table: ReportTable) -> None:
    # Three on a Thursday beat two and two on Fridays; a Monday with three comes before it in the week.
    fill(store, views({0: 2, 7: 2, 1: 3, 4: 3}))
    found = summary(table, DEFAULT, NOW)
    assert isinstance(found, Summary)
    assert found.busiest_day_of_week == "Monday"


def test_days_are_the_sites_own(store: SqlStore, table: ReportTable) -> None:
    site = Site(7, "kiritimati", timezone="Pacific/Kiritimati")  # 14 hours ahead: it is Saturday there
    fill(store, views({0: 1}, site), site)
    found = summary(table, site, NOW)
    assert isinstance(found, Summary)
    assert (found.busiest_day_of_week, found.weekly_growth.current_week_visits) == ("Saturday", 1)
