"""What is said of the level of a series without its pattern: several plain methods, run over the past in one go.

Each method answers at each of the asked steps with a level and a change per step, and how fast the change fades.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

_CLIP = 3.0  # of the usual distance: what lies further off moves a level no more than this
_QUIET = 0.03  # the usual distance, at least: a long calm does not make every change an outlier
_GAIN, _LEVEL_GAIN = 0.08, 0.25  # how fast the usual distance, and the level it is measured from, are learned
_START = 28  # values that tell the usual distance and, the first half of them, the level to begin with
_LINE = 14  # values through which a line is drawn, at least


@dataclass(frozen=True, slots=True)
class Level:
    """A level and its change per step, which fades by the factor `damping` each step."""

    at: float
    change: float = 0.0
    damping: float = 1.0


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Exponential smoothing, with a trend when `trend` is above 0."""

    gain: float
    trend: float = 0.0
    damping: float = 1.0


def cleaned(values: Sequence[float | None]) -> list[float | None]:
    """Pull what lies far off the smoothed level towards it; a level that stays off is believed after some steps."""
    found: list[float | None] = []
    known = [value for value in values if value is not None][:_START]
    level = median(known[: _START // 2])
    usual = median(abs(value - level) for value in known)
    for value in values:
        if value is None:
            found.append(None)
            continue
        off = value - level
        bound = _CLIP * max(usual, _QUIET)
        usual += _GAIN * (min(abs(off), 2 * bound) - usual)
        off = max(-bound, min(bound, off))
        found.append(level + off)
        level += _LEVEL_GAIN * off
    return found


def smoothed(values: Sequence[float | None], how: Smoothing, at: Sequence[int]) -> list[Level]:
    """Run exponential smoothing; the first values weigh alike, so that the start does not depend on one of them."""
    asked, found = set(at), []
    level = slope = 0.0
    seen = 0
    for here, value in enumerate(values, 1):
        level += slope
        if value is not None:
            seen += 1
            off = value - level
            level += max(how.gain, 1 / seen) * off
            if how.trend and seen > 7:
                slope = slope * how.damping + how.gain * how.trend * off
        else:
            slope *= how.damping
        if here in asked:
            found.append(Level(level, slope, how.damping))
    return found


def medians(values: Sequence[float | None], window: int, at: Sequence[int]) -> list[Level]:
    """Return the median of the last `window` values."""
    found = []
    for here in at:
        last = [value for value in values[max(0, here - window) : here] if value is not None]
        found.append(Level(median(last) if last else 0.0))
    return found


def drifts(values: Sequence[float | None], gain: float, window: int, at: Sequence[int]) -> list[Level]:
    """Theta: half the slope of a line through the last `window` values, from the smoothed level."""
    slope = _Slopes(values)
    levels = smoothed(values, Smoothing(gain), at)
    return [
        Level(level.at, slope.between(max(0, here - window), here) / 2) for here, level in zip(at, levels, strict=True)
    ]


class _Slopes:
    """Slopes of lines through any stretch of values, from sums up to each of them."""

    def __init__(self, values: Sequence[float | None]) -> None:
        known = [(0.0, 0, 0, 0.0, 0.0)]
        known += [
            (1.0, at, at * at, value, at * value) if value is not None else known[0] for at, value in enumerate(values)
        ]
        self._sums = [list(accumulate(column)) for column in zip(*known, strict=True)]

    def between(self, start: int, end: int) -> float:
        count, places, squares, total, moments = (sums[end] - sums[start] for sums in self._sums)
        if count < _LINE:
            return 0.0
        rise: float = (moments - places * total / count) / (squares - places * places / count)
        return rise
