"""Read raw events in the order of time, and of which days they are still kept."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from visitor_tracker.days import hour_of
from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.fact import NOBODY, Fact
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Rows, Session, Value

# "ts >=" once more, so that every planner begins there.
BETWEEN = """/* RawEvents.between */
select ts, id, day, visitor, kind, page, host, source, context, name, target, engaged_ms, body
from events
where site_id = ? and ts >= ? and (ts > ? or id > ?) and ts < ? and (signals & ?) = 0
order by ts, id
limit ?"""

KEPT_DAYS = """/* RawEvents.kept */
select day, raw_complete
from raw_days
where site_id = ? and day >= ? and day <= ?"""

FIRST_SITE = """/* RawEvents.hosts */
select min(site_id)
from events"""

NEXT_SITE = f"{FIRST_SITE} where site_id > ?"

HOSTS = """/* RawEvents.hosts */
select ts, id, host
from events
where site_id = ? and ts >= ? and (ts > ? or id > ?)
order by ts, id
limit ?"""

# Of days whose events are gone.
COUNTED_HOSTS = """/* RawEvents.hosts */
select distinct value
from rollup_month
where dimension = ?"""

_FIRST_MS = -(1 << 62)


class RawEvents:
    """The table of events, for reports. Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, site: Site, start_ms: int, end_ms: int, *, signals: int, most: int) -> Iterator[list[Fact]]:
        """Yield events by (ts, id), `most` at once, from `start_ms` to before `end_ms`, without these signals."""
        ts, event_id = start_ms, b""
        while True:
            found = [
                _fact(row, site.timezone)
                for row in self._ask(BETWEEN, (site.id, ts, ts, event_id, end_ms, signals, most))
            ]
            if found:
                yield found
            if len(found) < most:
                return
            ts, event_id = found[-1].ts, found[-1].id

    def kept(self, site_id: int, first_day: int, last_day: int) -> dict[int, bool]:
        """Return the days of which events were folded, and whether all of these are still there."""
        rows = self._ask(KEPT_DAYS, (site_id, first_day, last_day))
        return {day: bool(complete) for day, complete in rows}

    def hosts(self, most: int) -> set[int]:
        """Return the ids of the hosts of all pages, robots' too; reads the whole table, `most` rows at once."""
        found = {row[0] for row in self._database.read(lambda session: session.ask(COUNTED_HOSTS, (Dimension.HOST,)))}
        [(site_id,)] = self._database.read(lambda session: session.ask(FIRST_SITE))
        while site_id is not None:
            found |= self._hosts_of(site_id, most)
            [(site_id,)] = self._database.read(partial(_next_site, site_id=site_id))
        return found - {0}

    def _hosts_of(self, site_id: int, most: int) -> set[int]:
        found: set[int] = set()
        ts, event_id = _FIRST_MS, b""
        while True:
            values = (site_id, ts, ts, event_id, most)
            rows = self._ask(HOSTS, values)
            found.update(row[2] for row in rows)
            if len(rows) < most:
                return found
            ts, event_id = rows[-1][0], bytes(rows[-1][1])

    def _ask(self, template: str, values: Sequence[Value]) -> Rows:
        """Ask about a site, whose id is the first value."""
        return of_site(self._database, int(values[0])).read(lambda session: session.ask(template, values))


def _next_site(session: Session, *, site_id: int) -> Rows:
    return session.ask(NEXT_SITE, (site_id,))


def _fact(row: Sequence[Any], timezone: str) -> Fact:
    """Return the event of a row; its signals, flags and client are not told."""
    ts, event_id, day, visitor, kind, page, host, source, context, name, target, engaged_ms, body = row
    who = bytes(visitor)
    what = (page, host, source, context, name, target, engaged_ms)
    return Fact(
        bytes(event_id),
        ts,
        day,
        hour_of(timezone, ts),
        kind,
        0,
        0,
        b"" if who == NOBODY else who,
        b"",
        *what,
        rest=bytes(body),
    )
