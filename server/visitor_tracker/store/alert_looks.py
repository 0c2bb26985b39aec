"""What alerts look at and no report does: the latest visit, and what waits to be counted."""

from visitor_tracker.event import ROBOT
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session

LATEST = """/* LookTable.latest */
select ts
from events
where site_id = ? and (signals & ?) = 0
order by ts desc
limit 1"""

OLDEST = """/* LookTable.waiting_since */
select at
from inbox
where site_id = ?
order by id
limit 1"""


class LookTable:
    """Methods raise what `Database.read` does; any thread. Times are epoch ms, 0: none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, site_id: int) -> int:
        """Return when somebody who is no robot was last heard of."""
        rows = of_site(self._database, site_id).read(lambda session: session.ask(LATEST, (site_id, ROBOT)))
        return int(rows[0][0]) if rows else 0

    def waiting_since(self, site_ids: list[int]) -> int:
        """Return since when the oldest of what these sites got waits to be counted."""

        def work(session: Session) -> int:
            found = [row[0] for site_id in site_ids for row in session.ask(OLDEST, (site_id,))]
            return int(min(found, default=0))

        return self._database.read(work)
