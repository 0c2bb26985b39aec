"""What is told of days and hours unlike what is usual."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from tests.reports.insight.crowd import HACKER_NEWS, NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Event
from visitor_tracker.reports.insight.anomalies import AnomaliesAsked, Anomaly, anomalies, readiness
from visitor_tracker.reports.insight.expected import BandAsked, band
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

ASKED = AnomaliesAsked(days=30)


def found_in(store: SqlStore, table: ReportTable, events: Iterable[Event], now: int = NOW) -> list[Anomaly]:
    fold(store, SITE, events)
    return anomalies(table, SITE, "daily", ASKED, now)


def test_nothing_is_told_of_usual_days(store: SqlStore, table: ReportTable) -> None:
    assert found_in(store, table, []) == []
    assert found_in(store, table, usual(44, 1)) == []


def test_a_day_of_many_visits_is_told_once(store: SqlStore, table: ReportTable) -> None:
    spike = visits(ago(9), 200, name="spike", hours=(14, 20), source=HACKER_NEWS)
    [found] = found_in(store, table, [*usual(44, 1), *spike])
    assert (found.kind, found.metric, found.step, found.peak_steps) == ("spike", "visits", "day", 1)
    assert (found.start, found.end, found.peak) == ("2026-11-03", "2026-11-03", "2026-11-03")
    assert (found.start_ms, found.end_ms) == bounds(SITE.timezone, ago(9))
    assert found.severity in ("strong", "extreme")
    assert found.value > 230
    assert found.low < found.expected < found.high < found.value
    assert found.is_over
    assert found.text == f"Visits rose to {found.value:.0f} on Tuesday, 3 November 2026 (usually {found.expected:.0f})."


def test_its_id_is_the_same_before_the_day_is_over_and_after(store: SqlStore, table: ReportTable) -> None:
    morning = [*visits(ago(0), 10, hours=(8, 10)), *visits(ago(0), 150, name="spike", hours=(10, 13))]
    midnight, tomorrow = bounds(SITE.timezone, ago(0))
    noon = midnight + 13 * HOUR_MS + 300_000
    [hours] = found_in(store, table, [*usual(44, 1), *morning, *visits(ago(0), 27, name="later", hours=(13, 22))], noon)
    assert (hours.step, hours.kind, hours.is_over) == ("hour", "spike", False)
    assert hours.start == "2026-11-12T10:00+01:00"
    assert "between 10:00 and 1" in hours.text
    for days in (30, 2):
        [day] = anomalies(table, SITE, "daily", AnomaliesAsked(days, hour_days=2), tomorrow + HOUR_MS)
        assert (day.step, day.start, day.id) == ("day", "2026-11-12", hours.id)
    [day] = anomalies(table, SITE, "daily", AnomaliesAsked(30, hour_days=0), tomorrow + HOUR_MS)
    assert day.id == hours.id, "also where nobody asks for hours"


def test_a_silence_goes_on_until_visits_come_back(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, usual(44, 2))
    [found] = anomalies(table, SITE, "daily", ASKED, NOW)
    assert (found.kind, found.is_over, found.value) == ("dip", False, 0)
    assert found.start == "2026-11-11"
    [again] = anomalies(table, SITE, "daily", ASKED, NOW + 6 * DAY_MS)
    assert (again.id, again.is_over, again.start) == (found.id, False, found.start)


def test_a_holiday_like_the_others_is_no_anomaly(store: SqlStore, table: ReportTable) -> None:
    feast, quiet = (20251103, 20261103), ago(23)
    kept = [each for days in range(420, 0, -1) if ago(days) != quiet for each in usual(days, days, weekday=20)]
    fold(store, SITE, [*kept, *(each for day in feast for each in visits(day, 120, name="feast"))])
    assert [each.peak for each in anomalies(table, SITE, "daily", ASKED, NOW)] == ["2026-11-03", "2026-10-20"]
    site = replace(SITE, holidays=("11-03", "2026-10-20"))
    assert anomalies(table, site, "daily", ASKED, NOW) == []
    points = {point.start: point for point in band(table, site, BandAsked(days=30), NOW)}
    assert points["2026-11-03"].high is not None
    assert points["2026-11-03"].high > 140 > 2 * (points["2026-11-02"].high or 0.0)
    assert points["2026-10-20"].low == 0
    first = replace(SITE, holidays=("2026-11-03", "2026-10-20"))  # nothing says what it was like before
    assert [each.peak for each in anomalies(table, first, "daily", ASKED, NOW)] == ["2026-11-03"]


def test_only_what_is_asked_for_is_told(store: SqlStore, table: ReportTable) -> None:
    spikes = [*visits(ago(40), 200, name="old"), *visits(ago(9), 200, name="new")]
    [new] = found_in(store, table, [*usual(90, 1), *spikes])
    assert new.start == "2026-11-03"
    both = anomalies(table, SITE, "daily", AnomaliesAsked(days=60, hour_days=0, metrics=("views",)), NOW)
    assert [(each.start, each.metric) for each in both] == [("2026-11-03", "views"), ("2026-10-03", "views")]
    encoded = msgspec.json.encode(both)
    assert msgspec.json.decode(encoded, type=list[Anomaly]) == both


def test_what_is_told_of_a_day_does_not_depend_on_how_many_are_asked_for(store: SqlStore, table: ReportTable) -> None:
    fold(
        store,
        SITE,
        [*usual(110, 70, weekday=12, weekend=6), *usual(69, 1, weekday=60), *visits(ago(9), 300, name="spike")],
    )
    wide, near = (anomalies(table, SITE, "daily", AnomaliesAsked(days, hour_days=2), NOW) for days in (90, 12))
    assert [each for each in wide if each.end_ms > bounds(SITE.timezone, ago(12))[0]] == near
    assert near


def test_a_site_is_ready_when_it_is_old_enough(store: SqlStore, table: ReportTable) -> None:
    assert readiness(table, SITE, NOW).is_ready is False
    fold(store, SITE, usual(14, 0))  # the first day is not known from its beginning
    ready = readiness(table, SITE, NOW)
    assert (ready.days, ready.needed, ready.is_ready) == (13, 14, False)
    assert readiness(table, SITE, NOW + DAY_MS).is_ready
