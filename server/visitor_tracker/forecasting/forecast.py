"""What the next days or hours are likely to bring, from what the past ones brought."""

from collections.abc import Container, Sequence
from datetime import date, datetime, timedelta
from operator import add, sub
from typing import Literal

import msgspec

from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.calendar import CYCLES, Cycle, Step, holiday_steps
from visitor_tracker.forecasting.ensemble import tried
from visitor_tracker.forecasting.holidays import effects, expected_then, without
from visitor_tracker.forecasting.interval import widths
from visitor_tracker.forecasting.scale import Scale
from visitor_tracker.forecasting.trend import Trend, trend_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEEDED: dict[Step, int] = {"day": 3, "hour": 24}  # measured steps


class Forecast(msgspec.Struct, frozen=True):
    """For each coming step the middle of what is expected, and the bounds that hold `share` of what will happen."""

    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    trend: Literal["increasing", "decreasing", "stable"]
    slope: float  # change per step over the last four weeks
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

    Hours are those of a clock that is never put forward or back. What happened on days of `holidays` is learned from
    the past ones and foretold for the coming ones. Raises TooShort.
    """
    if periods < 1 or not 0 < share < 1:
        raise ValueError("at least one period, and a share between 0 and 1")
    there = sum(value is not None for value in values)
    if there < NEEDED[step]:
        raise TooShort(NEEDED[step], there)
    lead = _lead(values, NEEDED[step])
    values, first = values[lead:], first + lead * (DAY if step == "day" else HOUR)
    scale = Scale.of(values)
    if not scale.mean:
        nothing = (0.0,) * periods
        return Forecast(nothing, nothing, nothing, "stable", 0.0, share)
    cycle = CYCLES[step]
    off = holiday_steps(first, step, len(values) + periods, holidays)
    scaled = [None if value is None else scale.up(value) for value in values]
    path, low, high, trend, now = _scaled(scaled, off, cycle, periods, share)
    return Forecast(
        tuple(map(scale.down, path)),
        tuple(map(scale.down, low)),
        tuple(map(scale.down, high)),
        trend.name,
        scale.slope(now, trend.change),
        share,
    )


def _lead(values: Sequence[float | None], needed: int) -> int:
    """Return how many values at the start say nothing: those before the first visit, if enough are left."""
    known = [at for at, value in enumerate(values) if value is not None]
    visited = [at for at in known if values[at]]
    return visited[0] if visited and sum(at >= visited[0] for at in known) >= needed else known[0]


def _scaled(
    values: Sequence[float | None], off: Sequence[bool], cycle: Cycle, periods: int, share: float
) -> tuple[list[float], list[float], list[float], Trend, float]:
    """Return path, bounds, trend and level now, on the scale; `off` are the holidays of known and coming steps."""
    usual = without(values, off)
    if 2 * (len(usual) - usual.count(None)) < sum(value is not None for value in values):
        usual, off = list(values), [False] * len(off)  # where most days are holidays, none is
    past = tried(usual, cycle, periods)
    path = past.paths[-1]
    coming = off[len(values) :]
    if any(coming):
        effect = effects(values, expected_then(past.level, past.pattern, off), off, cycle.day)
        here = len(values)
        path = [value + effect[(here + step) % cycle.day] if coming[step] else value for step, value in enumerate(path)]
    width = widths(past, usual, cycle, share, periods)
    known = [value for value in past.level[-cycle.week :] if value is not None]
    flat = [None if value is None else value - past.pattern[at % cycle.week] for at, value in enumerate(usual)]
    trend, now = trend_of(flat, cycle.day), sum(known) / max(1, len(known))
    return path, list(map(sub, path, width)), list(map(add, path, width)), trend, now
