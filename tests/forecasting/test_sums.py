"""Weeks and months as sums of days: what is expected adds up, and the band is as wide as errors that hang together."""

from datetime import date
from math import exp, isfinite
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.forecasting.forecast import Forecast, forecast, forecast_sums

MONDAY = date(2024, 1, 1)
WEEK = (1.2, 1.1, 1.05, 1.0, 0.9, 0.5, 0.45)
WEEKS = [7, 7, 7, 7]


def series(days: int, seed: int, *, noise: float, wandering: float) -> list[float]:
    """Return days that vary each for itself by `noise`, around a level that wanders."""
    drawn, level, found = Random(seed), 0.0, []
    for day in range(days):
        level += drawn.gauss(0, wandering)
        found.append(float(round(200 * WEEK[day % 7] * exp(level + drawn.gauss(0, noise)))))
    return found


def width(found: Forecast) -> float:
    return fmean((high - low) / middle for low, middle, high in zip(found.low, found.expected, found.high, strict=True))


def test_what_is_expected_is_the_sum_of_the_days() -> None:
    values = series(300, 1, noise=0.1, wandering=0.02)
    days = forecast(values, MONDAY, "day", 37)
    sums = forecast_sums(values, MONDAY, [2, 7, 28])
    assert sums.expected == pytest.approx(
        [sum(days.expected[:2]), sum(days.expected[2:9]), sum(days.expected[9:])], rel=1e-9
    )
    assert (sums.trend, sums.slope) == (days.trend, days.slope)
    assert all(low <= middle <= high for low, middle, high in zip(sums.low, sums.expected, sums.high, strict=True))
    for first, last, place in ((0, 2, 0), (2, 9, 1), (9, 37, 2)):
        assert sums.low[place] >= sum(days.low[first:last]) - 1e-6, "never wider than if all days erred alike"
        assert sums.high[place] <= sum(days.high[first:last]) + 1e-6


def test_errors_of_single_days_cancel_out_and_those_of_the_level_do_not() -> None:
    alone = width(forecast_sums(series(400, 2, noise=0.2, wandering=0.0), MONDAY, WEEKS))
    wandering = width(forecast_sums(series(400, 2, noise=0.02, wandering=0.06), MONDAY, WEEKS))
    of_days = width(forecast(series(400, 2, noise=0.2, wandering=0.0), MONDAY, "day", 28))
    assert alone < 0.7 * of_days
    assert wandering > 1.5 * alone


def test_the_band_holds_about_nine_of_ten_weeks_and_months() -> None:
    inside: dict[int, list[bool]] = {7: [], 30: []}
    for seed in range(24):
        values = series(420, seed, noise=0.15, wandering=0.03)
        for length, count in ((7, 4), (30, 2)):
            known, coming = values[: 420 - length * count], values[420 - length * count :]
            found = forecast_sums(known, MONDAY, [length] * count)
            for place in range(count):
                actual = sum(coming[length * place : length * (place + 1)])
                inside[length].append(found.low[place] <= actual <= found.high[place])
    assert 0.82 <= fmean(inside[7]) <= 0.98
    assert 0.82 <= fmean(inside[30]) <= 0.98


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 500).map(float)), min_size=3, max_size=90),
    st.lists(st.integers(1, 31), min_size=1, max_size=6),
)
def test_bounds_are_kept_whatever_was_measured(values: list[float | None], lengths: list[int]) -> None:
    found = forecast_sums([1.0, 2.0, 3.0, *values], MONDAY, lengths)
    for low, middle, high in zip(found.low, found.expected, found.high, strict=True):
        assert 0 <= low <= middle + 1e-9
        assert middle <= high + 1e-9
        assert isfinite(high)


@pytest.mark.parametrize("lengths", [[], [0], [7, -1]])
def test_lengths_are_days(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one length"):
        forecast_sums([1.0] * 9, MONDAY, lengths)


def test_where_nobody_ever_came_nobody_is_expected() -> None:
    assert forecast_sums([0.0] * 30, MONDAY, WEEKS).high == (0.0,) * 4
