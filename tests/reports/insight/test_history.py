"""Days and hours as forecasts and detection take them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.reports.insight.crowd import NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from visitor_tracker.days import HOUR_MS, bounds, date_of, day_of, hour_of
from visitor_tracker.reports.insight.history import SETTLE_MS, Step, histories, steps_since_a_turn
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

DAYS = 400


def test_a_site_without_visits_has_none(table: ReportTable) -> None:
    assert histories(table, SITE, ("visits",), "day", most=DAYS, now_ms=NOW) == []
    assert histories(table, SITE, ("visits",), "hour", most=DAYS, now_ms=NOW) == []


def test_days_begin_after_the_first_visit_s_and_end_yesterday(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*visits(ago(4), 1), *visits(ago(3), 2), *visits(ago(1), 5), *visits(ago(0), 9)])
    [visited, viewed] = histories(table, SITE, ("visits", "views"), "day", most=DAYS, now_ms=NOW)
    assert (visited.first, visited.values, viewed.values) == (date(2026, 11, 9), (2, 0, 5), (2, 0, 5))
    assert [visited.label(place) for place in range(4)] == ["2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12"]
    assert visited.starts == tuple(bounds(SITE.timezone, ago(days))[0] for days in (3, 2, 1, 0))
    assert visited.measured() == [2, 0, 5], "two a day may well be none on another"
    [last] = histories(table, SITE, ("visits",), "day", most=1, now_ms=NOW)
    assert (last.first, last.values) == (date(2026, 11, 11), (5,))


def test_a_silence_that_chance_cannot_have_made_was_not_measured(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(31, 16), *usual(9, 1)])
    [found] = histories(table, SITE, ("visits",), "day", most=DAYS, now_ms=NOW)
    assert [place for place, value in enumerate(found.measured()) if value is None] == [*range(15, 21)]
    watched = found.watched()
    assert watched[15:21] == [0, 0, 0, None, None, None], "detection sees that it begins"
    assert None not in watched[:15] + watched[21:]


def test_hours_of_a_day_on_which_clocks_go_back(store: SqlStore, table: ReportTable) -> None:
    day = 20261025
    start, end = bounds(SITE.timezone, day)
    later = [*visits(day, 3, hours=(0, 1)), *visits(day, 4, hours=(2, 3)), *visits(day, 5, hours=(3, 4))]
    fold(store, SITE, [*visits(20261024, 1, hours=(21, 22)), *later])
    now = end + 5 * 60_000
    [whole] = histories(table, SITE, ("views",), "hour", most=DAYS, now_ms=now)
    assert whole.label(0) == "2026-10-24T22:00+02:00", "counting began in the hour before"
    [found] = histories(table, SITE, ("views",), "hour", most=25, now_ms=now)
    assert found.first == datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin"))
    assert len(found.values) == 25
    assert found.values[:5] == (3, 0, 4, 5, 0)
    assert [found.label(2), found.label(3)] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]
    [early] = histories(table, SITE, ("views",), "hour", most=3, now_ms=start + 4 * HOUR_MS + 60_000)
    assert early.values == (3, 0, 4), "what came in an hour's last minute may not be counted yet"


@pytest.mark.parametrize("timezone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_a_history_begins_at_the_same_step_for_weeks(timezone: str) -> None:
    site = Site(1, "default", timezone=timezone)
    start = bounds(timezone, 20261112)[0]
    firsts: dict[Step, set[int]] = {"day": set(), "hour": set()}
    for minute in (0, 1, 3, 31, *range(60, 4 * 24 * 60, 61)):
        now = start + minute * 60_000
        last = day_of(timezone, now - SETTLE_MS)
        firsts["day"].add(date_of(last).toordinal() - steps_since_a_turn(site, "day", 160, now))
        firsts["hour"].add(hour_of(timezone, now - SETTLE_MS) - HOUR_MS * steps_since_a_turn(site, "hour", 1176, now))
    assert [len(firsts["day"]) <= 2, len(firsts["hour"]) <= 2] == [True, True], "four days have one turn at most"
