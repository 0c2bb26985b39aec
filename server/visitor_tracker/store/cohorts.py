"""Read who came on which days, of those who may come again, and who stayed over a moment."""

from collections.abc import Iterator, Sequence

from visitor_tracker.days import day_after, day_of
from visitor_tracker.sessions.session import GAP_MS
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Value

OF_DAY = """/* DailyVisitors.between */
select day, visitor
from daily_visitors
where site_id = ? and day = ? and visitor > ?
order by visitor
limit ?"""

AFTER_DAY = """/* DailyVisitors.between */
select day, visitor
from daily_visitors
where site_id = ? and day > ? and day <= ?
order by day, visitor
limit ?"""

# "+ 0", so that no planner reads all visits of the past by the index of first_ts: the buckets have a few days.
STAYED = """/* stayed */
select visitor, last_ts
from sessions
where site_id = ? and bucket in (?, ?, ?, ?) and last_ts >= ? and first_ts + 0 < ?"""


def stayed(database: Database, site: Site, moment_ms: int) -> dict[bytes, int]:
    """Return until when visitors were here whose visits may have begun before a moment and gone on after it.

    A visit may go on under another hash: in a session that begins after the moment, of one that ended before it.
    """
    day = day_of(site.timezone, moment_ms - 1)
    buckets = (0, day_after(day, -1), day, day_after(day))
    values = (site.id, *buckets, moment_ms - GAP_MS, moment_ms + GAP_MS)
    found: dict[bytes, int] = {}
    for visitor, last_ts in of_site(database, site.id).read(lambda session: session.ask(STAYED, values)):
        found[bytes(visitor)] = max(last_ts, found.get(bytes(visitor), 0))
    return found


class DailyVisitors:
    """The table of visitors by day. Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, site_id: int, first_day: int, last_day: int, most: int) -> Iterator[list[tuple[int, bytes]]]:
        """Yield (day, visitor) by day, `most` at once."""
        rows = self._ask(AFTER_DAY, (site_id, first_day - 1, last_day, most))
        while rows:
            yield rows
            if len(rows) < most:
                return
            day, visitor = rows[-1]
            rows = self._ask(OF_DAY, (site_id, day, visitor, most))
            if len(rows) < most:
                rows += self._ask(AFTER_DAY, (site_id, day, last_day, most - len(rows)))

    def _ask(self, template: str, values: Sequence[Value]) -> list[tuple[int, bytes]]:
        rows = of_site(self._database, int(values[0])).read(lambda session: session.ask(template, values))
        return [(day, bytes(visitor)) for day, visitor in rows]
