"""Where a step of a series lies in the week: days of the calendar, or hours of a clock that may be put forward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

Step = Literal["day", "hour"]


@dataclass(frozen=True, slots=True)
class Place:
    """A step's place: its day, counted from the year 1, its weekday from Monday 0, and its part of the day."""

    day: int
    weekday: int
    part: int


def places(first: date, step: Step, count: int) -> Sequence[Place]:
    """Return where each step lies.

    Hours of a `first` with a time zone are true ones, so that a day may have 23 or 25; else each day has 24.
    """
    if step == "day":
        start = first.toordinal()
        return [Place(day, (day - 1) % 7, 0) for day in range(start, start + count)]
    begin = first if isinstance(first, datetime) else datetime(first.year, first.month, first.day)
    return [_hour(begin, index) for index in range(count)]


def _hour(begin: datetime, index: int) -> Place:
    if begin.tzinfo is None:
        local = begin + timedelta(hours=index)
    else:
        local = (begin.astimezone(UTC) + timedelta(hours=index)).astimezone(begin.tzinfo)
    return Place(local.toordinal(), local.weekday(), local.hour)
