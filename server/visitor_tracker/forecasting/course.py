"""The course that a series is likely to take, and everything that was tried to find it: what forecasts are cut from."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import add, sub

from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.calendar import CYCLES, Step, holiday_steps
from visitor_tracker.forecasting.ensemble import Tried, tried
from visitor_tracker.forecasting.holidays import effects, expected_then, without
from visitor_tracker.forecasting.interval import widths
from visitor_tracker.forecasting.scale import Scale
from visitor_tracker.forecasting.trend import Trend, trend_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEEDED: dict[Step, int] = {"day": 3, "hour": 24}  # measured steps


@dataclass(frozen=True, slots=True)
class Bounds:
    """By step ahead: the middle, and between what `share` of what happens is likely to lie."""

    expected: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True, slots=True)
class Course:
    """`usual` are the values that it was learned from, without holidays; `width` is on the scale, by step ahead."""

    scale: Scale
    past: Tried
    usual: list[float | None]
    path: list[float]
    width: list[float]
    trend: Trend

    def bounds(self, path: Sequence[float]) -> Bounds:
        """Return a path in numbers, with the band it has from now on."""
        down = self.scale.down
        return Bounds(
            list(map(down, path)),
            list(map(down, map(sub, path, self.width))),
            list(map(down, map(add, path, self.width))),
        )


def course_of(  # noqa: PLR0913
    values: Sequence[float | None],
    first: date | datetime,
    step: Step,
    periods: int,
    share: float,
    holidays: Container[date],
) -> Course | None:
    """Return the course of the `periods` steps after `values`; None where nobody ever came. Raises TooShort."""
    check_length(values, step)
    lead = _lead(values, NEEDED[step])
    values, first = values[lead:], first + lead * (DAY if step == "day" else HOUR)
    scale = Scale.of(values)
    if not scale.mean:
        return None
    cycle = CYCLES[step]
    off = holiday_steps(first, step, len(values) + periods, holidays)
    if 2 * _known(without(values, off)) < _known(values):  # where most days are holidays, none is
        off = [False] * len(off)
    scaled = [None if value is None else scale.up(value) for value in values]
    usual = without(scaled, off)
    past = tried(usual, cycle, periods)
    path = past.paths[-1]
    coming = off[len(values) :]
    if any(coming):
        effect = effects(scaled, expected_then(past.level, past.pattern, off), off, cycle.day)
        here = len(values)
        path = [value + effect[(here + at) % cycle.day] if coming[at] else value for at, value in enumerate(path)]
    width = widths(past, usual, cycle, share, periods)
    return Course(scale, past, without(values, off), path, width, trend_of(without(values, off), cycle.day))


def check_length(values: Sequence[float | None], step: Step) -> None:
    """Raise TooShort where too little was measured."""
    there = _known(values)
    if there < NEEDED[step]:
        raise TooShort(NEEDED[step], there)


def _known(values: Sequence[float | None]) -> int:
    return sum(value is not None for value in values)


def _lead(values: Sequence[float | None], needed: int) -> int:
    """Return how many values at the start say nothing: those before the first visit, if enough are left."""
    there = next(at for at, value in enumerate(values) if value is not None)
    visited = next((at for at, value in enumerate(values) if value), there)
    return visited if _known(values[visited:]) >= needed else there
