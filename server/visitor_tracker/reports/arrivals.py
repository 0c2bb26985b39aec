"""What came of the events that a site's server accepted, by the hour or the day in which they arrived."""

from typing import Literal

import msgspec

from visitor_tracker.days import date_of, day_of
from visitor_tracker.reports.buckets import iso_hour
from visitor_tracker.reports.query import Span, usual_interval
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.arrivals import ArrivalTable, ArrivedEvents
from visitor_tracker.store.session import Database


class Arrivals(msgspec.Struct, frozen=True):
    """Events that were accepted, and what came of them: accepted = stored + duplicates, stored = people + robots."""

    accepted: int
    stored: int
    duplicates: int  # sent once more after they had been stored: counted once
    late: int  # of those stored: more than ten minutes after they happened
    numbered: int  # of those stored: with the number of a browser tab, which the script gives them
    people: int
    robots: int
    doubtful: int  # of people's: something speaks for a robot, but not enough


class ArrivalPoint(Arrivals, frozen=True):
    """An hour or a day, `start` as in a series."""

    start: str


class ArrivalsOfDays(Arrivals, frozen=True):
    """A period. `waiting` are accepted and not stored yet, now; `set_aside` could not be stored (`deadletter list`)."""

    interval: Literal["hour", "day"]
    since: str | None  # the first hour that was counted; None: nothing has arrived yet
    waiting: int
    set_aside: int
    points: list[ArrivalPoint]


def arrivals(database: Database, site: Site, span: Span) -> ArrivalsOfDays:
    """Return a span's arrivals, by the hour of UTC where it is one day, else by the day; nothing is estimated."""
    table = ArrivalTable(database)
    hours = table.hours(site.id, span.start_ms, span.end_ms)
    interval: Literal["hour", "day"] = "hour" if usual_interval(span) == "hour" else "day"
    points: dict[str, list[ArrivedEvents]] = {}
    for hour, arrived in hours:
        points.setdefault(_start(hour, span.timezone, interval), []).append(arrived)
    since = table.since(site.id)
    return ArrivalsOfDays(
        *_sums([arrived for _, arrived in hours]),
        interval=interval,
        since=None if since is None else iso(since),
        waiting=table.waiting(site.id),
        set_aside=table.set_aside(site.id, span.start_ms, span.end_ms),
        points=[ArrivalPoint(*_sums(own), start) for start, own in points.items()],
    )


def _start(hour: int, timezone: str, interval: Literal["hour", "day"]) -> str:
    return iso_hour(timezone, hour) if interval == "hour" else date_of(day_of(timezone, hour)).isoformat()


def _sums(hours: list[ArrivedEvents]) -> tuple[int, int, int, int, int, int, int, int]:
    accepted = sum(each.accepted for each in hours)
    duplicates = sum(each.duplicates for each in hours)
    robots = sum(each.robots for each in hours)
    stored = accepted - duplicates
    late = sum(each.late for each in hours)
    numbered = sum(each.numbered for each in hours)
    return accepted, stored, duplicates, late, numbered, stored - robots, robots, sum(each.doubtful for each in hours)
