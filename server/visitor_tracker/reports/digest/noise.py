"""Whether a number changed by more than it does anyway."""

from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt
from statistics import median
from typing import Literal

Usual = Literal["usual", "more", "less", "unknown"]

_CHANGES_LEAST = 4  # from which it can be told how much changes are usual
_DEVIATIONS = 2.0
_MAD = 1.4826  # times the median deviation of normal numbers is their standard deviation


def unlike_usual(now: float, earlier: Sequence[float]) -> Usual:
    """Compare with the newest of the earlier numbers, and that change with how they changed among themselves.

    Counted numbers have chance in them besides, the more the smaller they are: a change within it is usual, too.
    """
    if len(earlier) <= _CHANGES_LEAST:
        return "unknown"
    changes = [_change(*pair) for pair in pairwise(earlier)]
    change = _change(now, earlier[0])
    among_themselves = _MAD * median(abs(each) for each in changes)
    chance = sqrt(1 / (now + 1) + 1 / (earlier[0] + 1))
    if abs(change) <= _DEVIATIONS * max(among_themselves, chance):
        return "usual"
    return "more" if change > 0 else "less"


def is_beyond_chance(now: float, expected: float, *, deviations: float) -> bool:
    """Say whether counts are so far from each other as chance hardly makes them."""
    return abs(now - expected) > deviations * sqrt(now + expected + 1)


def _change(now: float, before: float) -> float:
    return log((now + 1) / (before + 1))
