"""True hours on the clock that people live by: one that is put forward has no hour there, one put back has two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clocked:
    """Values by hour of the clock, and where the coming true hours are among the hours that follow."""

    values: list[float | None]
    coming: list[int]


def clocked(values: Sequence[float | None], first: datetime, periods: int) -> Clocked | None:
    """Lay true hours from `first`, which has a time zone, on its clock; None where the clock is never changed."""
    places = _places(first, len(values) + periods)
    if places[-1] == len(places) - 1 == len(set(places)) - 1:
        return None
    hours: list[list[float]] = [[] for _ in range(places[len(values) - 1] + 1)]
    for place, value in zip(places, values, strict=False):
        if value is not None:
            hours[place].append(value)
    return Clocked(
        [sum(known) / len(known) if known else None for known in hours],
        [max(0, place - len(hours)) for place in places[len(values) :]],
    )


def _places(first: datetime, count: int) -> list[int]:
    """Return how many hours of the clock lie between `first` and each of `count` true hours."""
    begin, start = first.astimezone(UTC), first.replace(tzinfo=None)
    found = []
    for hour in range(count):
        local = (begin + timedelta(hours=hour)).astimezone(first.tzinfo).replace(tzinfo=None)
        found.append((local - start) // timedelta(hours=1))
    return found
