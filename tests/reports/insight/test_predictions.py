"""Forecasts of a site's days and hours."""

from datetime import date

import pytest
from msgspec.structs import replace

from tests.reports.insight.crowd import NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from visitor_tracker.days import DAY_MS, date_of
from visitor_tracker.holidays import NO_HOLIDAYS, Holidays
from visitor_tracker.reports.insight.predictions import ForecastAsked, ForecastStep, holidays_of, predict
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


def test_days_follow_the_pattern_of_the_week(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(56, 1), *visits(ago(0), 500)])
    found = predict(table, SITE, "daily", ForecastAsked(), NOW)
    assert (found.can_forecast, found.learned_from, found.trend, found.share) == (True, 55, "stable", 0.9)
    assert [point.start for point in found.points] == [f"2026-11-{day}" for day in range(12, 19)], "today is the first"
    for point in found.points:
        level = 20 if date.fromisoformat(point.start).weekday() >= 5 else 40
        assert 0.8 * level < point.expected < 1.2 * level, "what today has so far does not count"
        assert 0 <= point.low <= point.expected <= point.high
        assert point.low < level < point.high


def test_weeks_and_months_are_sums_of_days(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, usual(110, 1))
    weeks = predict(table, SITE, "daily", ForecastAsked(step="week", periods=3), NOW)
    assert (weeks.learned_from, [point.start for point in weeks.points]) == (
        109,
        ["2026-11-09", "2026-11-16", "2026-11-23"],
    )
    for point in weeks.points:
        assert 0.9 * 240 < point.expected < 1.1 * 240
        assert point.low < 240 < point.high
    running, whole, _ = weeks.points
    assert running.high - running.low < whole.high - whole.low, "three of its days are over"
    days = predict(table, SITE, "daily", ForecastAsked(periods=11), NOW).points
    assert whole.expected == pytest.approx(sum(day.expected for day in days[4:]), abs=0.1)
    assert whole.high - whole.low < sum(day.high - day.low for day in days[4:])
    sunday = predict(table, SITE, "daily", ForecastAsked(step="week", periods=2, week_start="sunday"), NOW).points
    assert [point.start for point in sunday] == ["2026-11-08", "2026-11-15"]
    months = predict(table, SITE, "daily", ForecastAsked("views", "month"), NOW).points
    assert [point.start for point in months] == ["2026-11-01", "2026-12-01", "2027-01-01"]
    assert all(0.85 * 1040 < point.expected < 1.15 * 1040 for point in months)
    with pytest.raises(QueryError, match="visitors by the week are no sum of days"):
        predict(table, SITE, "monthly", ForecastAsked("visitors", "week"), NOW)


def test_the_running_month_has_what_the_site_s_first_day_had(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*visits(ago(8), 1000), *usual(7, 1)])
    running = predict(table, SITE, "daily", ForecastAsked(step="month"), NOW).points[0]
    assert running.start == "2026-11-01"
    assert running.low >= 1000, "so many there were, though nothing is learned of a day that was not counted whole"


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
    fold(store, SITE, usual(3, 0))
    found = predict(table, SITE, "daily", ForecastAsked(), NOW)
    assert (found.can_forecast, found.learned_from) == (False, 2), "on the first of the three days counting began"
    assert "needs 3" in found.message


@pytest.mark.parametrize(("step", "periods"), [("day", -1), ("day", 367), ("hour", 337), ("week", 53)])
def test_how_far_is_bounded(table: ReportTable, step: ForecastStep, periods: int) -> None:
    with pytest.raises(QueryError, match=r"use 1 to \d+ for"):
        predict(table, SITE, "daily", ForecastAsked(step=step, periods=periods), NOW)


def test_holidays_are_days_with_commas_between() -> None:
    assert holidays_of("") == NO_HOLIDAYS
    assert holidays_of(" 2026-12-24,12-25, ") == Holidays(frozenset({date(2026, 12, 24)}), frozenset({(12, 25)}))
    for wrong in ("2026-02-30", "24.12.2026", "20261224", "2026-12-24;2026-12-25"):
        with pytest.raises(QueryError, match="use days such as 2026-04-05"):
            holidays_of(wrong)
    with pytest.raises(QueryError, match="at most 200"):
        holidays_of(",".join(["2026-12-24"] * 201))


def test_a_site_s_holidays_are_expected_to_be_as_before(store: SqlStore, table: ReportTable) -> None:
    closed = (7, 21, 35, 49)
    kept = [each for days in range(60, 0, -1) if days not in closed for each in usual(days, days, weekend=40)]
    fold(store, SITE, [*kept, *(each for days in closed for each in visits(ago(days), 6))])
    today = date_of(ago(0)).isoformat()
    site = replace(SITE, holidays=(today, *(date_of(ago(days)).isoformat() for days in closed)))
    found = predict(table, site, "daily", ForecastAsked(), NOW).points
    assert found[0].expected < 20 < 35 < found[1].expected
    asked = ForecastAsked(holidays=site.calendar)
    assert predict(table, SITE, "daily", asked, NOW).points == found, "those of the question count alike"
    assert predict(table, SITE, "daily", ForecastAsked(), NOW).points != found
