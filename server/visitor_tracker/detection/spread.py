"""How much counts vary around what was expected of them, learned from how they did.

Visits come one by one, views in lumps: who comes at night and reads twelve pages makes twelve views where one is usual.
So chance is that of lumps, whose size the quiet steps tell: what varies there is nearly chance alone.
"""

from collections import deque

from visitor_tracker.detection.tails import depth

_BEFOREHAND = 0.05  # a site nothing is known of varies by 22 % beside chance
_BEFOREHAND_WEIGHT = 4.0  # steps that this counts for
_LEAST = 0.0009  # nothing is more regular than 3 %
_CLIP = 9.0  # squared deviations count up to so many times what is usual
_TAIL, _TAIL_DEPTH = 0.97, 2.17  # a share of all depths, and where the normal distribution has it
_WIDEST = 2.0
_QUIET = 8.0  # expected at most, where the variation tells of the size of lumps
_SINGLE = 60.0  # so many counts speak for lumps of one beforehand
_LUMP_CLIP = 400.0  # squared deviations of quiet steps count up to so many times what chance makes of single ones


class Spread:
    """Learns the over-dispersion of counts, and whether their tails are heavier than it explains."""

    def __init__(self, remembered: int) -> None:
        """Forget half of what was learned after half of `remembered` steps."""
        self.over = _BEFOREHAND
        self.lump = 1.0
        self.widening = 1.0
        self._fade = 0.5 ** (2 / remembered)
        self._sum = _BEFOREHAND * _BEFOREHAND_WEIGHT
        self._weight = _BEFOREHAND_WEIGHT
        self._lumps = self._counts = _SINGLE
        self._depths: deque[float] = deque(maxlen=remembered)

    def learn(self, value: float, mean: float) -> None:
        """See a count that was expected to be `mean`."""
        if mean <= 0:
            return
        self._depths.append(abs(depth(value / self.lump, mean / self.lump, self.over)))
        if mean <= _QUIET:
            self._learn_lump(value, mean)
        variance = self.lump * mean + self.over * mean * mean
        share = self.over * mean / (self.lump + self.over * mean)  # of the variance that is no chance: little of few
        weight = share * share
        squared = min((value - mean) ** 2, _CLIP * variance)
        self._sum = self._sum * self._fade + weight * (squared - self.lump * mean) / (mean * mean)
        self._weight = self._weight * self._fade + weight
        self.over = max(_LEAST, self._sum / self._weight)

    def _learn_lump(self, value: float, mean: float) -> None:
        squared = min((value - mean) ** 2, _LUMP_CLIP * mean) - self.over * mean * mean
        self._lumps = self._lumps * self._fade + squared
        self._counts = self._counts * self._fade + mean
        self.lump = max(1.0, (self._lumps + _SINGLE) / (self._counts + _SINGLE))

    def settle(self) -> None:
        """Look at the tails; now and then is enough."""
        if len(self._depths) >= 14:
            ordered = sorted(self._depths)
            at = ordered[int(_TAIL * (len(ordered) - 1))]
            self.widening = min(_WIDEST, max(1.0, at / _TAIL_DEPTH))
