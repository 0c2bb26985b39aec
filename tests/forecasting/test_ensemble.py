"""What is tried on the past knows only what was known then."""

from math import log
from random import Random

import pytest

from visitor_tracker.forecasting.calendar import CYCLES, Step
from visitor_tracker.forecasting.ensemble import origins_of
from visitor_tracker.forecasting.levels import Smoothing, cleaned, drifts, medians, smoothed
from visitor_tracker.forecasting.pattern import patterns
from visitor_tracker.forecasting.yearly import Years


def series(count: int, seed: int) -> list[float | None]:
    drawn = Random(seed)
    return [None if drawn.random() < 0.05 else log(10 + at % 7 + drawn.random()) for at in range(count)]


@pytest.mark.parametrize("step", ["day", "hour"])
@pytest.mark.parametrize("count", [3, 24, 100, 401, 1440])
def test_origins_are_spread_over_places_of_the_week(step: Step, count: int) -> None:
    cycle = CYCLES[step]
    origins = origins_of(count, cycle)
    assert origins == sorted(set(origins))
    assert 1 <= origins[0] < count == origins[-1]
    assert len(origins) <= cycle.origins + 2
    assert len({origin % cycle.week for origin in origins}) >= min(7, len(origins) - 1)


@pytest.mark.parametrize("step", ["day", "hour"])
def test_patterns_levels_and_years_know_only_the_past(step: Step) -> None:
    cycle = CYCLES[step]
    past, future = series(800, 1), [value and value * 3 for value in series(100, 2)]
    at = [500, 777, 800]
    alone, together = patterns(past, cycle, at), patterns([*past, *future], cycle, at)
    assert together.known == alone.known
    assert together.level[:800] == alone.level
    level, longer = cleaned(alone.level), cleaned(together.level)
    assert longer[:800] == level
    for how in (Smoothing(0.3), Smoothing(0.3, 0.1, 0.93)):
        assert smoothed(longer, how, at) == smoothed(level, how, at)
    assert medians(longer, 28, at) == medians(level, 28, at)
    assert drifts(longer, 0.3, 90, at) == drifts(level, 0.3, 90, at)
    assert [Years(longer).path(here, 14, 28) for here in at] == [Years(level).path(here, 14, 28) for here in at]


def test_an_outlier_is_pulled_in_and_a_new_level_is_believed() -> None:
    calm = [0.0, 0.1, -0.1, 0.05] * 15
    found = cleaned([*calm, 5.0, *calm])
    assert 0 < (found[60] or 0) < 1
    shifted = cleaned([*calm, *[2.0] * 20])
    assert shifted[-1] == pytest.approx(2.0)


def test_a_long_calm_does_not_hide_a_launch() -> None:
    assert cleaned([*[0.0] * 60, *[3.0] * 20])[-1] == pytest.approx(3.0)


def test_theta_takes_half_the_slope() -> None:
    line: list[float | None] = [0.5 * at for at in range(60)]
    (level,) = drifts(line, 0.3, 30, [60])
    assert level.change == pytest.approx(0.25)
    line[40:45] = [None] * 5
    assert drifts(line, 0.3, 30, [60])[0].change == pytest.approx(0.25)


def test_the_pattern_is_shrunk_while_few_weeks_are_known() -> None:
    week = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0]
    known = patterns(week * 20, CYCLES["day"], [14, 28, 140]).known
    first, second, last = (known[at][0] for at in (14, 28, 140))
    assert 0 < first < second < last == pytest.approx(1.0, abs=0.06)
