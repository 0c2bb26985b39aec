"""Alarms on invented sites: what was planted is found once, and what is usual is none."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.synthetic import FIRST, Site, by_day, hours
from visitor_tracker.detection.detect import DAYS_NEEDED, Alarm, bands, detect, holiday_times
from visitor_tracker.detection.steps import Step

LEVELS = (5, 60, 1_000, 100_000)
DAY = 45  # a Thursday
NOON = 24 * DAY + 12


def found(alarms: Sequence[Alarm]) -> list[tuple[int, str]]:
    return [(alarm.at, alarm.kind) for alarm in alarms]


@pytest.mark.parametrize(
    ("per_day", "times"), [(5, 6.0), (60, 3.0), (1_000, 3.0), (100_000, 3.0), (60, 0.1), (1_000, 0.3), (100_000, 0.3)]
)
def test_an_unusual_day_is_one_alarm_at_every_size(per_day: float, times: float) -> None:
    """Ten sites that grow: nine of the days and more are found, and told once."""
    kind = "spike" if times > 1 else "dip"
    hits = 0
    for seed in range(10):
        site = Site(per_day, growth=0.02)
        alarms = detect(by_day(hours(site, 60, seed, {(24 * DAY, 24 * DAY + 24): times})), FIRST, "day")
        about = [alarm for alarm in alarms if alarm.kind == kind and alarm.at <= DAY <= alarm.last]
        assert len(about) <= 1
        hits += len(about)
    assert hits >= 9


@pytest.mark.parametrize(
    ("per_day", "length", "times"), [(1_000, 3, 5.0), (100_000, 3, 5.0), (300, 5, 5.0), (1_000, 4, 0.0), (300, 8, 0.0)]
)
def test_unusual_hours_are_one_alarm_that_is_raised_within_them(per_day: float, length: int, times: float) -> None:
    hits = 0
    for seed in range(6):
        alarms = detect(hours(Site(per_day), 60, seed, {(NOON, NOON + length): times}), FIRST, "hour")
        about = [alarm for alarm in alarms if alarm.at < NOON + length and alarm.last >= NOON]
        assert len(about) <= 1
        hits += sum(NOON <= alarm.raised < NOON + length for alarm in about)
    assert hits >= 5


def test_an_alarm_tells_what_was_seen_and_what_is_usual() -> None:
    [alarm] = detect(by_day(hours(Site(1_000), 60, 1, {(24 * DAY, 24 * DAY + 24): 4.0})), FIRST, "day")
    assert (alarm.at, alarm.last, alarm.peak, alarm.raised, alarm.span) == (DAY, DAY, DAY, DAY, 1)
    assert (alarm.kind, alarm.severity) == ("spike", "extreme")
    assert alarm.value == pytest.approx(4_200, rel=0.3)
    assert alarm.expected == pytest.approx(1_050, rel=0.2)
    assert alarm.low < alarm.expected < alarm.high < alarm.value


@pytest.mark.parametrize("per_day", LEVELS)
def test_clean_traffic_has_at_most_one_false_alarm_a_site_month(per_day: float) -> None:
    """Twelve sites of a size for thirty days after four weeks: on the average, and for all of them but one."""
    counts = []
    for seed in range(12):
        site = Site(
            per_day,
            weekend=(0.1, 0.6, 0.9, 1.2)[seed % 4],
            growth=(-0.01, 0.02, 0.04)[seed % 3],
            day_noise=(0.06, 0.12, 0.2)[seed // 4],
            hour_noise=(0.08, 0.2)[seed % 2],
        )
        counts_by_hour = hours(site, 58, seed)
        alarms = detect(counts_by_hour, FIRST, "hour")
        in_month = [alarm for alarm in alarms if alarm.at >= 28 * 24]
        in_month += [alarm for alarm in detect(by_day(counts_by_hour), FIRST, "day") if alarm.at >= 28]
        counts.append(len(in_month))
    assert sum(counts) / len(counts) <= 1
    assert sorted(counts)[-2] <= 1


def test_twice_three_visits_are_nothing() -> None:
    values = [3.0, 2.0, 4.0, 3.0, 5.0, 1.0, 3.0] * 6
    values[38] = 6.0
    assert detect(values, date(2025, 1, 6), "day") == []
    values[38] = 60.0
    assert found(detect(values, date(2025, 1, 6), "day")) == [(38, "spike")]


def test_a_site_that_falls_silent_alarms_within_hours_by_day() -> None:
    alarms = detect(hours(Site(2_000), 60, 3, {(NOON - 2, 60 * 24): 0.0}), FIRST, "hour")
    assert [alarm.kind for alarm in alarms] == ["dip"]
    assert alarms[0].raised <= NOON
    assert alarms[0].last == 60 * 24 - 1, "it lasts on: who is away for two weeks is not small"


def test_a_small_site_that_falls_silent_alarms_in_days() -> None:
    alarms = detect(by_day(hours(Site(6), 60, 3, {(24 * DAY, 60 * 24): 0.0})), FIRST, "day")
    assert [alarm.kind for alarm in alarms] == ["dip"]
    assert alarms[0].raised <= DAY + 5


def test_an_office_that_closes_at_weekends_is_silent_without_alarm() -> None:
    counts = hours(Site(500, weekend=0.0), 70, 4)
    assert detect(counts, FIRST, "hour") == []
    assert detect(by_day(counts), FIRST, "day") == []


def test_few_visits_on_a_holiday_are_nothing() -> None:
    counts = hours(Site(1_000), 60, 5, {(24 * DAY, 24 * DAY + 24): 0.1})
    holiday = {(FIRST + timedelta(DAY)).date()}
    for step, values in (("hour", counts), ("day", by_day(counts))):
        of: Step = "hour" if step == "hour" else "day"
        assert [alarm.kind for alarm in detect(values, FIRST, of)] == ["dip"]
        assert detect(values, FIRST, of, holidays=holiday) == []
        index = DAY if of == "day" else NOON
        band = bands(values, FIRST, of, holidays=holiday)[index]
        assert band
        assert band.low == 0


def test_one_reader_of_many_pages_at_night_is_no_anomaly() -> None:
    random = Random(3)
    visits = hours(Site(50), 75, 9)
    views = [float(sum(random.choice((1, 1, 1, 2, 3, 5, 8, 12)) for _ in range(int(count or 0)))) for count in visits]
    night = 24 * 70 + 4
    views[night] = 14.0
    band = bands(views, FIRST, "hour")[night]
    assert band
    assert band.expected < 4
    assert not [alarm for alarm in detect(views, FIRST, "hour") if alarm.at <= night <= alarm.last]
    many = [count if at != night else 60.0 for at, count in enumerate(views)]
    assert [alarm for alarm in detect(many, FIRST, "hour") if alarm.at <= night <= alarm.last]


def test_a_holiday_may_be_as_busy_as_the_year_before() -> None:
    feasts = (360 - 335, 360 + 28)  # Easter, say: it moves
    planted = {(24 * day, 24 * day + 24): 3.0 for day in feasts}
    values = by_day(hours(Site(300), 400, 5, planted))
    holidays = {(FIRST + timedelta(day)).date() for day in feasts}
    assert set(feasts) <= {alarm.at for alarm in detect(values, FIRST, "day")}
    assert set(feasts) & {alarm.at for alarm in detect(values, FIRST, "day", holidays=holidays)} == {feasts[0]}
    times = holiday_times(values, FIRST.date(), holidays)
    assert all(2 < times[day] < 3.6 for day in holidays)
    later = hours(Site(300), 400, 5, planted)[24 * 340 :]
    first = FIRST + timedelta(340)
    by_hour = detect(later, first, "hour", holidays=holidays, rises={min(holidays): times[min(holidays)]})
    assert by_hour == []
    assert detect(later, first, "hour", holidays=holidays) != []


def test_a_lasting_change_is_one_alarm_and_then_what_is_usual() -> None:
    values = by_day(hours(Site(1_000), 100, 6, {(24 * DAY, 100 * 24): 3.0}))
    alarms = detect(values, FIRST, "day")
    assert found(alarms) == [(DAY, "spike")]
    assert alarms[0].last <= DAY + 7
    band = bands(values, FIRST, "day")[80]
    assert band
    assert band.expected == pytest.approx(3_000, rel=0.4)


def test_what_comes_back_after_a_busy_week_is_no_dip() -> None:
    values = by_day(hours(Site(1_000), 100, 7, {(24 * DAY, 24 * DAY + 9 * 24): 5.0}))
    assert found(detect(values, FIRST, "day")) == [(DAY, "spike")]


@pytest.mark.parametrize("step", ["hour", "day"])
def test_what_comes_back_after_a_month_of_silence_is_no_spike(step: Step) -> None:
    counts = hours(Site(1_000), 90, 7, {(24 * DAY, 24 * DAY + 30 * 24): 0.0})
    alarms = detect(counts if step == "hour" else by_day(counts), FIRST, step)
    assert [alarm.kind for alarm in alarms] == ["dip"]


def test_a_new_habit_stops_alarming_after_some_weeks() -> None:
    newsletter = {(24 * day, 24 * day + 24): 3.0 for day in range(DAY, 140, 7)}
    alarms = detect(by_day(hours(Site(1_000), 140, 8, newsletter)), FIRST, "day")
    assert found(alarms)[0] == (DAY, "spike")
    assert not [alarm for alarm in alarms if alarm.at > DAY + 3 * 7 and (alarm.at - DAY) % 7 == 0]


def test_an_anomaly_does_not_move_what_is_usual_afterwards() -> None:
    clean = bands(by_day(hours(Site(1_000), 60, 9)), FIRST, "day")
    hit = bands(by_day(hours(Site(1_000), 60, 9, {(24 * DAY, 24 * DAY + 24): 8.0})), FIRST, "day")
    for day in range(DAY + 1, 60):
        before, after = clean[day], hit[day]
        assert before
        assert after
        assert after.expected == pytest.approx(before.expected, rel=0.12)


@pytest.mark.parametrize(("step", "length"), [("day", DAYS_NEEDED), ("hour", 24 * DAYS_NEEDED)])
def test_nothing_is_said_of_the_first_days(step: Step, length: int) -> None:
    values: list[float | None] = [100.0] * length
    values[length // 2] = 9_000.0
    assert detect(values, FIRST, step) == []
    assert bands(values, FIRST, step) == [None] * length
    assert bands([*values, 100.0], FIRST, step)[-1] is not None


def test_days_that_were_not_measured_are_left_out() -> None:
    values = by_day(hours(Site(1_000), 80, 10, {(24 * 60, 24 * 61): 4.0}))
    for day in (5, 20, 21, 22, 23, 24, 25, 26, 59):
        values[day] = None
    assert found(detect(values, FIRST, "day")) == [(60, "spike")]


@pytest.mark.parametrize("first", [datetime(2024, 2, 5), datetime(2024, 9, 30)])
def test_hours_are_those_of_a_clock_that_is_put_forward_and_back(first: datetime) -> None:
    """A shop in New York that opens at nine by the clock; the clock changes after five weeks."""
    zone = ZoneInfo("America/New_York")
    first = first.replace(tzinfo=zone)
    moments = [datetime.fromtimestamp(first.timestamp() + 3600 * index, zone) for index in range(50 * 24)]
    values: list[float | None] = [90.0 + index % 7 if 9 <= at.hour < 17 else 4.0 for index, at in enumerate(moments)]
    assert detect(values, first, "hour") == []
    shifted = detect(values, first.replace(tzinfo=None), "hour")
    assert shifted, "by a clock that is never changed it opens at another hour"


@pytest.mark.parametrize("step", ["hour", "day"])
def test_an_alarm_is_said_by_what_was_before_it(step: Step) -> None:
    events = {(NOON, NOON + 4): 6.0, (24 * 50, 24 * 50 + 30): 0.1, (24 * 56 + 3, 24 * 58): 3.0}
    counts = hours(Site(800), 66, 11, events)
    values = counts if step == "hour" else by_day(counts)
    whole = detect(values, FIRST, step)
    assert len(whole) >= 3
    for length in range(DAY, len(values), 1 if step == "day" else 151):
        short = [(alarm.at, alarm.raised, alarm.kind) for alarm in detect(values[:length], FIRST, step)]
        assert short == [(alarm.at, alarm.raised, alarm.kind) for alarm in whole if alarm.raised < length]
    assert bands(values[:-9], FIRST, step) == bands(values, FIRST, step)[:-9]


counts = st.one_of(st.none(), st.integers(0, 50).map(float), st.floats(0, 1e12, allow_nan=False))


@settings(max_examples=60, deadline=None)
@given(st.lists(counts, max_size=60), st.integers(1, 3), st.sampled_from(["day", "hour"]))
def test_any_series_is_answered_with_sound_alarms(values: list[float | None], again: int, step: Step) -> None:
    series = values * again * (1 if step == "day" else 8)
    alarms = detect(series, date(2025, 6, 1), step)
    for alarm in alarms:
        assert 0 <= alarm.at <= alarm.raised <= alarm.peak <= alarm.last < len(series)
        assert 0 <= alarm.low <= alarm.expected <= alarm.high
        assert (alarm.value > alarm.high) if alarm.kind == "spike" else (alarm.value < alarm.low)
        assert alarm.score > 1
    for kind in ("spike", "dip"):
        of_kind = [alarm for alarm in alarms if alarm.kind == kind]
        assert all(one.last < other.at for one, other in pairwise(of_kind))
    for band in bands(series, date(2025, 6, 1), step):
        assert band is None or 0 <= band.low <= band.expected <= band.high
