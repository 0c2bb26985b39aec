"""How much of what browser tabs sent has arrived, by the hour or the day in which a tab began."""

from typing import Literal

import msgspec

from visitor_tracker.days import date_of, day_of
from visitor_tracker.reports.buckets import iso_hour
from visitor_tracker.reports.query import Span, usual_interval
from visitor_tracker.sites import Site
from visitor_tracker.store.quality import HourOfTabs, QualityTable
from visitor_tracker.store.session import Database

NOTE = (
    "what a tab sent last is not known to be missing unless something after it has arrived; for nine days after a tab"
    " began, what is lost may only be late"
)


class Arrived(msgspec.Struct, frozen=True):
    """Events of tabs: how many came, and how many should have by the highest number that came of each tab."""

    tabs: int
    received: int
    expected: int
    lost: int
    share_lost: float | None  # None where nothing was expected


class Point(Arrived, frozen=True):
    """An hour or a day, `start` as in a series."""

    start: str


class Quality(Arrived, frozen=True):
    """A period, and its hours or days that have tabs."""

    interval: Literal["hour", "day"]
    note: str
    points: list[Point]


def quality(database: Database, site: Site, span: Span) -> Quality:
    """Return a span's quality, by the hour of UTC where it is one day, else by the day; nothing is estimated."""
    hours = QualityTable(database).hours(site.id, span.start_ms, span.end_ms)
    interval: Literal["hour", "day"] = "hour" if usual_interval(span) == "hour" else "day"
    points: dict[str, list[HourOfTabs]] = {}
    for each in hours:
        points.setdefault(_start(each.hour, span.timezone, interval), []).append(each)
    return Quality(*_sums(hours), interval, NOTE, [Point(*_sums(own), start) for start, own in points.items()])


def _start(hour: int, timezone: str, interval: Literal["hour", "day"]) -> str:
    return iso_hour(timezone, hour) if interval == "hour" else date_of(day_of(timezone, hour)).isoformat()


def _sums(hours: list[HourOfTabs]) -> tuple[int, int, int, int, float | None]:
    tabs = sum(each.tabs for each in hours)
    received = sum(each.received for each in hours)
    expected = sum(each.expected for each in hours)
    lost = max(0, expected - received)
    return tabs, received, expected, lost, round(lost / expected, 6) if expected else None
