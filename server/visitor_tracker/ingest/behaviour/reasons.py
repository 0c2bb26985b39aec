"""A reason of a verdict: what it is called, its weight, and the figure that made it."""

from collections.abc import Iterable, Iterator

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """`weight` above 0 speaks for a robot, below for a person; `text` is what a person reads."""

    name: str
    weight: float
    text: str


def told(found: Iterable[tuple[str, float, str]]) -> Iterator[Reason]:
    """Yield those that weigh anything, to a hundredth."""
    for name, weight, text in found:
        if abs(weight) >= 0.05:
            yield Reason(name, round(weight, 2), text)


def between(number: float, none: float, full: float) -> float:
    """Return how far a number is on the way from `none` to `full`, from 0 to 1."""
    return min(1.0, max(0.0, (number - none) / (full - none)))
