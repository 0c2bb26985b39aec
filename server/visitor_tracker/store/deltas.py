"""What transactions of the fold came to that is not in the rollups yet; the caller holds the site's lease."""

from collections.abc import Sequence

from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Session, ask_rows

ADD = """/* add_delta */
insert into rollup_deltas (site_id, id, body)
values [(?, ?, ?)]"""

IDS = """/* delta_ids */
select id
from rollup_deltas
where site_id = ?
order by id"""

BODIES = """/* delta_bodies */
select body
from rollup_deltas
where site_id = ? and id in ([?])"""

CLEAR = """/* clear_deltas */
delete from rollup_deltas
where site_id = ?"""


def add_delta(session: Session, site_id: int, delta_id: bytes, body: bytes) -> None:
    """Keep what a transaction came to."""
    send_bodies(session, ADD, [(site_id, delta_id, body)])


def delta_ids(session: Session, site_id: int) -> list[bytes]:
    return [bytes(row[0]) for row in session.ask(IDS, (site_id,))]


def delta_bodies(session: Session, site_id: int, ids: Sequence[bytes]) -> list[bytes]:
    """Return the bodies of those ids, in any order."""
    return [bytes(row[0]) for row in ask_rows(session, BODIES, (site_id,), ids)]


def clear_deltas(session: Session, site_id: int) -> None:
    """Delete all of the site's: they are in its rollups now."""
    session.send(CLEAR, (site_id,))
