"""What holidays do to a series, learned from those of its past."""

from collections.abc import Sequence

_PRIOR = 0.5  # holidays without effect that are believed in beforehand
_HOUR_PRIOR = 1.0  # the whole day's effect counts as this many for each of its hours


def without(values: Sequence[float | None], are_holidays: Sequence[bool]) -> list[float | None]:
    """Leave holidays out: they say nothing of other days."""
    return [None if off else value for value, off in zip(values, are_holidays, strict=False)]


def expected_then(
    level: Sequence[float | None], pattern: Sequence[float], are_holidays: Sequence[bool]
) -> list[float | None]:
    """Return what was usual on the past holidays: the level of the week before and after, with the weekly pattern."""
    week = len(pattern)
    found: list[float | None] = [None] * len(level)
    for at in range(len(level)):
        if are_holidays[at]:
            around = [value for value in level[max(0, at - week) : at + week + 1] if value is not None]
            found[at] = sum(around) / len(around) + pattern[at % week] if around else None
    return found


def effects(
    values: Sequence[float | None], usual: Sequence[float | None], are_holidays: Sequence[bool], day: int
) -> list[float]:
    """Return by hour of the day (one, if steps are days) how far holidays lie from what was usual then."""
    sums, counts = [0.0] * day, [0] * day
    for at, (value, expected) in enumerate(zip(values, usual, strict=True)):
        if are_holidays[at] and value is not None and expected is not None:
            sums[at % day] += value - expected
            counts[at % day] += 1
    whole = sum(sums) / (sum(counts) + _PRIOR * day)
    if day == 1:
        return [whole]
    return [(sum_ + _HOUR_PRIOR * whole) / (count + _HOUR_PRIOR) for sum_, count in zip(sums, counts, strict=True)]
