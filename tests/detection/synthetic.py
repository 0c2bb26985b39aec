"""Visits of invented sites, hour by hour: a week's shape, growth, days and hours that vary, and chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from random import Random

FIRST = datetime(2025, 3, 3)  # a Monday
_HOURS = (3, 2, 2, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 11, 11, 10, 9, 9, 9, 9, 8, 7, 6, 4)
_HOURS_MEAN = sum(_HOURS) / 24
_KEPT = 0.5  # of how a day differs, the next one has
_SURE = 60.0  # from this mean on chance is as good as normal


@dataclass(frozen=True, slots=True)
class Site:
    """What its traffic is like; `day_noise` and `hour_noise` are standard deviations of logarithms."""

    per_day: float
    weekend: float = 0.6
    growth: float = 0.0  # a week
    day_noise: float = 0.10
    hour_noise: float = 0.12


def hours(
    site: Site, days: int, seed: int, planted: Mapping[tuple[int, int], float] | None = None
) -> list[float | None]:
    """Return visits an hour; `planted` says what hours, from and before, are so many times as busy as they were."""
    random = Random(f"{seed} {site}")
    factor = [1.0] * (24 * days)
    for (begin, end), times in (planted or {}).items():
        factor[begin:end] = [times] * (end - begin)
    day_mood, counts = 0.0, list[float | None]()
    for day in range(days):
        day_mood = _KEPT * day_mood + (1 - _KEPT**2) ** 0.5 * random.gauss(0, site.day_noise)
        level = site.per_day / 24 * exp(day_mood) * (1 + site.growth) ** (day / 7)
        level *= site.weekend if (FIRST + timedelta(day)).weekday() >= 5 else 1.0
        for hour in range(24):
            mean = level * _HOURS[hour] / _HOURS_MEAN * exp(random.gauss(0, site.hour_noise)) * factor[24 * day + hour]
            counts.append(_chance(random, mean))
    return counts


def by_day(counts: Sequence[float | None]) -> list[float | None]:
    """Return the sums of 24 hours each."""
    return [sum(count or 0.0 for count in counts[begin : begin + 24]) for begin in range(0, len(counts), 24)]


def _chance(random: Random, mean: float) -> float:
    if mean > _SURE:
        return float(max(0, round(random.gauss(mean, mean**0.5))))
    chance = exp(-mean)
    left, count = random.random() - chance, 0
    while left > 0 and count < 10 * _SURE:
        count += 1
        chance *= mean / count
        left -= chance
    return float(count)
