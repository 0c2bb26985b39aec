"""The scale on which visits are foretold: nearly the logarithm, as traffic moves by factors, and calm near zero.

Where few come, chance moves their number by steps of one and not by factors: there the scale is nearly linear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Self

_OFFSET = 0.15  # of the mean, added before the logarithm is taken: zeros stay near, and quiet hours weigh less
_ONE = 2.0  # visitor, added too
_LINEAR = 30.0  # units at most: linear enough
_MOST = 16.0  # on this scale, ten million times the mean: no forecast leaves it


@dataclass(frozen=True, slots=True)
class Scale:
    """What one unit is, which is the mean of the series, and what is added to values in units."""

    mean: float
    offset: float

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Self:
        known = [value for value in values if value is not None]
        mean = sum(max(value, 0.0) / len(known) for value in known)
        return cls(mean, _OFFSET + min(_ONE / mean, _LINEAR) if mean else 1.0)

    def up(self, value: float) -> float:
        return log(max(value, 0.0) / self.mean + self.offset)

    def down(self, scaled: float) -> float:
        return min(max(exp(min(scaled, _MOST)) - self.offset, 0.0) * self.mean, 1e308)
