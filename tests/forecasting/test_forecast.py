"""Forecasts find patterns that are there, keep their bounds and survive whatever a site measures."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import exp, isfinite, pi, sin
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.errors import TrackerError
from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.calendar import Step
from visitor_tracker.forecasting.forecast import Forecast, forecast

MONDAY = date(2024, 1, 1)
WEEK = (120.0, 110.0, 105.0, 100.0, 90.0, 50.0, 45.0)

counts = st.one_of(
    st.none(),
    st.just(0.0),
    st.integers(0, 50).map(float),
    st.floats(0, 1e300, allow_nan=False, allow_subnormal=False),
)


def weekly(days: int, noise: float = 0.0, growth: float = 0.0, seed: int = 1) -> list[float]:
    """Return visits that follow WEEK, times e to the power of growth a day, times noise."""
    drawn = Random(seed)
    return [WEEK[day % 7] * exp(growth * day + drawn.gauss(0, noise)) for day in range(days)]


def hourly(hours: int, noise: float = 0.0, seed: int = 1) -> list[float]:
    """Return visits that rise and fall by day, half as high at weekends."""
    drawn = Random(seed)
    return [
        200 * (0.5 if hour // 24 % 7 > 4 else 1) * exp(sin(hour / 12 * pi) + drawn.gauss(0, noise))
        for hour in range(hours)
    ]


def off(found: Sequence[float], wanted: Sequence[float]) -> float:
    """Return the mean distance as a share of what was wanted."""
    return fmean(abs(one - other) / other for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("step", "needed"), [("day", 3), ("hour", 24)])
def test_too_little_is_refused_with_numbers(step: Step, needed: int) -> None:
    values = [None, *[5.0] * (needed - 1), None]
    with pytest.raises(TooShort) as caught:
        forecast(values, MONDAY, step, 7)
    assert (caught.value.needed, caught.value.there) == (needed, needed - 1)
    assert isinstance(caught.value, TrackerError)
    assert len(forecast([*values, 5.0], MONDAY, step, 7).expected) == 7


@pytest.mark.parametrize(("periods", "share"), [(0, 0.9), (7, 0.0), (7, 1.0)])
def test_what_cannot_be_asked_is_refused(periods: int, share: float) -> None:
    with pytest.raises(ValueError, match="at least one period"):
        forecast(weekly(30), MONDAY, "day", periods, share=share)


@given(st.lists(counts, min_size=3, max_size=90), st.sampled_from([1, 7, 40]), st.sampled_from([0.5, 0.9, 0.99]))
@settings(max_examples=150, deadline=None)
def test_bounds_hold_whatever_was_measured(values: list[float | None], periods: int, share: float) -> None:
    if sum(value is not None for value in values) < 3:
        return
    found = forecast(values, MONDAY, "day", periods, share=share)
    assert {len(found.expected), len(found.low), len(found.high)} == {periods}
    assert all(map(isfinite, (*found.high, found.slope)))
    assert all(
        0 <= low <= middle <= high for low, middle, high in zip(found.low, found.expected, found.high, strict=True)
    )


@pytest.mark.parametrize("value", [0.0, 1.0, 730.0, 1e15, 1e300])
@pytest.mark.parametrize("step", ["day", "hour"])
def test_what_never_changes_goes_on(value: float, step: Step) -> None:
    found = forecast([value] * 400, MONDAY, step, 28)
    flat = pytest.approx((value,) * 28, rel=1e-6)
    assert found.expected == flat
    assert found.low == flat
    assert found.high == flat
    assert (found.trend, found.slope) == ("stable", 0)


@given(st.floats(1, 1e9), st.integers(20, 120))
@settings(max_examples=25, deadline=None)
def test_the_size_of_a_busy_site_does_not_matter(factor: float, days: int) -> None:
    values = [1000 * value for value in weekly(days, noise=0.2, seed=days)]
    one, other = forecast(values, MONDAY, "day", 14), forecast([value * factor for value in values], MONDAY, "day", 14)
    for name in ("expected", "low", "high"):
        assert getattr(other, name) == pytest.approx([value * factor for value in getattr(one, name)], rel=0.01)


@pytest.mark.parametrize("mean", [0.3, 1.0, 3.0])
def test_a_handful_of_visits_is_not_feared_to_be_a_crowd(mean: float) -> None:
    drawn = Random(1)
    arrivals = [sum(drawn.random() < mean / 24 for _ in range(24)) for _ in range(150)]
    found = forecast([float(count) for count in arrivals], MONDAY, "day", 28)
    assert fmean(found.expected) == pytest.approx(fmean(arrivals), rel=0.3)
    assert all(0.5 <= high <= 5 + 3 * mean for high in found.high)


def test_what_was_before_the_first_visit_does_not_matter() -> None:
    values = weekly(120, noise=0.2)
    assert forecast([*[None] * 30, *values], MONDAY, "day", 7) == forecast(values, MONDAY + 30 * timedelta(1), "day", 7)
    assert forecast([*[0.0] * 30, *values], MONDAY, "day", 7) == forecast(values, MONDAY + 30 * timedelta(1), "day", 7)


@pytest.mark.parametrize("days", [28, 60, 400, 800])
def test_weekdays_are_recovered(days: int) -> None:
    found = forecast(weekly(days), MONDAY, "day", 28)
    assert off(found.expected, weekly(days + 28)[days:]) < 0.04
    assert found.trend == "stable"


def test_hours_of_the_week_are_recovered() -> None:
    found = forecast(hourly(60 * 24, noise=0.1), datetime(2024, 1, 1), "hour", 168)
    assert off(found.expected, hourly(67 * 24)[60 * 24 :]) < 0.08


@pytest.mark.parametrize("begin", [date(2024, 2, 5), date(2024, 9, 2)])  # mondays weeks before the clock is changed
@pytest.mark.parametrize("known_days", [54, 55, 56, 58, 63])  # it is changed on day 55, which is a Sunday
def test_a_clock_that_is_changed_moves_the_pattern(begin: date, known_days: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.combine(begin, time(), zone)
    clock = hourly(67 * 24)
    hours = [
        clock[(local.replace(tzinfo=None) - start.replace(tzinfo=None)) // timedelta(hours=1)]
        for local in ((start.astimezone(UTC) + timedelta(hours=hour)).astimezone(zone) for hour in range(66 * 24))
    ]
    known = known_days * 24 + 2
    found = forecast(hours[:known], start, "hour", 48)
    assert len(found.expected) == 48
    assert off(found.expected, hours[known : known + 48]) < 0.06


def test_hours_of_the_day_are_known_after_three_days() -> None:
    found = forecast(hourly(72), datetime(2024, 1, 1), "hour", 24)
    assert off(found.expected, hourly(96)[72:]) < 0.25


@pytest.mark.parametrize(("growth", "trend"), [(0.01, "increasing"), (-0.01, "decreasing"), (0.0, "stable")])
@pytest.mark.parametrize("step", ["day", "hour"])
def test_trends_are_told(growth: float, trend: str, step: Step) -> None:
    days = [value * exp(growth * day) for day, value in enumerate(weekly(120, noise=0.05))]
    values = days if step == "day" else [value / 24 for value in days for _ in range(24)]
    found = forecast(values, MONDAY, step, 7)
    assert found.trend == trend
    perday = found.slope if step == "day" else found.slope * 24 * 24
    assert perday == pytest.approx(growth * fmean(days[-7:]), rel=0.4, abs=0.2)


def test_the_same_season_of_last_year_is_expected_again() -> None:
    season = [1 + 0.6 * sin(day / 365 * 2 * pi) for day in range(900)]
    values = [visits * factor for visits, factor in zip(weekly(900, noise=0.05), season, strict=True)]
    found = forecast(values[:800], MONDAY, "day", 90)
    level = forecast(values[600:800], MONDAY + timedelta(600), "day", 90)  # which knows no year
    assert off(found.expected, values[800:890]) < 0.6 * off(level.expected, values[800:890])


def test_a_wild_day_changes_little() -> None:
    values = weekly(120, noise=0.05)
    calm = forecast(values, MONDAY, "day", 14)
    values[100] *= 40
    values[117] = 0.0
    assert off(forecast(values, MONDAY, "day", 14).expected, calm.expected) < 0.12


def test_a_new_level_is_believed_within_two_weeks() -> None:
    values = [*weekly(100, noise=0.05), *(3 * value for value in weekly(114, noise=0.05)[100:])]
    assert off(forecast(values, MONDAY, "day", 7).expected, [3 * value for value in weekly(121)[114:]]) < 0.15


def test_gaps_are_no_zeros() -> None:
    values: list[float | None] = [*weekly(120, noise=0.05)]
    whole = forecast(values, MONDAY, "day", 14)
    for day in (3, 40, 41, 42, 43, 44, 90, 91, 118, 119):
        values[day] = None
    assert off(forecast(values, MONDAY, "day", 14).expected, whole.expected) < 0.08
    values[30:100] = [None] * 70
    assert off(forecast(values, MONDAY, "day", 14).expected, whole.expected) < 0.12


class TestHolidays:
    DAYS = frozenset(MONDAY + timedelta(day) for day in range(24, 400, 30))

    def series(self, days: int) -> list[float]:
        return [
            value * (0.3 if MONDAY + timedelta(day) in self.DAYS else 1)
            for day, value in enumerate(weekly(days, noise=0.05))
        ]

    def test_their_effect_is_learned(self) -> None:
        known = forecast(self.series(320), MONDAY, "day", 28, holidays=self.DAYS)
        unknown = forecast(self.series(320), MONDAY, "day", 28)
        at = next(day for day in range(28) if MONDAY + timedelta(320 + day) in self.DAYS)
        assert known.expected[at] / unknown.expected[at] == pytest.approx(0.35, abs=0.1)
        usual = [day for day in range(28) if MONDAY + timedelta(320 + day) not in self.DAYS]
        assert off([known.expected[day] for day in usual], [unknown.expected[day] for day in usual]) < 0.05

    def test_those_never_seen_change_nothing(self) -> None:
        values = weekly(60, noise=0.1)
        assert forecast(values, MONDAY, "day", 7, holidays={MONDAY + timedelta(62)}) == forecast(
            values, MONDAY, "day", 7
        )

    def test_where_most_days_are_holidays_none_is(self) -> None:
        values = weekly(60, noise=0.1)
        every = {MONDAY + timedelta(day) for day in range(10, 90)}
        assert forecast(values, MONDAY, "day", 7, holidays=every) == forecast(values, MONDAY, "day", 7)

    def test_hours_learn_them_by_the_hour(self) -> None:
        values = hourly(61 * 24)
        days = {MONDAY + timedelta(day) for day in (16, 30, 44, 60)}
        for day in (16, 30, 44):
            values[day * 24 + 12 : day * 24 + 24] = [value / 3 for value in values[day * 24 + 12 : day * 24 + 24]]
        found = forecast(values[: 60 * 24], MONDAY, "hour", 24, holidays=days).expected
        usual = forecast(values[: 60 * 24], MONDAY, "hour", 24).expected
        morning, evening = (fmean(found[at:end]) / fmean(usual[at:end]) for at, end in ((0, 12), (12, 24)))
        assert morning > 0.75
        assert evening < 0.55


def covered(found: Forecast, actual: Sequence[float]) -> list[bool]:
    return [low <= value <= high for low, value, high in zip(found.low, actual, found.high, strict=True)]


@pytest.mark.parametrize(("step", "past", "ahead"), [("day", 60, 28), ("day", 400, 28), ("hour", 480, 72)])
def test_nine_of_ten_lie_inside(step: Step, past: int, ahead: int) -> None:
    inside = []
    for seed in range(60 if step == "day" else 20):
        walk, drawn = 0.0, Random(seed)
        values = []
        for value in weekly(past + ahead, 0.15, seed=seed) if step == "day" else hourly(past + ahead, 0.3, seed=seed):
            walk += drawn.gauss(0, 0.02 if step == "day" else 0.005)
            values.append(value * exp(walk))
        inside += covered(forecast(values[:past], MONDAY, step, ahead), values[past:])
    assert 0.87 < fmean(inside) < 0.96


def test_a_larger_share_is_wider() -> None:
    values = weekly(120, noise=0.2)
    half, most, nearly = (forecast(values, MONDAY, "day", 28, share=share) for share in (0.5, 0.9, 0.99))
    assert half.expected == most.expected == nearly.expected
    assert all(inner < outer for inner, outer in zip(half.high, most.high, strict=True))
    assert all(inner <= outer for inner, outer in zip(most.high, nearly.high, strict=True))


def test_months_ahead_are_told_and_less_sure() -> None:
    found = forecast(weekly(60, noise=0.2), MONDAY, "day", 400)
    assert len(found.expected) == 400
    assert found.high[200] - found.low[200] > found.high[4] - found.low[4]
