"""What came of accepted events, by the hour in which they arrived: written by the fold, with the events themselves."""

from collections.abc import Mapping

import msgspec

from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session, Value, send_rows

ADD = """/* add_arrivals */
insert into arrivals (site_id, hour, accepted, duplicates, late, numbered, robots, doubtful)
values [(?, ?, ?, ?, ?, ?, ?, ?)]
{add_arrivals}"""

HOURS = """/* ArrivalTable.hours */
select hour, accepted, duplicates, late, numbered, robots, doubtful
from arrivals
where site_id = ? and hour >= ? and hour < ?
order by hour"""

FIRST = """/* ArrivalTable.since */
select min(hour)
from arrivals
where site_id = ?"""

WAITING = """/* ArrivalTable.waiting */
select coalesce(sum(events), 0)
from inbox
where site_id = ?"""

SET_ASIDE = """/* ArrivalTable.set_aside */
select count(*)
from dead_letters
where site_id = ? and at >= ? and at < ?"""


class ArrivedEvents(msgspec.Struct, frozen=True, gc=False):
    """Of events that were accepted: how many were sent twice, came late, have a tab's number, are robots' …"""

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    numbered: int = 0
    robots: int = 0
    doubtful: int = 0


def add_arrivals(session: Session, site_id: int, hours: Mapping[int, ArrivedEvents]) -> None:
    """Add what arrived in some hours; the caller holds the site's lease."""
    values: list[Value] = []
    for hour, arrived in sorted(hours.items()):
        values += (site_id, hour, *msgspec.structs.astuple(arrived))
    send_rows(session, ADD, 8, values)


class ArrivalTable:
    """The arrivals of a database. Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(self, site_id: int, start_ms: int, end_ms: int) -> list[tuple[int, ArrivedEvents]]:
        """Return the hours in which something arrived, of those that begin from `start_ms` to before `end_ms`."""
        rows = of_site(self._database, site_id).read(lambda session: session.ask(HOURS, (site_id, start_ms, end_ms)))
        return [(int(hour), ArrivedEvents(*map(int, numbers))) for hour, *numbers in rows]

    def since(self, site_id: int) -> int | None:
        """Return the first hour of which arrivals were counted, None where there is none yet."""
        [(hour,)] = of_site(self._database, site_id).read(lambda session: session.ask(FIRST, (site_id,)))
        return None if hour is None else int(hour)

    def waiting(self, site_id: int) -> int:
        """Return how many accepted events are not folded yet."""
        [(events,)] = of_site(self._database, site_id).read(lambda session: session.ask(WAITING, (site_id,)))
        return int(events)

    def set_aside(self, site_id: int, start_ms: int, end_ms: int) -> int:
        """Return how much was set aside in that time because it could not be folded."""
        values = (site_id, start_ms, end_ms)
        [(letters,)] = of_site(self._database, site_id).read(lambda session: session.ask(SET_ASIDE, values))
        return int(letters)
