"""Whether numbers rise or fall, and how fast: Theil and Sen's slope, if Kendall's test for seasons believes it.

Only days with the same weekday are compared, so that no weekly pattern can look like a trend.
"""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

_DAYS = 35  # looked at
_SURE = 2.6  # standard deviations: neighbouring weeks are alike, so more than the usual two
_LEAST = 0.05  # change over the days looked at, as a share of the median: less is called stable


class Trend(msgspec.Struct, frozen=True):
    """`slope` is the change of the values per step."""

    name: Literal["increasing", "decreasing", "stable"]
    slope: float


def trend_of(values: Sequence[float | None], day: int) -> Trend:
    """Judge the last five weeks of values whose steps are `day` to a day."""
    days = _daily(values[-_DAYS * day :], day)
    pairs = _weeks_apart(days)
    if not pairs:
        return Trend("stable", 0.0)
    slope = median((then - now) / (7 * weeks) for now, then, weeks in pairs)
    usual = median(value for value in days if value is not None)
    sign = sum((then > now) - (then < now) for now, then, _ in pairs)
    if abs(sign) <= _SURE * _deviation(days) or abs(slope) * len(days) < _LEAST * usual:
        return Trend("stable", slope / day)
    return Trend("increasing" if slope > 0 else "decreasing", slope / day)


def _weeks_apart(days: Sequence[float | None]) -> list[tuple[float, float, int]]:
    """Return the values of all pairs of days that are whole weeks apart, and how many weeks."""
    return [
        (now, then, weeks)
        for weeks in range(1, (len(days) + 6) // 7)
        for now, then in zip(days, days[7 * weeks :], strict=False)
        if now is not None and then is not None
    ]


def _deviation(days: Sequence[float | None]) -> float:
    """Return the standard deviation that the sum of signs has without a trend, which is the sum over weekdays."""
    counts = [sum(value is not None for value in days[weekday::7]) for weekday in range(7)]
    return float(sum(count * (count - 1) * (2 * count + 5) / 18 for count in counts) ** 0.5)


def _daily(values: Sequence[float | None], day: int) -> list[float | None]:
    """Return the mean of each day, counted back from the newest step."""
    means: list[float | None] = []
    for end in range(len(values), 0, -day):
        known = [value for value in values[max(0, end - day) : end] if value is not None]
        means.append(sum(value / len(known) for value in known) if known else None)
    return means[::-1]
