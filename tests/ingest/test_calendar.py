"""The local date of a moment, in every zone and around every turn of its clocks."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from visitor_tracker.ingest.calendar import JOIN_MS, Day, local_day

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
QUARTER_MS, HOUR_MS, DAY_MS = 900_000, 3_600_000, 86_400_000


def at(text: str) -> int:
    """Return the epoch ms of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def expected(zone: str, ts_ms: int) -> Day:
    """Work the day out the plain way."""

    def date(ms: int) -> str:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")

    today, earlier = date(ts_ms), date(ts_ms - JOIN_MS)
    return Day(int(today.replace("-", "")), today, today[:7], today != earlier, earlier)


def day(period: str, previous: str = "") -> Day:
    return Day(int(period.replace("-", "")), period, period[:7], bool(previous), previous or period)


@pytest.mark.parametrize(
    ("zone", "moment", "found"),
    [
        ("UTC", "2026-11-22 23:59:59.999", day("2026-11-22")),
        ("UTC", "2026-11-23 00:00:00", day("2026-11-23", "2026-11-22")),
        ("UTC", "2026-11-23 00:29:59.999", day("2026-11-23", "2026-11-22")),
        ("UTC", "2026-11-23 00:30:00", day("2026-11-23")),
        ("UTC", "2027-01-01 00:10:00", day("2027-01-01", "2026-12-31")),
        ("Europe/Berlin", "2026-11-22 22:59:59.999", day("2026-11-22")),
        ("Europe/Berlin", "2026-11-22 23:00:00", day("2026-11-23", "2026-11-22")),
        ("Asia/Kathmandu", "2026-11-22 18:14:59.999", day("2026-11-22")),
        ("Asia/Kathmandu", "2026-11-22 18:15:00", day("2026-11-23", "2026-11-22")),
        ("Pacific/Kiritimati", "2026-11-22 10:00:00", day("2026-11-23", "2026-11-22")),
        ("Etc/GMT+12", "2026-11-22 11:59:59.999", day("2026-11-21")),
        # Santiago's clocks go from 24:00 to 01:00: that day begins at one o'clock.
        ("America/Santiago", "2026-09-06 04:10:00", day("2026-09-06", "2026-09-05")),
        ("America/Santiago", "2026-09-06 04:30:00", day("2026-09-06")),
        # Havana's go from 01:00 back to 00:00: the hour comes twice, the day begins once.
        ("America/Havana", "2026-11-01 04:00:00", day("2026-11-01", "2026-10-31")),
        ("America/Havana", "2026-11-01 05:10:00", day("2026-11-01")),
        # Samoa had no 30th of December in 2011.
        ("Pacific/Apia", "2011-12-30 10:00:00", day("2011-12-31", "2011-12-29")),
        # Newfoundland went back an hour one minute after midnight, and had its date change twice.
        ("America/St_Johns", "2010-11-07 02:30:30", day("2010-11-07", "2010-11-06")),
        ("America/St_Johns", "2010-11-07 02:31:30", day("2010-11-06")),
        ("America/St_Johns", "2010-11-07 03:00:30", day("2010-11-06", "2010-11-07")),
    ],
)
def test_days_change_where_the_zone_says(zone: str, moment: str, found: Day) -> None:
    assert local_day(zone, at(moment)) == found


def turns(zone: ZoneInfo) -> list[int]:
    """Return the epoch ms at which a zone changes its offset in 2026, to the quarter of an hour before."""
    found: list[int] = []
    days = range(at("2026-01-01"), at("2027-01-01"), DAY_MS)
    offsets = [_offset(zone, day) for day in days]
    for day, (offset, after) in zip(days, pairwise(offsets), strict=False):
        if offset != after:
            quarters = range(day, day + DAY_MS, QUARTER_MS)
            found += [ms for ms in quarters if _offset(zone, ms) != _offset(zone, ms + QUARTER_MS)]
    return found


def _offset(zone: ZoneInfo, ts_ms: int) -> timedelta | None:
    return datetime.fromtimestamp(ts_ms // 1000, zone).utcoffset()


def samples(zone: str) -> list[int]:
    """Return moments on both sides of a midnight and of every turn of a zone."""
    midnight = int(datetime(2026, 11, 23, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    edges = list(range(midnight - HOUR_MS, midnight + HOUR_MS, QUARTER_MS))
    for turn in turns(ZoneInfo(zone)):
        edges += range(turn - HOUR_MS, turn + 2 * HOUR_MS, QUARTER_MS)
    return [edge + off for edge in edges for off in (-1, 0)]


def test_every_zone_agrees_with_its_clock_around_midnight_and_around_its_turns() -> None:
    wrong = [
        (zone, moment)
        for zone in ZONES
        for moment in samples(zone)
        if local_day(zone, moment) != expected(zone, moment)
    ]
    assert len(ZONES) > 400
    assert wrong == []


def test_every_zone_agrees_with_its_clock_in_years_of_odd_offsets() -> None:
    chosen = random.Random(7)  # nothing secret: the same samples every time
    cases = [(chosen.choice(ZONES), chosen.randrange(JOIN_MS, at("2038-01-01"))) for _ in range(5_000)]
    assert [case for case in cases if local_day(*case) != expected(*case)] == []


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "a\0b",
        "Europe/Berlin ",
        "\ud800",
        "x" * 5000,
    ],
)
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    assert local_day(zone, at("2026-11-22 23:30:00")) == day("2026-11-22")


@pytest.mark.parametrize(("ts_ms", "found"), [(-(10**18), 19700101), (0, 19700101), (10**18, 99990101)])
def test_a_moment_out_of_range_has_a_day_too(ts_ms: int, found: int) -> None:
    assert local_day("UTC", ts_ms).number == found
