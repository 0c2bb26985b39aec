"""Look for visitors by what else is stored of them."""

from functools import partial

from visitor_tracker.sessions.fact import NOBODY, decode_rest
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Rows, Session

_ROWS = 2_000
_DAY_MS = 86_400_000  # of events that one statement looks through

HAS_RECORD = """/* subjects.with_address */
select 1
from ip_records
where site_id = ? and ip = ?"""

FIRST = """/* subjects.with_address */
select min(ts), max(ts)
from events
where site_id = ?"""

# The address lies in the body as it is; which bodies have it in its place is seen when they are read.
WITH_ADDRESS = """/* subjects.with_address */
select ts, id, visitor, body
from events
where site_id = ? and ts >= ? and (ts > ? or id > ?) and ts < ? and instr(body, ?) > 0
order by ts, id
limit ?"""

BODIES = """/* subjects.bodies_of */
select body
from events
where site_id = ? and ts >= ? and ts < ? and visitor = ? and length(body) > 0"""

IS_STORED = """/* subjects.is_stored */
select
    exists (select 1 from visitor_days where site_id = ? and visitor = ?),
    exists (select 1 from visitor_profiles where site_id = ? and visitor = ?)"""


def with_address(database: Database, site_id: int, ip: str) -> tuple[set[bytes], bool]:
    """Return the visitors whose events have an address, and whether it is known at all; reads all events of a site."""
    is_known = bool(of_site(database, site_id).read(lambda session: session.ask(HAS_RECORD, (site_id, ip))))
    [(first, last)] = of_site(database, site_id).read(lambda session: session.ask(FIRST, (site_id,)))
    found: set[bytes] = set()
    if first is None:
        return found, is_known
    for start in range(int(first), int(last) + 1, _DAY_MS):
        ts, event_id, end = start, b"", start + _DAY_MS
        while True:
            values = (site_id, ts, ts, event_id, end, ip.encode(), _ROWS)
            rows: Rows = of_site(database, site_id).read(partial(_ask, values=values))
            told = [row for row in rows if decode_rest(row[3]).ip == ip]
            found |= {bytes(row[2]) for row in told}
            is_known = is_known or bool(told)
            if len(rows) < _ROWS:
                break
            ts, event_id = int(rows[-1][0]), bytes(rows[-1][1])
    return found - {NOBODY}, is_known


def _ask(session: Session, *, values: tuple[int | bytes, ...]) -> Rows:
    return session.ask(WITH_ADDRESS, values)


def is_stored(session: Session, site_id: int, visitor: bytes) -> bool:
    """Say whether anything is stored of a visitor."""
    [found] = session.ask(IS_STORED, (site_id, visitor, site_id, visitor))
    return any(found)


def bodies_of(session: Session, *, site_id: int, visitor: bytes, start: int, end: int) -> list[bytes]:
    """Return what is rare of a visitor's events in a span."""
    return [bytes(row[0]) for row in session.ask(BODIES, (site_id, start, end, visitor))]
