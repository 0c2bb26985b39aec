"""Days, hours and months of sites, in zones of every kind and where clocks are changed."""

import errno
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from visitor_tracker import days
from visitor_tracker.days import bounds, date_of, day_after, day_of, days_between, hour_of, month_of, zone_of

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
FEW_ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Casablanca",
             "America/Santiago", "America/Havana", "Asia/Kathmandu", "Pacific/Kiritimati")  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIVE_MINUTES = 300_000
UTC_ZONE = ZoneInfo("UTC")


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def local(timezone: str, ts_ms: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=ts_ms)).astimezone(ZoneInfo(timezone))


def changes(timezone: str, year: int) -> list[int]:
    """Return the epoch ms at which clocks are changed."""
    quarters = range(utc(f"{year}-01-01"), utc(f"{year + 1}-01-01"), 900_000)
    return [after for before, after in pairwise(quarters) if _offset(timezone, before) != _offset(timezone, after)]


def _offset(timezone: str, ts_ms: int) -> timedelta | None:
    return local(timezone, ts_ms).utcoffset()


@pytest.mark.parametrize(
    ("zone", "moment", "hour"),
    [
        ("UTC", "2026-11-22 13:59:59.999", "2026-11-22 13:00:00"),
        ("Asia/Kathmandu", "2026-11-22 13:14:59", "2026-11-22 12:15:00"),
        ("America/St_Johns", "2026-11-22 13:29:59", "2026-11-22 12:30:00"),
        # Berlin's clocks go from 03:00 back to 02:00: the hour is there twice, as two.
        ("Europe/Berlin", "2026-10-25 00:59:00", "2026-10-25 00:00:00"),
        ("Europe/Berlin", "2026-10-25 01:59:00", "2026-10-25 01:00:00"),
        # Lord Howe's go from 02:00 back to 01:30, and from 02:00 on to 02:30.
        ("Australia/Lord_Howe", "2026-04-04 14:59:00", "2026-04-04 14:00:00"),
        ("Australia/Lord_Howe", "2026-04-04 15:10:00", "2026-04-04 15:00:00"),
        ("Australia/Lord_Howe", "2026-04-04 15:30:00", "2026-04-04 15:30:00"),
        ("Australia/Lord_Howe", "2026-10-03 15:29:00", "2026-10-03 14:30:00"),
        ("Australia/Lord_Howe", "2026-10-03 15:31:00", "2026-10-03 15:30:00"),
        ("Australia/Lord_Howe", "2026-10-03 16:10:00", "2026-10-03 16:00:00"),
        # Chatham's go from 03:45 back to 02:45.
        ("Pacific/Chatham", "2026-04-04 13:59:00", "2026-04-04 13:15:00"),
        ("Pacific/Chatham", "2026-04-04 14:01:00", "2026-04-04 14:00:00"),
        ("Pacific/Chatham", "2026-04-04 14:15:00", "2026-04-04 14:15:00"),
    ],
)
def test_an_hour_begins_where_the_clock_shows_it(zone: str, moment: str, hour: str) -> None:
    assert hour_of(zone, utc(moment)) == utc(hour)


@pytest.mark.parametrize("zone", FEW_ZONES)
def test_all_of_an_hour_has_one_date_one_hour_and_one_offset(zone: str) -> None:
    around = [change + step for change in changes(zone, 2026) for step in range(-7_200_000, 7_200_000, FIVE_MINUTES)]
    for moment in [*around, *range(utc("2026-06-01"), utc("2026-06-03"), FIVE_MINUTES)]:
        begun, now = local(zone, hour_of(zone, moment)), local(zone, moment)
        assert begun.replace(minute=0) == now.replace(minute=0)
        assert begun.utcoffset() == now.utcoffset()
        assert hour_of(zone, hour_of(zone, moment)) == hour_of(zone, moment) <= moment


@pytest.mark.parametrize("zone", FEW_ZONES)
def test_days_meet_without_gap_around_every_change(zone: str) -> None:
    for moment in [*changes(zone, 2026), utc("2026-02-28 12:00")]:
        for near in (moment - 86_400_000, moment, moment + 86_400_000):
            day = day_of(zone, near)
            start, end = bounds(zone, day)
            assert start <= near < end
            assert (day_of(zone, start), day_of(zone, end - 1)) == (day, day)
            assert day_of(zone, start - 1) == day_after(day, -1)
            assert bounds(zone, day_after(day))[0] == end


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_its_days(zone: str) -> None:
    start, end = bounds(zone, 20261122)
    assert (local(zone, start).isoformat()[:19], local(zone, end).isoformat()[:19]) == (
        "2026-11-22T00:00:00",
        "2026-11-23T00:00:00",
    )


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Europe/Berlin", 20260329, "2026-03-28 23:00", "2026-03-29 22:00"),  # 23 hours
        ("Europe/Berlin", 20261025, "2026-10-24 22:00", "2026-10-25 23:00"),  # 25
        ("America/Santiago", 20260906, "2026-09-06 04:00", "2026-09-07 03:00"),  # begins at one o'clock
        ("America/Havana", 20261101, "2026-11-01 04:00", "2026-11-02 05:00"),  # 0:00 comes twice, the first counts
        ("Pacific/Apia", 20111230, "2011-12-30 10:00", "2011-12-30 10:00"),  # was left out
    ],
)
def test_a_day_has_the_length_that_it_has(zone: str, day: int, start: str, end: str) -> None:
    assert bounds(zone, day) == (utc(start), utc(end))


def test_days_are_counted_over_months_and_years() -> None:
    assert [day_after(20240228), day_after(20241231), day_after(20260301, -1)] == [20240229, 20250101, 20260228]
    assert days_between(20260227, 20260302) == [20260227, 20260228, 20260301, 20260302]
    assert days_between(20260302, 20260227) == []
    assert month_of(20261122) == 202611
    with pytest.raises(ValueError, match="day"):
        date_of(20260230)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe", "x" * 300, "\0"])
def test_a_zone_that_nobody_knows_is_utc(name: str) -> None:
    assert zone_of(name).key == "UTC"


def test_a_zone_that_cannot_be_read_for_a_moment_is_there_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_files(name: str) -> ZoneInfo:
        if name == "UTC":
            return UTC_ZONE
        raise OSError(errno.EMFILE, "too many open files")

    moment, tokyo = utc("2026-11-22 23:30"), "Asia/Tokyo"
    days._zone.cache_clear()
    with monkeypatch.context() as broken:
        broken.setattr(days, "ZoneInfo", out_of_files)
        assert (zone_of(tokyo).key, day_of(tokyo, moment), hour_of("Asia/Kathmandu", moment)) == (
            "UTC",
            20261122,
            utc("2026-11-22 23:00"),
        )
        assert bounds(tokyo, 20261123)[0] == utc("2026-11-23")
    assert (zone_of(tokyo).key, day_of(tokyo, moment), hour_of("Asia/Kathmandu", moment)) == (
        tokyo,
        20261123,
        utc("2026-11-22 23:15"),
    )
    assert bounds(tokyo, 20261123)[0] == utc("2026-11-22 15:00")


@pytest.mark.parametrize(("ts_ms", "day"), [(-(10**18), 19700101), (0, 19700101), (10**18, 99990101)])
def test_no_moment_is_too_early_or_too_late(ts_ms: int, day: int) -> None:
    assert day_of("UTC", ts_ms) == day
