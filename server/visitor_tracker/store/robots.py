"""Raw events for which something speaks that a robot made them, added up by what is known of them."""

from typing import NamedTuple

from visitor_tracker.event import SIGNALS
from visitor_tracker.measures import Dimension
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database

FOUND = """/* RobotTable.found */
select signals, context, host, page, count(*)
from events
where site_id = ? and ts >= ? and ts < ? and (signals & ?) <> 0
group by signals, context, host, page"""

# No more than these are read: what people did, and what robots did once for each reason.
EVENTS = """/* RobotTable.events */
select coalesce(sum(events), 0)
from rollup_day
where site_id = ? and dimension in (?, ?) and period >= ? and period <= ?"""


class Found(NamedTuple):
    """So many events with the same signals (event.Signal), and ids of context and texts."""

    signals: int
    context: int
    host: int
    page: int
    events: int


class RobotTable:
    """Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, site_id: int, first_day: int, last_day: int) -> int:
        """Return how many events those days have, at most."""
        values = (site_id, Dimension.KIND, Dimension.BOT, first_day, last_day)
        [(events,)] = of_site(self._database, site_id).read(lambda session: session.ask(EVENTS, values))
        return int(events)

    def found(self, site_id: int, start_ms: int, end_ms: int) -> list[Found]:
        """Return the events with signals of that time; those of another time may come to the same again."""
        rows = of_site(self._database, site_id).read(
            lambda session: session.ask(FOUND, (site_id, start_ms, end_ms, SIGNALS))
        )
        return [Found(*map(int, row)) for row in rows]
