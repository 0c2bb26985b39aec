"""Several plain methods, asked at many steps of the past and weighed by how near each came to what then happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from operator import add, sub
from statistics import median

from visitor_tracker.forecasting.calendar import Cycle
from visitor_tracker.forecasting.levels import Level, Smoothing, cleaned, drifts, medians, smoothed
from visitor_tracker.forecasting.pattern import patterns
from visitor_tracker.forecasting.yearly import Years

_SMALL = 1e-9  # keeps weights apart from a division by zero: without any error all are alike
_YEAR_WIDTHS = (0, 5, 14)  # days each side

Path = list[float]


@dataclass(frozen=True, slots=True)
class Tried:
    """What was foretold after each of the `origins`, which are numbers of known values; the last one is now."""

    origins: list[int]
    paths: list[Path]
    level: list[float | None]  # of each step, without its pattern and what lay far off
    pattern: list[float]  # by step of the week, as it is now


def origins_of(count: int, cycle: Cycle) -> list[int]:
    """Return after how many values a forecast is tried: spread over the past, the newest last, then now."""
    least = max(1, min(5 * cycle.week, count // 2))
    stride = max(1, -(-(count - least) // cycle.origins))
    while gcd(stride, cycle.week) > 1:  # not always the same weekday or hour
        stride += 1
    return [*reversed(range(count - 1, least - 1, -stride)), count]


def tried(values: Sequence[float | None], cycle: Cycle, reach: int) -> Tried:
    """Foretell `reach` steps at each origin, as all methods together say."""
    origins = origins_of(len(values), cycle)
    found = patterns(values, cycle, origins)
    level = cleaned(found.level)
    season = [_season(found.known[here], here, reach) for here in origins]
    methods = _methods(level, cycle, origins, season)
    methods.append([_same(values, here, cycle.week, shape) for here, shape in zip(origins, season, strict=True)])
    spans = [(0, min(7 * cycle.day if cycle.day == 1 else cycle.day, reach))]
    spans.append((spans[0][1], reach))
    weights = [_weights(_errors(methods, values, origins, span), cycle.power) for span in spans]
    paths = []
    for at in range(len(origins)):
        path: Path = []
        for span, shares in zip(spans, weights, strict=True):
            path += _mixed([method[at][span[0] : span[1]] for method in methods], shares)
        paths.append(path)
    return Tried(origins, paths, level, found.known[origins[-1]])


def _methods(
    level: Sequence[float | None], cycle: Cycle, at: Sequence[int], season: Sequence[Path]
) -> list[list[Path]]:
    """Return a path by method and origin."""
    per_day = cycle.day**0.5
    levels = [
        smoothed(level, Smoothing(0.7 / per_day), at),
        smoothed(level, Smoothing(0.3 / per_day), at),
        smoothed(level, Smoothing(0.1 / per_day), at),
        smoothed(level, Smoothing(0.3 / per_day, 0.1, 0.93 if cycle.day == 1 else 0.98), at),
        drifts(level, 0.3 / per_day, 90 * cycle.day, at),
        medians(level, 28 * cycle.day, at),
        medians(level, 7 * cycle.day, at),
    ]
    paths = [[_path(one, shape) for one, shape in zip(method, season, strict=True)] for method in levels]
    return paths + (_yearly(level, at, season) if cycle.day == 1 else [])


def _yearly(level: Sequence[float | None], at: Sequence[int], season: Sequence[Path]) -> list[list[Path]]:
    years = Years(level)
    if not years.is_known:
        return []
    found = []
    for width in _YEAR_WIDTHS:
        moved = [years.path(here, width, len(shape)) for here, shape in zip(at, season, strict=True)]
        found.append([list(map(add, path, shape)) for path, shape in zip(moved, season, strict=True)])
    return found


def _season(known: Sequence[float], here: int, reach: int) -> Path:
    start = here % len(known)
    turned = [*known[start:], *known[:start]]
    return (turned * (reach // len(turned) + 1))[:reach]


def _path(level: Level, shape: Path) -> Path:
    if not level.change:
        return list(map(level.at.__add__, shape))
    path, here, change = [], level.at, level.change
    for season in shape:
        change *= level.damping
        here += change
        path.append(here + season)
    return path


def _same(values: Sequence[float | None], here: int, week: int, shape: Path) -> Path:
    """Return the medians of the same steps of the last four weeks."""
    cycle = []
    for step in range(min(week, len(shape))):
        last = values[max(here + step - 4 * week, (here + step) % week) : here : week]
        there = [value for value in last if value is not None]
        cycle.append(median(there) if there else None)
    usual = median([value for value in values[max(0, here - week) : here] if value is not None] or [0.0])
    filled = [usual + shape[step] if value is None else value for step, value in enumerate(cycle)]
    return (filled * (len(shape) // len(filled) + 1))[: len(shape)]


def _errors(
    methods: Sequence[Sequence[Path]], values: Sequence[float | None], origins: Sequence[int], span: tuple[int, int]
) -> list[float]:
    """Return the sum of each method's errors over the steps of `span` ahead of every origin but now."""
    errors = [0.0] * len(methods)
    for at, here in enumerate(origins[:-1]):
        actual = values[here + span[0] : here + span[1]]
        steps = [step for step, value in enumerate(actual) if value is not None]
        known = [value for value in actual if value is not None]
        for number, method in enumerate(methods):
            path = method[at][span[0] : span[0] + len(actual)]
            if len(known) < len(actual):
                path = [path[step] for step in steps]
            errors[number] += sum(map(abs, map(sub, path, known)))
    return errors


def _weights(errors: Sequence[float], power: int) -> list[float]:
    """Weigh by the inverse error: those that came near count, and of two alike each half."""
    least = min(errors)
    weights: list[float] = [((least + _SMALL) / (error + _SMALL)) ** power for error in errors]
    total = sum(weights)
    return [weight / total for weight in weights]


def _mixed(paths: Sequence[Path], shares: Sequence[float]) -> Path:
    mixed = [0.0] * len(paths[0])
    for path, share in zip(paths, shares, strict=True):
        if share > 0.005:
            mixed = list(map(add, mixed, map(share.__mul__, path)))
    kept = sum(share for share in shares if share > 0.005)
    return [value / kept for value in mixed]
