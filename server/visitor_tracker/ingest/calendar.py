"""The calendar of a site: which local date a moment belongs to."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from visitor_tracker.days import zone_of

JOIN_MS = 30 * 60_000  # a visit goes on over midnight for as long as a session may pause

_SLOT_MS = 15 * 60_000  # today's zones change their offset, and their date, on quarters of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_370_764_800_000  # 9999-01-01: no zone leaves the years that datetime has


class Day(msgspec.Struct, frozen=True, gc=False):
    """A local date: `number` is yyyymmdd, `period` YYYY-MM-DD and `month` YYYY-MM name visitor keys.

    `previous_period` is the date of half an hour earlier, and `first_half_hour` says that it was another one.
    Usually that is yesterday; where a zone skipped a day or turned its clocks back over midnight it is not.
    """

    number: int
    period: str
    month: str
    first_half_hour: bool
    previous_period: str


def local_day(timezone: str, ts_ms: int) -> Day:
    """Return the local date at an epoch ms; a zone that nobody knows is UTC."""
    return _slot(zone_of(timezone), ts_ms // _SLOT_MS) or _day(zone_of(timezone), ts_ms)


@lru_cache(8192)
def _slot(zone: ZoneInfo, slot: int) -> Day | None:
    """Return the day that a quarter of an hour belongs to wholly, or None where it changes on the way."""
    first = _day(zone, slot * _SLOT_MS)
    return first if first == _day(zone, (slot + 1) * _SLOT_MS - 1) else None


def _day(zone: ZoneInfo, ts_ms: int) -> Day:
    ts_ms = min(max(ts_ms, JOIN_MS), _LAST_MS)
    period = _date(zone, ts_ms)
    earlier = _date(zone, ts_ms - JOIN_MS)
    return Day(int(period.replace("-", "")), period, period[:7], earlier != period, earlier)


def _date(zone: ZoneInfo, ts_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ts_ms)).astimezone(zone).date().isoformat()
