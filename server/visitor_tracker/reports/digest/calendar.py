"""When a report is due, and of which days it tells: by the calendar of the site's time zone.

daily     every day, of the day before; beside the same weekday of the week before
weekly    on a weekday, of the seven days before; beside the seven before those
monthly   on the first of a month, of the month before; beside the month before that, by the day
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

import msgspec

from visitor_tracker.days import date_of, day_of, number_of, zone_of

Every = Literal["daily", "weekly", "monthly"]

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EARLIER: Final = 12  # periods from which it is known how much numbers change by themselves

_WEEK = 7


class Days(msgspec.Struct, frozen=True):
    """From one day to another, both included, as yyyymmdd."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return (date_of(self.last) - date_of(self.first)).days + 1


class Due(msgspec.Struct, frozen=True):
    """A moment at which a report is due: epoch ms, and the local date."""

    at_ms: int
    day: int


class Times(msgspec.Struct, frozen=True):
    """How often, and at which hour of the site's clock; `weekday` is 0 for Monday, and of weekly reports."""

    every: Every = "weekly"
    hour: int = 8
    weekday: int = 0


def last_due(times: Times, timezone: str, now_ms: int) -> Due:
    """Return the last moment, not after now, at which a report was due."""
    day = date_of(day_of(timezone, now_ms))
    while not (_is_day(times, day) and moment(timezone, day, times.hour) <= now_ms):
        day -= timedelta(days=1)
    return Due(moment(timezone, day, times.hour), number_of(day))


def next_due(times: Times, timezone: str, now_ms: int) -> Due:
    """Return the first moment after now at which a report is due."""
    day = date_of(day_of(timezone, now_ms))
    while not (_is_day(times, day) and moment(timezone, day, times.hour) > now_ms):
        day += timedelta(days=1)
    return Due(moment(timezone, day, times.hour), number_of(day))


def moment(timezone: str, day: date, hour: int) -> int:
    """Return when a local clock shows an hour of a day, as epoch ms.

    Of an hour that comes twice it is the first, for one that is left out the moment at which the clock is put forward.
    """
    local = datetime(day.year, day.month, day.day, hour, tzinfo=zone_of(timezone))
    found = int(local.timestamp()) * 1000
    shown = datetime.fromtimestamp(found / 1000, zone_of(timezone))
    # In a gap Python counts on from the offset before it, which leads as far behind its begin as the hour is in it.
    gap = (shown.hour * 60 + shown.minute - hour * 60) % (24 * 60)
    return found if not gap else _clock_change(timezone, found)


def _clock_change(timezone: str, after: int) -> int:
    """Return the moment at which the offset changed last, within the three hours before."""
    zone = zone_of(timezone)

    def offset(ms: int) -> timedelta | None:
        return datetime.fromtimestamp(ms / 1000, zone).utcoffset()

    low, high = after - 3 * 3_600_000, after
    while high - low > 1000:
        middle = (low + high) // 2000 * 1000
        if offset(middle) == offset(after):
            high = middle
        else:
            low = middle
    return high


def told(every: Every, due_day: int) -> Days:
    """Return the days of which the report tells that is due on a day."""
    if every == "monthly":
        last = date_of(due_day).replace(day=1) - timedelta(days=1)
        return Days(number_of(last.replace(day=1)), number_of(last))
    end = date_of(due_day) - timedelta(days=1)
    start = end if every == "daily" else end - timedelta(days=_WEEK - 1)
    return Days(number_of(start), number_of(end))


def earlier(every: Every, days: Days, number: int = EARLIER) -> Sequence[Days]:
    """Return the periods before, the newest first: what these days are compared with."""
    found: list[Days] = []
    for _ in range(number):
        if every == "monthly":
            last = date_of(days.first) - timedelta(days=1)
            days = Days(number_of(last.replace(day=1)), number_of(last))
        else:
            days = Days(_weeks_before(days.first), _weeks_before(days.last))
        found.append(days)
    return found


def _weeks_before(day: int) -> int:
    return number_of(date_of(day) - timedelta(days=_WEEK))


def _is_day(times: Times, day: date) -> bool:
    if times.every == "weekly":
        return day.weekday() == times.weekday
    return times.every == "daily" or day.day == 1
