"""Depths against the true tails of the negative binomial distribution."""

from math import exp, lgamma, log
from statistics import NormalDist

import pytest

from visitor_tracker.detection.tails import band, depth


def _chance(count: int, mean: float, over: float) -> float:
    if not over:
        return exp(count * log(mean) - mean - lgamma(count + 1))
    size = 1 / over
    part = lgamma(count + size) - lgamma(count + 1) - lgamma(size)
    return exp(part + size * log(size / (size + mean)) + count * log(mean / (size + mean)))


def _true_depth(count: int, mean: float, over: float) -> float:
    """Return the depth of so many or more, or of so many or fewer."""
    if count > mean:
        return -NormalDist().inv_cdf(sum(_chance(one, mean, over) for one in range(count, count + 4000)))
    return NormalDist().inv_cdf(sum(_chance(one, mean, over) for one in range(count + 1)))


@pytest.mark.parametrize(
    ("count", "mean", "over"),
    [
        (10, 3, 0.0), (6, 3, 0.0), (0, 10, 0.0), (2, 10, 0.05), (25, 10, 0.05), (900, 500, 0.04), (250, 500, 0.04),
        (1, 0.1, 0.0), (3, 0.2, 0.2), (60, 100, 0.01),
    ],
)  # fmt: skip
def test_depth_is_that_of_the_true_tail(count: int, mean: float, over: float) -> None:
    assert depth(count, mean, over) == pytest.approx(_true_depth(count, mean, over), abs=0.15)


@pytest.mark.parametrize("mean", [0.0, 0.5, 12.0, 800.0, 1e7])
@pytest.mark.parametrize("over", [0.0009, 0.05, 0.8])
def test_a_band_ends_where_depth_says(mean: float, over: float) -> None:
    low, high = band(mean, over, 3.5)
    assert 0 <= low <= mean <= high
    assert depth(low, mean, over) >= -3.5001
    assert depth(high, mean, over) <= 3.5001
    assert depth(high * 1.01 + 1, mean, over) > 3.5
    assert low == 0 or depth(low * 0.99 - 0.01, mean, over) < -3.5


def test_nothing_is_unlikely_where_nothing_was_expected_and_nothing_came() -> None:
    assert depth(0, 0, 0.05) == 0
    assert depth(1, 0, 0.05) > 2
    assert depth(3, 0, 0.05) > 4
