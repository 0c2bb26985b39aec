"""Raw events of one kind, hour by hour: errors and vitals, which no rollup knows by what they say."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import KIND_CODES, Kind
from visitor_tracker.measures import Dimension, text_id
from visitor_tracker.sessions.fact import NOBODY, Rest, decode_rest
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Rows, Value

HOURS = """/* ProblemTable.hours */
select period, sum(case when value = ? then events else 0 end), sum(events)
from rollup_hour
where site_id = ? and dimension = ? and period >= ? and period <= ?
group by period
order by period"""

# "ts >=" once more, so that every planner begins there.
EVENTS = """/* ProblemTable.events */
select ts, id, visitor, page, host, context, name, body
from events
where site_id = ? and ts >= ? and (ts > ? or id > ?) and ts < ? and kind = ? and (signals & ?) = 0
order by ts, id
limit ?"""

_EMPTY = Rest()


class Hour(msgspec.Struct, frozen=True, gc=False):
    """An hour's first moment and the next hour's, how many events it has of a kind, and how many of all kinds."""

    start_ms: int
    end_ms: int
    events: int
    of_all: int


class Told(msgspec.Struct, frozen=True, gc=False):
    """What an event says; page, host and name are ids of texts, `visitor` is empty where nobody knows."""

    ts: int
    id: bytes
    visitor: bytes
    page: int
    host: int
    context: int
    name: int
    rest: Rest


class ProblemTable:
    """Events by kind. Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(self, site_id: int, kind: Kind, start_ms: int, end_ms: int) -> list[Hour]:
        """Return the hours that have such events of people, of those that end after `start_ms`, before `end_ms`."""
        values = (text_id(kind), site_id, Dimension.KIND, start_ms - HOUR_MS + 1, end_ms - 1)
        rows = self._ask(site_id, HOURS, values)
        # Where clocks are put back by half an hour, one has more than 60 minutes; in a gap there is nothing.
        ends = [*(row[0] for row in rows[1:]), end_ms]
        return [
            Hour(max(start, start_ms), min(end, start + 2 * HOUR_MS, end_ms), int(events), int(of_all))
            for (start, events, of_all), end in zip(rows, ends, strict=False)
            if events
        ]

    def events(self, site_id: int, kind: Kind, hour: Hour, *, signals: int, most: int) -> Iterator[list[Told]]:
        """Yield an hour's events by (ts, id) that have none of these signals, `most` at a time."""
        ts, event_id = hour.start_ms, b""
        while True:
            values = (site_id, ts, ts, event_id, hour.end_ms, KIND_CODES[kind], signals, most)
            found = [_told(row) for row in self._ask(site_id, EVENTS, values)]
            if found:
                yield found
            if len(found) < most:
                return
            ts, event_id = found[-1].ts, found[-1].id

    def _ask(self, site_id: int, template: str, values: Sequence[Value]) -> Rows:
        return of_site(self._database, site_id).read(lambda session: session.ask(template, values))


def _told(row: Sequence[Any]) -> Told:
    ts, event_id, visitor, page, host, context, name, body = row
    who, rest = bytes(visitor), bytes(body)
    told = decode_rest(rest) if rest else _EMPTY
    return Told(ts, bytes(event_id), b"" if who == NOBODY else who, page, host, context, name, told)
