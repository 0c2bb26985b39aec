"""Days, hours and months of a site's own calendar. A day is yyyymmdd, a month yyyymm, an hour its first epoch ms."""

import errno
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_SLOT_MS = 15 * 60_000  # today's zones change their offset on quarters of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_FILE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENOENT})  # a group such as Europe …
_LAST_MS = 253_370_764_800_000  # 9999-01-01: no zone leaves the years that datetime has


def zone_of(timezone: str) -> ZoneInfo:
    """Return the zone of that name, UTC when there is none.

    What is remembered below has the zone for its key: a file that cannot be read for a moment leaves nothing wrong.
    """
    try:
        return _zone(timezone)
    except OSError:  # too many open files, say: another time it may be there
        return ZoneInfo("UTC")


@lru_cache(1024)
def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError):  # unknown, not a name at all
        return ZoneInfo("UTC")
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        return ZoneInfo("UTC")


def hour_of(timezone: str, ts_ms: int) -> int:
    """Return the epoch ms at which the local clock last showed a full hour, or was put forward or back since.

    So all of an hour has one offset. Only Lord Howe and Chatham change theirs within one.
    """
    return _slot_hour(zone_of(timezone), ts_ms // _SLOT_MS)


@lru_cache(8192)
def _slot_hour(zone: ZoneInfo, slot: int) -> int:
    start = slot * _SLOT_MS
    local = _local(zone, start)
    hour = start - (local.minute * 60 + local.second) * 1000
    while hour < start and _local(zone, hour).utcoffset() != local.utcoffset():
        hour += _SLOT_MS
    return hour


def day_of(timezone: str, ts_ms: int) -> int:
    """Return the local date of a moment."""
    return _day_of(zone_of(timezone), ts_ms)


def month_of(day: int) -> int:
    return day // 100


def number_of(value: date) -> int:
    """Return a date as yyyymmdd."""
    return value.year * 10_000 + value.month * 100 + value.day


def date_of(day: int) -> date:
    """Return the date of yyyymmdd; raises ValueError where there is no such day."""
    return date(day // 10_000, day // 100 % 100, day % 100)


@lru_cache(4096)
def day_after(day: int, days: int = 1) -> int:
    """Return the day so many days later, or earlier where `days` is negative."""
    return number_of(date_of(day) + timedelta(days=days))


def days_between(first: int, last: int) -> list[int]:
    """Return every day from `first` to `last`, both included."""
    start = date_of(first)
    return [number_of(start + timedelta(days=n)) for n in range((date_of(last) - start).days + 1)]


def bounds(timezone: str, day: int) -> tuple[int, int]:
    """Return the epoch ms at which a local day begins and at which the next one does."""
    return _bounds(zone_of(timezone), day)


@lru_cache(4096)
def _bounds(zone: ZoneInfo, day: int) -> tuple[int, int]:
    return _midnight(zone, day), _midnight(zone, day_after(day))


def _midnight(zone: ZoneInfo, day: int) -> int:
    """Return the first moment of a local day, which is not 0:00 where the clocks are put forward over it."""
    start = date_of(day)
    guess = datetime(start.year, start.month, start.day, tzinfo=zone)
    moment = int(guess.timestamp()) * 1000
    if _day_of(zone, moment) == day:
        # A midnight that comes twice begins a day the first time, unless the date was the one before in between.
        return moment
    low, high = moment - DAY_MS, moment + DAY_MS  # the date changes once in between
    while high - low > 1000:
        middle = (low + high) // 2000 * 1000
        if _day_of(zone, middle) >= day:
            high = middle
        else:
            low = middle
    return high


def _day_of(zone: ZoneInfo, ts_ms: int) -> int:
    return number_of(_local(zone, ts_ms).date())


def _local(zone: ZoneInfo, ts_ms: int) -> datetime:
    moment = min(max(ts_ms, 0), _LAST_MS)
    return (_EPOCH + timedelta(milliseconds=moment)).astimezone(zone)
