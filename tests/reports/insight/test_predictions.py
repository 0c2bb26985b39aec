"""Forecasts of a site's days and hours."""

from datetime import date

import pytest

from tests.reports.insight.crowd import NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from visitor_tracker.days import DAY_MS
from visitor_tracker.reports.insight.predictions import ForecastAsked, holidays_of, predict
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


def test_days_follow_the_pattern_of_the_week(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(56, 1), *visits(ago(0), 500)])
    found = predict(table, SITE, "daily", ForecastAsked(), NOW)
    assert (found.can_forecast, found.learned_from, found.trend, found.share) == (True, 56, "stable", 0.9)
    assert [point.start for point in found.points] == [f"2026-11-{day}" for day in range(12, 19)], "today is the first"
    for point in found.points:
        level = 20 if date.fromisoformat(point.start).weekday() >= 5 else 40
        assert 0.8 * level < point.expected < 1.2 * level, "what today has so far does not count"
        assert 0 <= point.low <= point.expected <= point.high
        assert point.low < level < point.high


def test_hours_follow_the_clock(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, usual(28, 1, weekday=200, weekend=200))
    found = predict(table, SITE, "daily", ForecastAsked("views", "hour", 24), NOW + 300_000)
    assert [found.points[0].start, found.points[-1].start] == ["2026-11-12T10:00+01:00", "2026-11-13T09:00+01:00"]
    at = {point.start[11:13]: point.expected for point in found.points}
    assert at["03"] < 1 < 5 < at["15"]


def test_a_gap_is_left_out(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(60, 20, weekend=40), *usual(12, 1, weekend=40)])
    found = predict(table, SITE, "daily", ForecastAsked(periods=3), NOW)
    assert all(34 < point.expected < 46 for point in found.points)


def test_a_site_that_has_ended_is_not_foretold_to_go_on(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, usual(40, 9))
    for step in ("day", "hour"):
        found = predict(table, SITE, "daily", ForecastAsked(step="day" if step == "day" else "hour"), NOW)
        assert (found.can_forecast, found.points) == (False, []), step
        assert "nobody has come since 2026-11-0" in found.message, step
    assert predict(table, SITE, "daily", ForecastAsked(), NOW - 2 * DAY_MS).can_forecast, "a week's outage may end"


def test_a_young_site_has_none(store: SqlStore, table: ReportTable) -> None:
    found = predict(table, SITE, "daily", ForecastAsked(), NOW)
    assert (found.can_forecast, found.points, found.trend) == (False, [], None)
    assert found.message == "there are no complete days with visits yet"
    fold(store, SITE, usual(2, 0))
    found = predict(table, SITE, "daily", ForecastAsked(), NOW)
    assert (found.can_forecast, found.learned_from) == (False, 2)
    assert "needs 3" in found.message


@pytest.mark.parametrize(("step", "periods"), [("day", -1), ("day", 367), ("hour", 337)])
def test_how_far_is_bounded(table: ReportTable, step: str, periods: int) -> None:
    with pytest.raises(QueryError, match="use 1 to 3"):
        predict(table, SITE, "daily", ForecastAsked(step="day" if step == "day" else "hour", periods=periods), NOW)


def test_holidays_are_days_with_commas_between() -> None:
    assert holidays_of("") == frozenset()
    assert holidays_of(" 2026-12-24,2026-12-25, ") == {date(2026, 12, 24), date(2026, 12, 25)}
    for wrong in ("2026-02-30", "24.12.2026", "20261224", "2026-12-24;2026-12-25"):
        with pytest.raises(QueryError, match="use days such as 2026-12-24"):
            holidays_of(wrong)
    with pytest.raises(QueryError, match="at most 200"):
        holidays_of(",".join(["2026-12-24"] * 201))
