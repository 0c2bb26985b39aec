"""The weekly pattern of a series as it was known at each step: how far a Monday, or a Monday's noon, lies off its week.

The pattern is learned from the distance of each value to the mean of the week around it, so that neither trend nor
level get into it. It is shrunk towards none while few weeks are known. Hours learn the hours of the day first, then
how each hour of the week differs from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from visitor_tracker.forecasting.calendar import Cycle

_GAIN = 0.06  # at least this much of each new week: patterns change


@dataclass(frozen=True, slots=True)
class Patterns:
    """What was left of each value without its pattern, and the pattern by place in the week as known at some steps."""

    level: list[float | None]
    known: dict[int, list[float]]


class Running:
    """Means by place, the newest counting more; each place owns a number of values seen."""

    __slots__ = ("_shrink", "means", "seen")

    def __init__(self, places: int, shrink: float) -> None:
        self._shrink = shrink
        self.means = [0.0] * places
        self.seen = [0] * places

    def learn(self, place: int, value: float) -> None:
        seen = self.seen[place] = self.seen[place] + 1
        gain = max(_GAIN, 1 / (seen + self._shrink))
        self.means[place] += gain * (value - self.means[place])


def patterns(values: Sequence[float | None], cycle: Cycle, at: Sequence[int]) -> Patterns:
    """Take the weekly pattern off the values; `at` are the numbers of values after which the pattern is asked for."""
    asked = set(at)
    around = _Around(values)
    day, week = Running(cycle.day, cycle.shrink), Running(cycle.week, cycle.shrink)
    level: list[float | None] = []
    known = {}
    for here, value in enumerate(values):
        places = here % cycle.day, here % cycle.week
        level.append(None if value is None else value - day.means[places[0]] - week.means[places[1]])
        if cycle.day > 1:
            middle, apart = around.apart(here, cycle.day)
            if apart is not None:
                day.learn(middle % cycle.day, apart)
        middle, apart = around.apart(here, cycle.week)
        if apart is not None:
            week.learn(middle % cycle.week, apart - day.means[middle % cycle.day])
        if here + 1 in asked:
            known[here + 1] = [mean + day.means[place % cycle.day] for place, mean in enumerate(week.means)]
    return Patterns(level, known)


class _Around:
    """How far a value lies from the mean of the cycle around it."""

    def __init__(self, values: Sequence[float | None]) -> None:
        self._values = values
        self._sums, self._counts = [0.0], [0]
        for value in values:
            self._sums.append(self._sums[-1] + (value or 0.0))
            self._counts.append(self._counts[-1] + (value is not None))

    def apart(self, newest: int, length: int) -> tuple[int, float | None]:
        """Return the middle of the cycle that ends at `newest` and its value less the cycle's mean."""
        start = newest + 1 - length
        middle = start + length // 2
        value = self._values[middle] if start >= 0 else None
        there = self._counts[newest + 1] - self._counts[max(start, 0)]
        if value is None or there * 2 < length:
            return middle, None
        return middle, value - (self._sums[newest + 1] - self._sums[start]) / there
