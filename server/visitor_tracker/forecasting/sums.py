"""Weeks and months as sums of days, with bands that know how much the days of one are wrong together.

If days erred each for itself, their errors would cancel out; if all erred alike, the band of a sum would be the sum of
bands. How it is between the two, the past tells: sums that were foretold there, and what they came to.
"""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from math import ceil

from visitor_tracker.forecasting.course import Bounds, Course

_ALIKE = 10.0  # sums of the past, as many days long, that speak for all days erring alike
_SOON = 28  # days ahead within which the past is believed a little too well


def sums_of(course: Course, lengths: Sequence[int], share: float) -> list[tuple[float, float, float]]:
    """Return for each sum what is expected, and the bounds that hold `share` of what will happen."""
    tries = [
        (here, course.bounds(path)) for here, path in zip(course.past.origins[:-1], course.past.paths, strict=False)
    ]

    @cache
    def part_of(length: int) -> float:
        return _part(course, tries, length, share)

    coming = course.bounds(course.path)
    found = []
    for start, length in zip(accumulate(lengths, initial=0), lengths, strict=False):
        expected, low, high = _sums(coming, start, length)
        part = min(1.0, part_of(length) * (1 + 1 / length if start < _SOON else 1.0))
        found.append((expected, expected - part * (expected - low), expected + part * (high - expected)))
    return found


def _part(course: Course, tries: Sequence[tuple[int, Bounds]], length: int, share: float) -> float:
    """Return which part of the sum of bands held `share` of the past sums of so many days."""
    parts = []
    for here, bounds in tries:
        for start in range(0, len(bounds.expected) - length + 1, length):
            actual = course.usual[here + start : here + start + length]
            known = [value for value in actual if value is not None]
            if len(known) < length:
                continue
            expected, low, high = _sums(bounds, start, length)
            off = sum(known) - expected
            room = high - expected if off > 0 else expected - low
            parts.append(abs(off) / room if room else 0.0)
    if not parts:
        return 1.0
    parts.sort()
    own = parts[min(len(parts), ceil((len(parts) + 1) * share)) - 1]
    return (len(parts) * own + _ALIKE) / (len(parts) + _ALIKE)


def _sums(bounds: Bounds, start: int, length: int) -> tuple[float, float, float]:
    end = start + length
    return sum(bounds.expected[start:end]), sum(bounds.low[start:end]), sum(bounds.high[start:end])
