"""Charts of one line, as wide as a word: how numbers went, for terminals."""

import sys
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.:-=+*#"  # where a terminal knows no others


def marks() -> str:
    """Return what to draw with on standard output, from low to high."""
    return BLOCKS if (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf") else ASCII


def spark(values: Sequence[float | None], width: int, levels: str = BLOCKS) -> str:
    """Return the values, from nothing to the highest, in so many characters at most; a blank is one that is not known.

    Where there are more values than characters, each stands for the sum of some, as many as of its neighbours.
    """
    drawn = _grouped(values, width)
    highest = max((value for value in drawn if value is not None), default=0.0)
    return "".join(" " if value is None else _level(value, highest, levels) for value in drawn)


def _level(value: float, highest: float, levels: str) -> str:
    """Return the lowest level for nothing alone, so that a little is told from nothing."""
    if value <= 0 or highest <= 0:
        return levels[0]
    return levels[min(len(levels) - 1, 1 + int(value / highest * (len(levels) - 1.001)))]


def _grouped(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return sums of equally many values; the oldest that make no whole group are left out."""
    size = -(-len(values) // max(1, width))
    if size <= 1:
        return list(values)
    start = len(values) % size
    groups = (values[place : place + size] for place in range(start, len(values), size))
    return [None if None in group else sum(value for value in group if value is not None) for group in groups]
