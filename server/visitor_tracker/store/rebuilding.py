"""Replace what the fold made of one day of a site, in one transaction; and read the events it was made of."""

from visitor_tracker.measures import NAMES, Dimension, Measures, packed
from visitor_tracker.store.session import Session

READ_LEASE = """/* Rebuild.take_lease */
select epoch
from site_lease
where site_id = ?
{for_update}"""

TAKE_LEASE = """/* Rebuild.take_lease */
update site_lease
set holder = ?, epoch = ?, until_at = ?
where site_id = ?"""

MAKE_LEASE = """/* Rebuild.take_lease */
insert into site_lease (holder, epoch, until_at, site_id)
values (?, ?, ?, ?)"""

HOLDER = """/* Rebuild.keep_lease */
select holder, epoch
from site_lease
where site_id = ?
{for_update}"""

RAW_DAYS = """/* Rebuild.raw_days */
select day, raw_complete
from raw_days
where site_id = ?
order by day"""

_COLUMNS = ", ".join(NAMES)

DAY_ROWS = f"""/* Rebuild.day_rows */
select dimension, value, {_COLUMNS}
from rollup_day
where site_id = ? and dimension = ? and period = ?"""

CLEAR_HOURS = """/* Rebuild.clear_day */
delete from rollup_hour
where site_id = ? and dimension = ? and period >= ? and period < ?"""

CLEAR_DAY = """/* Rebuild.clear_day */
delete from rollup_day
where site_id = ? and dimension = ? and period = ?"""

CLEAR_VISITORS = """/* Rebuild.clear_day */
delete from daily_visitors
where site_id = ? and day = ?"""

_DIMENSIONS = [int(dimension) for dimension in Dimension]


def take_lease(session: Session, site_id: int, holder: str, until: int) -> None:
    """Make `holder` the one that folds the site until this epoch ms, whoever did so before."""
    found = session.ask(READ_LEASE, (site_id,))
    epoch = found[0][0] + 1 if found else 1
    session.send(TAKE_LEASE if found else MAKE_LEASE, (holder, epoch, until, site_id))


def keep_lease(session: Session, site_id: int, holder: str, until: int) -> bool:
    """Go on holding the lease until that epoch ms; False: somebody has had it since it was taken."""
    found = session.ask(HOLDER, (site_id,))
    if not found or found[0][0] != holder:
        return False
    session.send(TAKE_LEASE, (holder, found[0][1], until, site_id))
    return True


def raw_days(session: Session, site_id: int) -> dict[int, bool]:
    """Return the days of which events were folded, and whether all of these are still there."""
    return {day: bool(complete) for day, complete in session.ask(RAW_DAYS, (site_id,))}


def day_rows(session: Session, site_id: int, day: int) -> dict[tuple[int, int, int], int]:
    """Return a day's rollup as packed measures by dimension, value and day."""
    rows = [row for dimension in _DIMENSIONS for row in session.ask(DAY_ROWS, (site_id, dimension, day))]
    return {(row[0], row[1], day): packed(Measures(*map(int, row[2:]))) for row in rows}


def clear_day(session: Session, site_id: int, day: int, hours: tuple[int, int]) -> None:
    """Delete a day's rollups, and those of its hours: of the first one and before the other of `hours`."""
    for dimension in _DIMENSIONS:
        session.send(CLEAR_HOURS, (site_id, dimension, *hours))
        session.send(CLEAR_DAY, (site_id, dimension, day))
    session.send(CLEAR_VISITORS, (site_id, day))
