"""What the next days or hours are likely to bring, from what the past ones brought."""

from collections.abc import Container, Sequence
from datetime import date, datetime, timedelta
from operator import add, sub
from typing import Literal

import msgspec

from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.calendar import CYCLES, Cycle, Step, holiday_steps
from visitor_tracker.forecasting.clock import clocked
from visitor_tracker.forecasting.ensemble import tried
from visitor_tracker.forecasting.holidays import effects, expected_then, without
from visitor_tracker.forecasting.interval import widths
from visitor_tracker.forecasting.scale import Scale
from visitor_tracker.forecasting.trend import trend_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEEDED: dict[Step, int] = {"day": 3, "hour": 24}  # measured steps


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
    there = _known(values)
    if there < NEEDED[step]:
        raise TooShort(NEEDED[step], there)
    if step == "hour" and isinstance(first, datetime) and first.tzinfo:
        clock = clocked(values, first, periods)
        first = first.replace(tzinfo=None)
        if clock:
            found = forecast(clock.values, first, step, clock.coming[-1] + 1, share=share, holidays=holidays)
            return _picked(found, clock.coming)
    lead = _lead(values, NEEDED[step])
    values, first = values[lead:], first + lead * (DAY if step == "day" else HOUR)
    scale = Scale.of(values)
    if not scale.mean:
        nothing = (0.0,) * periods
        return Forecast(nothing, nothing, nothing, "stable", 0.0, share)
    cycle = CYCLES[step]
    off = holiday_steps(first, step, len(values) + periods, holidays)
    if 2 * _known(without(values, off)) < _known(values):  # where most days are holidays, none is
        off = [False] * len(off)
    scaled = [None if value is None else scale.up(value) for value in values]
    path, width = _scaled(scaled, off, cycle, periods, share)
    trend = trend_of(without(values, off), cycle.day)
    return Forecast(
        tuple(map(scale.down, path)),
        tuple(map(scale.down, map(sub, path, width))),
        tuple(map(scale.down, map(add, path, width))),
        trend.name,
        trend.slope,
        share,
    )


def _picked(found: Forecast, steps: Sequence[int]) -> Forecast:
    expected, low, high = (tuple(bound[at] for at in steps) for bound in (found.expected, found.low, found.high))
    return msgspec.structs.replace(found, expected=expected, low=low, high=high)


def _known(values: Sequence[float | None]) -> int:
    return sum(value is not None for value in values)


def _lead(values: Sequence[float | None], needed: int) -> int:
    """Return how many values at the start say nothing: those before the first visit, if enough are left."""
    there = next(at for at, value in enumerate(values) if value is not None)
    visited = next((at for at, value in enumerate(values) if value), there)
    return visited if _known(values[visited:]) >= needed else there


def _scaled(
    values: Sequence[float | None], off: Sequence[bool], cycle: Cycle, periods: int, share: float
) -> tuple[list[float], list[float]]:
    """Return the path and how far off it may be, on the scale; `off` are the holidays of known and coming steps."""
    usual = without(values, off)
    past = tried(usual, cycle, periods)
    path = past.paths[-1]
    coming = off[len(values) :]
    if any(coming):
        effect = effects(values, expected_then(past.level, past.pattern, off), off, cycle.day)
        here = len(values)
        path = [value + effect[(here + step) % cycle.day] if coming[step] else value for step, value in enumerate(path)]
    return path, widths(past, usual, cycle, share, periods)
