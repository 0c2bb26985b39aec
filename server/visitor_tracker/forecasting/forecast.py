"""What the next days or hours are likely to bring, from what the past ones brought."""

from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from visitor_tracker.forecasting.calendar import Step
from visitor_tracker.forecasting.clock import clocked
from visitor_tracker.forecasting.course import check_length, course_of
from visitor_tracker.forecasting.sums import sums_of


class Forecast(msgspec.Struct, frozen=True):
    """For each coming step the middle of what is expected, and the bounds that hold `share` of what will happen."""

    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    trend: Literal["increasing", "decreasing", "stable"]
    slope: float  # change per step over the last five weeks
    share: float


def forecast(  # noqa: PLR0913
    values: Sequence[float | None],
    first: date | datetime,
    step: Step,
    periods: int,
    *,
    share: float = 0.9,
    holidays: Container[date] = (),
) -> Forecast:
    """Foretell the `periods` steps after `values`, whose first is of `first`; None was not measured.

    Hours of a `first` with a time zone are true ones, so that a day may have 23 or 25; else each day has 24. What
    happened on days of `holidays` is learned from the past ones and foretold for the coming ones. Raises TooShort.
    """
    if periods < 1 or not 0 < share < 1:
        raise ValueError("at least one period, and a share between 0 and 1")
    check_length(values, step)
    if step == "hour" and isinstance(first, datetime) and first.tzinfo:
        clock = clocked(values, first, periods)
        first = first.replace(tzinfo=None)
        if clock:
            found = forecast(clock.values, first, step, clock.coming[-1] + 1, share=share, holidays=holidays)
            return _picked(found, clock.coming)
    course = course_of(values, first, step, periods, share, holidays)
    if course is None:
        nothing = (0.0,) * periods
        return Forecast(nothing, nothing, nothing, "stable", 0.0, share)
    bounds = course.bounds(course.path)
    return Forecast(
        tuple(bounds.expected),
        tuple(bounds.low),
        tuple(bounds.high),
        course.trend.name,
        course.trend.slope,
        share,
    )


def forecast_sums(
    values: Sequence[float | None],
    first: date,
    lengths: Sequence[int],
    *,
    share: float = 0.9,
    holidays: Container[date] = (),
) -> Forecast:
    """Foretell sums of the days after `values`: of so many days, then of so many behind them, and so on.

    `slope` is the change from one day to the next. Raises TooShort.
    """
    if not lengths or min(lengths) < 1 or not 0 < share < 1:
        raise ValueError("at least one length, of a day and more, and a share between 0 and 1")
    course = course_of(values, first, "day", sum(lengths), share, holidays)
    if course is None:
        nothing = (0.0,) * len(lengths)
        return Forecast(nothing, nothing, nothing, "stable", 0.0, share)
    expected, low, high = zip(*sums_of(course, lengths, share), strict=True)
    return Forecast(expected, low, high, course.trend.name, course.trend.slope, share)


def _picked(found: Forecast, steps: Sequence[int]) -> Forecast:
    expected, low, high = (tuple(bound[at] for at in steps) for bound in (found.expected, found.low, found.high))
    return msgspec.structs.replace(found, expected=expected, low=low, high=high)
