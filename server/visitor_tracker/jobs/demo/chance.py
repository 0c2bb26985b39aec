"""Chances that depend on a seed alone: the same seed and name make the same numbers on every machine."""

from collections.abc import Iterable
from itertools import accumulate
from math import exp, log
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


def chances(seed: int, *names: object) -> Random:
    """Return the chances of that name; a text as seed goes through SHA-512, not through hash()."""
    return Random("/".join(map(str, (seed, *names))))


class Weighted(Generic[T]):
    """Things of which some are picked more often than others."""

    __slots__ = ("_cumulated", "_things")

    def __init__(self, things: Iterable[tuple[T, float]]) -> None:
        given = list(things)
        self._things = [thing for thing, _ in given]
        self._cumulated = list(accumulate(weight for _, weight in given))

    def pick(self, chance: Random) -> T:
        return chance.choices(self._things, cum_weights=self._cumulated)[0]

    def picks(self, chance: Random, number: int) -> list[T]:
        return chance.choices(self._things, cum_weights=self._cumulated, k=number)


def around(chance: Random, median: float, spread: float) -> float:
    """Return a number that is as likely below the median as above it, seldom far above (log-normal)."""
    return exp(chance.gauss(log(median), spread))


def about(chance: Random, mean: float) -> int:
    """Return how many of many unlikely things happen when `mean` are expected."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    count, passed = -1, 0.0
    while passed < mean:
        passed += chance.expovariate(1.0)
        count += 1
    return max(0, count)
