"""When reports are due, and of which days they tell."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from visitor_tracker.days import date_of
from visitor_tracker.reports.digest.calendar import (
    Days,
    Due,
    Every,
    Times,
    earlier,
    last_due,
    moment,
    next_due,
    told,
)

BERLIN, LORD_HOWE, SAO_PAULO = "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"


def ms(text: str, zone: str = BERLIN) -> int:
    """Return a local time, of two the first, as epoch ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def utc(found: int) -> str:
    return f"{datetime.fromtimestamp(found / 1000, UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("zone", "day", "hour", "expected"),
    [
        (BERLIN, 20260328, 8, "2026-03-28 07:00"),
        (BERLIN, 20260329, 8, "2026-03-29 06:00"),  # summer time began at night
        (BERLIN, 20260329, 2, "2026-03-29 01:00"),  # there is no 2:00
        (BERLIN, 20261025, 2, "2026-10-25 00:00"),  # there are two
        (LORD_HOWE, 20261004, 2, "2026-10-03 15:30"),  # 2:00 became 2:30
        (SAO_PAULO, 20181104, 0, "2018-11-04 03:00"),  # the day began at 1:00
        ("Asia/Kathmandu", 20260101, 8, "2026-01-01 02:15"),
    ],
)
def test_the_hour_is_one_of_the_site_s_clock(zone: str, day: int, hour: int, expected: str) -> None:
    assert utc(moment(zone, date_of(day), hour)) == expected


@pytest.mark.parametrize(
    ("times", "now", "last", "following"),
    [
        (Times("daily", 8), "2026-03-29T07:59", "2026-03-28T08:00", "2026-03-29T08:00"),
        (Times("daily", 8), "2026-03-29T08:00", "2026-03-29T08:00", "2026-03-30T08:00"),
        (Times("daily", 2), "2026-03-29T03:00", "2026-03-29T03:00", "2026-03-30T02:00"),
        (Times("daily", 0), "2026-01-01T00:00", "2026-01-01T00:00", "2026-01-02T00:00"),
        (Times("weekly", 8, 0), "2026-11-23T07:00", "2026-11-16T08:00", "2026-11-23T08:00"),
        (Times("weekly", 8, 6), "2026-11-23T07:00", "2026-11-22T08:00", "2026-11-29T08:00"),
        (Times("monthly", 8), "2026-03-01T07:00", "2026-02-01T08:00", "2026-03-01T08:00"),
        (Times("monthly", 23), "2026-12-31T23:59", "2026-12-01T23:00", "2027-01-01T23:00"),
    ],
)
def test_the_last_and_the_next_time(times: Times, now: str, last: str, following: str) -> None:
    assert last_due(times, BERLIN, ms(now)) == Due(ms(last), int(last[:10].replace("-", "")))
    assert next_due(times, BERLIN, ms(now)) == Due(ms(following), int(following[:10].replace("-", "")))


def test_every_time_is_due_once() -> None:
    now, seen = ms("2026-01-01T00:00"), set()
    for _ in range(400):
        due = next_due(Times("daily", 2), BERLIN, now)
        assert due.at_ms > now
        assert last_due(Times("daily", 2), BERLIN, due.at_ms) == due
        assert last_due(Times("daily", 2), BERLIN, due.at_ms + 1) == due
        now = due.at_ms
        seen.add(due.day)
    assert len(seen) == 400


@pytest.mark.parametrize(
    ("every", "due", "days", "before"),
    [
        ("daily", 20260301, Days(20260228, 20260228), Days(20260221, 20260221)),
        ("weekly", 20261123, Days(20261116, 20261122), Days(20261109, 20261115)),
        ("weekly", 20260304, Days(20260225, 20260303), Days(20260218, 20260224)),
        ("monthly", 20260301, Days(20260201, 20260228), Days(20260101, 20260131)),
        ("monthly", 20280301, Days(20280201, 20280229), Days(20280101, 20280131)),
        ("monthly", 20270101, Days(20261201, 20261231), Days(20261101, 20261130)),
    ],
)
def test_the_days_that_are_told_of(every: Every, due: int, days: Days, before: Days) -> None:
    assert told(every, due) == days
    found = earlier(every, days)
    assert (len(found), found[0]) == (12, before)
    assert all(one.first > two.last for one, two in pairwise(found))
