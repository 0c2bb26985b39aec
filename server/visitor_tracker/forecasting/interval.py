"""How far off a forecast may be: as far as those of the past were, by steps ahead and by step of the day or week.

A quantile of past distances, as in conformal prediction, taken so much wider that the past, which chose the weights
of the methods, is not believed too well.
"""

from collections.abc import Sequence
from math import ceil

from visitor_tracker.forecasting.calendar import Cycle
from visitor_tracker.forecasting.ensemble import Tried

_FALL = 0.99  # the width may shrink from step to step by this much: a longer way ahead is hardly surer
_UNKNOWN = 1.0  # on the scale, nearly a factor of three: when no forecast could be tried
_PLACE_PRIOR = 5.0  # distances that a place of the day is believed to be as wide as the others


def widths(tried: Tried, values: Sequence[float | None], cycle: Cycle, share: float, reach: int) -> list[float]:
    """Return for each step ahead how far below and above the path the interval goes."""
    places = 7 if cycle.day == 1 else cycle.day
    distances = _distances(tried, values, reach)
    scales = _scales(distances, places)
    by_step: list[list[float]] = [[] for _ in range(reach)]
    for ahead, number, distance in distances:
        by_step[ahead].append(distance / scales[number % places])
    now = tried.origins[-1]
    return [
        _wider(now, step + 1, cycle.day) * bound * scales[(now + step) % places]
        for step, bound in zip(range(reach), _bounds(by_step, cycle, share), strict=False)
    ]


def _bounds(by_step: Sequence[Sequence[float]], cycle: Cycle, share: float) -> list[float]:
    """Return what `share` of the distances of each step ahead, and of the steps near it, lie within."""
    around, stride = (3, 1) if cycle.day == 1 else (cycle.day // 2, 6)
    before = 0.0 if any(by_step) else _UNKNOWN
    bounds: list[float] = []
    for step in range(0, len(by_step), stride):
        near = sorted(distance for steps in by_step[max(0, step - around) : step + around + 1] for distance in steps)
        if near:
            before = max(near[min(len(near), ceil((len(near) + 1) * share)) - 1], before * _FALL)
        bounds += [before] * stride
    return bounds


def _distances(tried: Tried, values: Sequence[float | None], reach: int) -> list[tuple[int, int, float]]:
    """Return steps ahead, number of the step and distance of everything foretold that has happened."""
    return [
        (step, here + step, abs(path[step] - value))
        for here, path in zip(tried.origins[:-1], tried.paths, strict=False)
        for step, value in enumerate(values[here : here + reach])
        if value is not None
    ]


def _scales(distances: Sequence[tuple[int, int, float]], places: int) -> list[float]:
    """Return how wide each place of the day or week is, where 1 is the mean of all."""
    sums, counts = [0.0] * places, [0] * places
    for _, number, distance in distances:
        sums[number % places] += distance
        counts[number % places] += 1
    mean = sum(sums) / max(1, sum(counts)) or 1.0
    return [
        (sum_ + _PLACE_PRIOR * mean) / (count + _PLACE_PRIOR) / mean for sum_, count in zip(sums, counts, strict=True)
    ]


def _wider(known: int, ahead: int, day: int) -> float:
    """Return how much further off than in the past the future is, `ahead` steps after `known` ones.

    The weights of the methods were chosen on the same past, a short one has seen few turns, and the longer ahead the
    fewer were tried. The figures are what the series that bench/forecast.py calls chosen needed.
    """
    if day > 1:
        return 0.91 + 0.1 * day / (day + ahead) + 0.9 * day / known
    return 0.83 + 15 / (known + 8) + min(ahead, 2 * known + 8) * (0.01 + 1.4 / (known + 6))
