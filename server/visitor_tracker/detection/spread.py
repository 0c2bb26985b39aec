"""How much counts vary around what was expected of them, learned from how they did."""

from collections import deque

from visitor_tracker.detection.tails import depth

_BEFOREHAND = 0.05  # a site nothing is known of varies by 22 % beside chance
_BEFOREHAND_WEIGHT = 4.0  # steps that this counts for
_LEAST = 0.0009  # nothing is more regular than 3 %
_CLIP = 9.0  # squared deviations count up to so many times what is usual
_TAIL, _TAIL_DEPTH = 0.97, 2.17  # a share of all depths, and where the normal distribution has it
_WIDEST = 2.0


class Spread:
    """Learns the over-dispersion of counts, and whether their tails are heavier than it explains."""

    def __init__(self, remembered: int) -> None:
        """Forget half of what was learned after half of `remembered` steps."""
        self.over = _BEFOREHAND
        self.widening = 1.0
        self._fade = 0.5 ** (2 / remembered)
        self._sum = _BEFOREHAND * _BEFOREHAND_WEIGHT
        self._weight = _BEFOREHAND_WEIGHT
        self._depths: deque[float] = deque(maxlen=remembered)

    def learn(self, value: float, mean: float) -> None:
        """See a count that was expected to be `mean`."""
        if mean <= 0:
            return
        self._depths.append(abs(depth(value, mean, self.over)))
        variance = mean + self.over * mean * mean
        share = self.over * mean / (1 + self.over * mean)  # of the variance that is no chance: little of small counts
        weight = share * share
        squared = min((value - mean) ** 2, _CLIP * variance)
        self._sum = self._sum * self._fade + weight * (squared - mean) / (mean * mean)
        self._weight = self._weight * self._fade + weight
        self.over = max(_LEAST, self._sum / self._weight)

    def settle(self) -> None:
        """Look at the tails; now and then is enough."""
        if len(self._depths) >= 14:
            ordered = sorted(self._depths)
            at = ordered[int(_TAIL * (len(ordered) - 1))]
            self.widening = min(_WIDEST, max(1.0, at / _TAIL_DEPTH))
