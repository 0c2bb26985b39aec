"""What was heard of a site lately: when, how much, and what its pages are called. Times are epoch ms, UTC."""

from collections.abc import Collection

import msgspec

from visitor_tracker.sessions.fact import PAGEVIEW, Flag, decode_rest
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session

LOOKED_AT = 100_000  # events that are counted: on a busier site "as many as that, or more" is enough
_TITLES_IN = 2_000  # newest views in which titles are looked for

LATEST = """/* Sightings.of_site */
select coalesce(max(ts), 0)
from events
where site_id = ?"""

SINCE = """/* Sightings.of_site */
select count(*), coalesce(sum(case when (flags & ?) = 0 then 0 else 1 end), 0)
from (
    select flags
    from events
    where site_id = ? and ts >= ? and ts <= ?
    limit ?
) as some"""

TITLES = """/* Sightings.titles */
select page, body
from events
where site_id = ? and kind = ? and (signals & ?) = 0
order by ts desc
limit ?"""


class Sighting(msgspec.Struct, frozen=True):
    """`counted` of the `events` came through the page counter: its image, or /update."""

    latest_at: int  # 0: never
    events: int
    counted: int


class Sightings:
    """Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_site(self, site_id: int, since: int, until: int) -> Sighting:
        """Return when a site's latest event was, and how many there are between two moments, `LOOKED_AT` at most."""

        def work(session: Session) -> Sighting:
            [(latest,)] = session.ask(LATEST, (site_id,))
            [(events, counted)] = session.ask(SINCE, (int(Flag.COUNTED), site_id, since, until, LOOKED_AT))
            return Sighting(int(latest), int(events), int(counted))

        return of_site(self._database, site_id).read(work)

    def titles(self, site_id: int, pages: Collection[int], robots: int) -> dict[int, str]:
        """Return what those pages (ids of their paths) were called last, where one of the newest views says it."""
        wanted = (site_id, PAGEVIEW, robots, _TITLES_IN)
        found: dict[int, str] = {}
        for page, body in of_site(self._database, site_id).read(lambda session: session.ask(TITLES, wanted)):
            if page in pages and page not in found and body and (title := decode_rest(body).title):
                found[page] = title
        return found
