"""Visits by when they began, and what else is known of a few of them: recordings, errors, clicks in rage."""

from collections.abc import Collection, Sequence

import msgspec

from visitor_tracker.event import KIND_CODES
from visitor_tracker.sessions.fact import Rest, decode_rest
from visitor_tracker.sessions.session import VisitorSession, decode_session
from visitor_tracker.store.session import Session, ask_rows

# In the order of the index sessions_first, read from its end.
NEWEST = """/* visit_list.newest */
select visitor, body
from sessions
where site_id = ? and first_ts >= ? and first_ts <= ? and (first_ts < ? or visitor < ?)
order by first_ts desc, visitor desc
limit ?"""

RECORDINGS = """/* visit_list.recordings */
select found.visitor, replays.session, replays.first_at, replays.last_at
from replays
inner join client_sessions found on found.site_id = replays.site_id and found.client = replays.session
where replays.site_id = ? and replays.last_at >= ? and replays.last_at <= ? and found.visitor in ([?])"""

RECORDED = """/* visit_list.recorded */
select found.visitor, found.ts
from replays
inner join client_sessions found on found.site_id = replays.site_id and found.client = replays.session
where replays.site_id = ? and replays.last_at >= ? and replays.last_at <= ?
order by replays.last_at desc, found.visitor, found.ts
limit ?"""

TROUBLES = """/* visit_list.troubles */
select visitor, ts, kind, body
from events
where site_id = ? and ts >= ? and ts <= ? and kind in (?, ?) and (signals & ?) = 0 and visitor in ([?])"""

_CLICK, _ERROR = KIND_CODES["click"], KIND_CODES["error"]
_EMPTY = Rest()


class Begin(msgspec.Struct, frozen=True, gc=False):
    """Where a list goes on: behind the visit of that visitor that began at `ts`."""

    ts: int
    visitor: bytes


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A recording of a visitor's; the times are those of arrival."""

    visitor: bytes
    session: bytes
    first_at: int
    last_at: int


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """An error, or else a click in rage."""

    visitor: bytes
    ts: int
    is_error: bool


def newest(
    session: Session, site_id: int, first_ms: int, after: Begin, limit: int
) -> list[tuple[bytes, VisitorSession]]:
    """Return sessions that began at `first_ms` or later, those behind `after`: the newest first."""
    rows = session.ask(NEWEST, (site_id, first_ms, after.ts, after.ts, after.visitor, limit))
    return [(bytes(visitor), decode_session(body)) for visitor, body in rows]


def recordings(session: Session, site_id: int, span: tuple[int, int], visitors: Collection[bytes]) -> list[Recorded]:
    """Return the recordings of these visitors whose last piece came in a span, both ends included."""
    rows = ask_rows(session, RECORDINGS, (site_id, *span), sorted(visitors))
    return [Recorded(bytes(visitor), bytes(name), first, last) for visitor, name, first, last in rows]


def recorded(session: Session, site_id: int, span: tuple[int, int], limit: int) -> list[tuple[bytes, int]]:
    """Return (visitor, a moment of the visit) of the newest recordings whose last piece came in a span."""
    return [(bytes(visitor), int(ts)) for visitor, ts in session.ask(RECORDED, (site_id, *span, limit))]


def troubles(
    session: Session, site_id: int, span: tuple[int, int], visitors: Collection[bytes], *, robots: int
) -> list[Trouble]:
    """Return the errors and clicks in rage of these visitors in a span; reads all of the site's events in it."""
    values = (site_id, *span, _CLICK, _ERROR, robots)
    rows: Sequence[tuple[bytes, int, int, bytes]] = ask_rows(session, TROUBLES, values, sorted(visitors))
    return [
        Trouble(bytes(visitor), ts, kind == _ERROR)
        for visitor, ts, kind, body in rows
        if kind == _ERROR or is_rage(decode_rest(bytes(body)) if body else _EMPTY)
    ]


def is_rage(rest: Rest) -> bool:
    """Say whether a click was the third at one place within a second."""
    return rest.properties.get("rage") is True
