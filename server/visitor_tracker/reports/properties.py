"""Which properties the events of a site have, so that one can be chosen by its name."""

import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from visitor_tracker.event import ROBOT, Kind
from visitor_tracker.reports.query import Span
from visitor_tracker.sites import Site
from visitor_tracker.store.problems import Hour, ProblemTable, Told
from visitor_tracker.store.session import Database

NAMES_MOST = 200  # a page that makes names of ids has more: they say nothing
_READ: tuple[tuple[Kind, int], ...] = (("custom", 20_000), ("pageview", 5_000))  # so many of the newest of each kind
_CHUNK = 1_000


class PropertyName(msgspec.Struct, frozen=True):
    """A property, and how many of the events that were read have it."""

    name: str
    events: int


class Properties(msgspec.Struct, frozen=True):
    """The properties of the newest `events_read` events, the most frequent first; `is_part` where there are more."""

    events_read: int
    is_part: bool
    properties: list[PropertyName]


def properties(database: Database, site: Site, span: Span) -> Properties:
    """Return the names of properties that the newest custom events and page views of the span have."""
    table = ProblemTable(database)
    found: Counter[str] = Counter()
    read, is_part = 0, False
    for kind, most in _READ:
        hours = table.hours(site.id, kind, span.start_ms, span.end_ms)
        number = 0
        for event in _newest(table, site, kind, hours, most):
            found.update(event.rest.properties.keys())
            number += 1
        read += number
        is_part |= number < sum(hour.events for hour in hours)
    ranked = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    shown = [PropertyName(name, number) for name, number in ranked[:NAMES_MOST]]
    return Properties(read, is_part or len(ranked) > NAMES_MOST, shown)


def _newest(table: ProblemTable, site: Site, kind: Kind, hours: list[Hour], most: int) -> Iterator[Told]:
    """Yield events, the newest hour first, until there were `most`."""
    left = most
    for hour in reversed(hours):
        for chunk in table.events(site.id, kind, hour, signals=ROBOT, most=_CHUNK):
            yield from chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return
            time.sleep(0)  # others of this process get their turn
