"""How unlikely a count is, when so many were expected: tails of the negative binomial distribution.

A count of mean `mean` varies by `mean + over * mean²`: chance alone (Poisson) when `over` is 0, and by some part of the
mean besides for large counts, √over of it. Depths are in standard deviations of the normal distribution of equal
probability, positive for more than expected.
"""

_LEAST_MEAN = 1e-3  # nothing is expected so surely that one would be an impossibility
_STEPS = 40  # halvings, after which a count is found to a millionth


def depth(value: float, mean: float, over: float) -> float:
    """Return how deep in the tail a count is; 0 where it is nothing unlikely."""
    if value > mean:
        return max(0.0, _at_least(value, mean, over))
    return min(0.0, _at_least(value + 1, mean, over))


def band(mean: float, over: float, deep: float) -> tuple[float, float]:
    """Return the counts between which nothing is deeper than `deep`."""
    low, high = 0.0, mean
    if _at_least(1.0, mean, over) < -deep:  # else even nothing at all is usual
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if _at_least(middle + 1, mean, over) < -deep else (low, middle)
    return low, _upper(mean, over, deep)


def _upper(mean: float, over: float, deep: float) -> float:
    low = mean
    high = 2 * mean + 10.0
    while _at_least(high, mean, over) < deep and high < 1e6 * (mean + 1):
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_least(middle, mean, over) < deep else (low, middle)
    return high


def _at_least(value: float, mean: float, over: float) -> float:
    """Return the depth of so many or more.

    P(Y ≥ y) of the negative binomial is that of an F(2y, 2/over) below mean/y, which Paulson's cube root makes normal
    (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, 27.5).
    """
    mean = max(mean, _LEAST_MEAN)
    root = (mean / value) ** (1 / 3)
    own, other = 1 / (9 * value), over / 9
    return float((1 - own - (1 - other) * root) / (other * root * root + own) ** 0.5)
