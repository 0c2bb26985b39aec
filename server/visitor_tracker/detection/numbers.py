"""Find what is unusual in numbers that are no counts and have no week, such as load times, shares or temperatures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MEMORY = 2000  # steps over which what is usual is learned
_CLIP = 3.0  # deviations; what is more counts so much
_QUIET = 100  # steps after an alarm in which there is no other
# How many steps count for the last mean, and how many deviations of it are an alarm. These and the two figures around
# them are settled on every second file of the Numenta Anomaly Benchmark, see bench/anomaly.py.
_LOOKS = ((20, 2.5), (5, 6.0))
_NEW = 0.1  # of all that was seen between the least and the most: what is so far outside is an alarm


@dataclass(slots=True)
class _Look:
    """A mean of the last steps beside the mean of many, and how far they are from each other as a rule."""

    steps: int
    deep: float
    recent: float
    usual: float
    squared: float = 0.0
    count: int = 0

    def see(self, value: float, learning: int) -> bool:
        """Take the next value; return whether the last ones are unusual."""
        self.recent += (value - self.recent) / self.steps
        distance = self.recent - self.usual
        room = math.sqrt(self.squared)
        least = 1e-9 * abs(self.usual) + 1e-12  # rounding is no change
        is_unusual = abs(distance) > self.deep * max(room, least)
        self.count += 1
        weight = max(1 / self.count, 1 / _MEMORY)
        change = value - self.usual
        if self.count > learning:
            distance = max(-_CLIP * room, min(_CLIP * room, distance))
            change = max(-_CLIP * room, min(_CLIP * room, change))
        self.usual += weight * change
        self.squared += weight * (distance * distance - self.squared)
        return is_unusual


def unusual(values: Sequence[float], learning: int = 300) -> list[int]:
    """Return the steps at which an anomaly is noticed, none of the first `learning`; the values up to it say so."""
    if not values:
        return []
    looks = [_Look(steps, deep, values[0], values[0]) for steps, deep in _LOOKS]
    least = most = values[0]
    found: list[int] = []
    for index, value in enumerate(values):
        outside = max(value - most, least - value)
        is_new = outside >= _NEW * (most - least) and outside > 0
        least, most = min(least, value), max(most, value)
        is_unusual = any([look.see(value, learning) for look in looks])  # all of them have to see it
        is_quiet = bool(found) and index - found[-1] <= _QUIET
        if (is_new or is_unusual) and index >= learning and not is_quiet:
            found.append(index)
    return found
