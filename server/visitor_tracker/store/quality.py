"""How many events of browser tabs have come, and how many should have.

    fold ──▶ tabs ──when none of an hour's can send any more──▶ quality_hour

A tab is expected to have sent as many events as the highest of their numbers says. Where more have come, two tabs
share a number (a browser's copy of a tab has it too), and as many are expected as came: what one tab has too many
hides no loss of another.
"""

from collections.abc import Mapping

import msgspec

from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session, Value, send_rows

_TABS_AT_ONCE = 500  # that one transaction adds up: visits wait for no more than that

ADD_TABS = """/* add_tabs */
insert into tabs (site_id, hour, tab, received, highest)
values [(?, ?, ?, ?, ?)]
{add_tabs}"""

FIRST_HOUR = """/* QualityTable.old_sites */
select site_id, hour
from tabs
where site_id > ?
order by site_id, hour
limit 1"""

OLD_TABS = """/* QualityTable.add_up */
select hour, tab, received, highest
from tabs
where site_id = ? and hour < ?
order by hour, tab
limit ?
{for_update}"""

ADD_HOURS = """/* QualityTable.add_up */
insert into quality_hour (site_id, hour, tabs, received, expected)
values [(?, ?, ?, ?, ?)]
{add_quality}"""

FORGET_TABS = """/* QualityTable.add_up */
delete from tabs
where site_id = ? and hour = ? and tab in ([?])"""

# One statement, so that no tab is seen twice or not at all while it is added up.
HOURS = """/* QualityTable.hours */
select hour, sum(tabs), sum(received), sum(expected)
from (
    select hour, tabs, received, expected
    from quality_hour
    where site_id = ? and hour >= ? and hour < ?
    union all
    select hour, count(*), sum(received), sum(case when highest > received then highest else received end)
    from tabs
    where site_id = ? and hour >= ? and hour < ?
    group by hour
) as parts
group by hour
order by hour"""

TabSums = Mapping[tuple[int, bytes], tuple[int, int]]  # by hour and tab: received, highest


class HourOfTabs(msgspec.Struct, frozen=True, gc=False):
    """The tabs that began in an hour (epoch ms), and the events of them: how many came, how many should have."""

    hour: int
    tabs: int
    received: int
    expected: int


def add_tabs(session: Session, site_id: int, tabs: TabSums) -> None:
    """Add events to their tabs; the caller holds the site's lease."""
    values: list[Value] = []
    for (hour, tab), (received, highest) in sorted(tabs.items()):
        values += (site_id, hour, tab, received, highest)
    send_rows(session, ADD_TABS, 5, values)


class QualityTable:
    """The tabs of a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(self, site_id: int, start_ms: int, end_ms: int) -> list[HourOfTabs]:
        """Return the hours that have tabs, of those that begin from `start_ms` to before `end_ms`."""
        span = (site_id, start_ms, end_ms)
        rows = of_site(self._database, site_id).read(lambda session: session.ask(HOURS, (*span, *span)))
        return [HourOfTabs(*map(int, row)) for row in rows]

    def old_sites(self, before: int) -> list[int]:
        """Return the sites that have tabs of hours before `before`, epoch ms."""

        def work(session: Session) -> list[int]:
            found: list[int] = []
            rows = session.ask(FIRST_HOUR, (0,))
            while rows:
                [(site_id, hour)] = rows
                if hour < before:
                    found.append(site_id)
                rows = session.ask(FIRST_HOUR, (site_id,))
            return found

        return self._database.read(work)

    def add_up(self, site_id: int, before: int) -> int:
        """Make numbers of some of a site's tabs of hours before `before`; return of how many, 0: none is left."""
        return of_site(self._database, site_id).write(lambda session: _add_up(session, site_id, before))


def _add_up(session: Session, site_id: int, before: int) -> int:
    rows = session.ask(OLD_TABS, (site_id, before, _TABS_AT_ONCE))
    hours: dict[int, list[tuple[bytes, int, int]]] = {}
    for hour, tab, received, highest in rows:
        hours.setdefault(hour, []).append((bytes(tab), received, max(received, highest)))
    values: list[Value] = []
    for hour, tabs in hours.items():
        values += (site_id, hour, len(tabs), sum(each[1] for each in tabs), sum(each[2] for each in tabs))
    send_rows(session, ADD_HOURS, 5, values)
    for hour, tabs in hours.items():
        session.send(FORGET_TABS, (site_id, hour, *(each[0] for each in tabs)), len(tabs))
    return len(rows)
