"""Who visited, and when: sessions, and by what else a visitor is found."""

from collections.abc import Collection, Iterable

import msgspec

from visitor_tracker.sessions.session import VisitorSession, decode_session, encode_session
from visitor_tracker.store.bulk import ByKeys, ask_keys, send_each, send_scattered
from visitor_tracker.store.session import Session, Value, ask_rows, send_rows

SESSIONS_IN: ByKeys = {
    "sqlite": """/* sessions_in */
with wanted (site_id, bucket, visitor) as (values [(?, ?, ?)])
select found.bucket, found.visitor, found.body
from wanted
cross join sessions found
    on found.site_id = wanted.site_id and found.bucket = wanted.bucket and found.visitor = wanted.visitor""",
    "mysql": """/* sessions_in */
select bucket, visitor, body
from sessions force index (primary)
where (site_id, bucket, visitor) in ([(?, ?, ?)])""",
}

PUT_SESSIONS = """/* put_sessions */
insert into sessions (site_id, bucket, visitor, first_ts, last_ts, body)
values [(?, ?, ?, ?, ?, ?)]
{replace_session}"""

REMOVE_SESSION = """/* remove_sessions */
delete from sessions
where site_id = ? and bucket = ? and visitor = ? and first_ts = ?"""

LINKS_FROM = """/* links_of */
select visitor, previous, at, joined
from visitor_links
where site_id = ? and visitor in ([?])"""

LINKS_TO = """/* links_of */
select visitor, previous, at, joined
from visitor_links
where site_id = ? and previous in ([?])"""

ADD_LINKS = """/* add_links */
insert into visitor_links (site_id, visitor, previous, at, joined)
values [(?, ?, ?, ?, ?)]
{merge_link}"""

MARK_JOINED = """/* mark_joined */
update visitor_links
set joined = 1
where site_id = ? and visitor = ? and previous = ?"""

ADD_CLIENT_SESSIONS = """/* add_client_sessions */
insert into client_sessions (site_id, client, visitor, day, ts)
values [(?, ?, ?, ?, ?)]
{keep_first_ts}"""

ADD_DAILY_VISITORS = """/* add_daily_visitors */
insert into daily_visitors (site_id, day, visitor)
values [(?, ?, ?)]
{keep_old_row}"""


class Link(msgspec.Struct, frozen=True, gc=False, order=True):
    """`visitor` was `previous` before the key changed, said at `at`; `joined`: a visit of theirs is one."""

    visitor: bytes
    previous: bytes
    at: int
    joined: bool = False


def sessions_in(
    session: Session, site_id: int, keys: Collection[tuple[int, bytes]]
) -> list[tuple[int, bytes, VisitorSession]]:
    """Return (bucket, visitor, session) of every session in these buckets of these visitors."""
    rows = ask_keys(session, SESSIONS_IN, [(site_id, *key) for key in sorted(keys)])
    return [(bucket, bytes(visitor), decode_session(body)) for bucket, visitor, body in rows]


def put_sessions(session: Session, site_id: int, rows: Iterable[tuple[bytes, VisitorSession]]) -> None:
    """Insert a visitor's sessions, or replace those that begin at the same moment in the same bucket."""
    found = [
        (site_id, visit.bucket, visitor, visit.first_ts, visit.last_ts, encode_session(visit))
        for visitor, visit in rows
    ]
    found.sort()
    send_scattered(session, PUT_SESSIONS, found)


def remove_sessions(session: Session, site_id: int, keys: Iterable[tuple[int, bytes, int]]) -> None:
    """Delete sessions by (bucket, visitor, first_ts); few, those that events grew at their beginning."""
    send_each(session, REMOVE_SESSION, [(site_id, *key) for key in sorted(keys)])


def links_of(session: Session, site_id: int, visitors: Collection[bytes]) -> list[Link]:
    """Return the links, each once, of which one of these is either end."""
    keys = sorted(visitors)
    rows = [row for template in (LINKS_FROM, LINKS_TO) for row in ask_rows(session, template, (site_id,), keys)]
    return sorted({Link(bytes(visitor), bytes(previous), at, bool(joined)) for visitor, previous, at, joined in rows})


def add_links(session: Session, site_id: int, links: Iterable[Link]) -> None:
    """Add links; of one that is there the earliest `at` stays, and that it is joined."""
    values: list[Value] = []
    for link in sorted(links):
        values += (site_id, link.visitor, link.previous, link.at, int(link.joined))
    send_rows(session, ADD_LINKS, 5, values)


def mark_joined(session: Session, site_id: int, pairs: Iterable[tuple[bytes, bytes]]) -> None:
    """Note of links, by (visitor, previous), that they made one visit of two."""
    send_each(session, MARK_JOINED, [(site_id, *pair) for pair in sorted(pairs)])


def add_client_sessions(session: Session, site_id: int, rows: Iterable[tuple[bytes, bytes, int, int]]) -> None:
    """Note (client, visitor, day, ts); of several times of a day the first stays."""
    first: dict[tuple[bytes, bytes, int], int] = {}
    for client, visitor, day, ts in rows:
        key = (client, visitor, day)
        first[key] = min(first.get(key, ts), ts)
    values: list[Value] = []
    for key in sorted(first):
        values += (site_id, *key, first[key])
    send_rows(session, ADD_CLIENT_SESSIONS, 5, values)


def add_daily_visitors(session: Session, site_id: int, rows: Iterable[tuple[int, bytes]]) -> None:
    """Note (day, visitor); what is there already stays."""
    values: list[Value] = []
    for row in sorted(rows):
        values += (site_id, *row)
    send_rows(session, ADD_DAILY_VISITORS, 3, values)
