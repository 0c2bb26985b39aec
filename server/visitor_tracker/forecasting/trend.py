"""Whether the level rises or falls, and how fast: Theil and Sen's slope, if Mann and Kendall's test believes it."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

_DAYS = 28  # looked at
_SURE = 2.6  # standard deviations: levels of neighbouring days are alike, so more than the usual two
_NOISE = 1e-9  # of sums of floats
_LEAST = 0.05  # change over the days looked at, on the scale: less is called stable


class Trend(msgspec.Struct, frozen=True):
    """`change` is on the scale of the level, per step."""

    name: Literal["increasing", "decreasing", "stable"]
    change: float


def trend_of(level: Sequence[float | None], day: int) -> Trend:
    """Judge the last four weeks of a level whose steps are `day` to a day."""
    days = [(at, value) for at, value in enumerate(_daily(level[-_DAYS * day :], day)) if value is not None]
    pairs = [
        (later - sooner, then - now) for number, (sooner, now) in enumerate(days) for later, then in days[number + 1 :]
    ]
    if not pairs:
        return Trend("stable", 0.0)
    change = median(rise / apart for apart, rise in pairs)
    sign = sum((rise > 0) - (rise < 0) for _, rise in pairs)
    count = len(days)
    sure = abs(sign) > _SURE * (count * (count - 1) * (2 * count + 5) / 18) ** 0.5
    if abs(change) < _NOISE:
        change = 0.0
    if not sure or abs(change) * (days[-1][0] - days[0][0]) < _LEAST:
        return Trend("stable", change / day)
    return Trend("increasing" if change > 0 else "decreasing", change / day)


def _daily(level: Sequence[float | None], day: int) -> list[float | None]:
    """Return the mean level of each day, counted back from the newest step."""
    means: list[float | None] = []
    for end in range(len(level), 0, -day):
        known = [value for value in level[max(0, end - day) : end] if value is not None]
        means.append(sum(known) / len(known) if known else None)
    return means[::-1]
