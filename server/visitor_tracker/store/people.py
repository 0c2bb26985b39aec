"""Read who is here, what one visitor did, and who was here lately. Times are epoch ms, UTC.

Raw events are found by their time (the primary key of `events`), visits by the day on which they began (`sessions`);
nothing here looks at more than the span it is asked for.
"""

from collections.abc import Sequence

import msgspec

from visitor_tracker.event import KIND_CODES, Kind
from visitor_tracker.sessions.fact import NOBODY, PAGEVIEW
from visitor_tracker.store.ip_records import IpRecord, record_of
from visitor_tracker.store.session import Session, ask_rows

MINUTE_MS = 60_000

# What says that somebody is still there, or what a browser measured: a list of what happens would be full of it.
_QUIET: tuple[Kind, ...] = ("scroll", "vital", "engagement")
_QUIET_CODES = tuple(KIND_CODES[kind] for kind in _QUIET)

# Of one minute: numbers of half an hour need no sorting then, and each statement ends soon on any site.
MINUTE = """/* people.minute */
select
    coalesce(sum(case when (signals & ?) = 0 and kind = ? then 1 else 0 end), 0),
    coalesce(sum(case when (signals & ?) = 0 then 0 else 1 end), 0),
    count(*)
from events
where site_id = ? and ts >= ? and ts < ?"""

PRESENT = """/* people.present */
select visitor, latest, count(*) over (), sum(case when latest > ? then 1 else 0 end) over ()
from (
    select visitor, max(ts) as latest
    from events
    where site_id = ? and ts > ? and ts <= ? and (signals & ?) = 0 and visitor <> ?
    group by visitor
) as present
order by latest desc, visitor
limit ?"""

_FEED = """/* people.feed */
select ts, id, visitor, kind, signals, page, context, name, target
from events
where site_id = ? and ts > ? and ts <= ? and (signals & ?) {is_robot} 0 and kind not in (?, ?, ?)
order by ts desc, id desc
limit ?"""
FEED = _FEED.replace("{is_robot}", "=")
FEED_OF_ROBOTS = _FEED.replace("{is_robot}", "<>")

CLIENT = """/* people.client */
select visitor, day, ts
from client_sessions
where site_id = ? and client = ?
order by ts, visitor
limit ?"""

NEWEST_VISITORS = """/* people.newest_visitors */
select visitor, max(last_ts)
from sessions
where site_id = ? and bucket = ? and last_ts >= ?
group by visitor
order by max(last_ts) desc, visitor
limit ?"""

VISITORS_LIKE = """/* people.visitors_like */
select distinct visitor
from sessions
where site_id = ? and visitor >= ? and visitor <= ? and bucket in ([?])
limit 2"""

EVENTS_OF = """/* people.events_of */
select ts, id, body, kind, page, host, source, context, name, target, engaged_ms
from events
where site_id = ? and ts >= ? and ts <= ? and visitor = ? and (signals & ?) = 0
order by ts, id
limit ?"""

DAYS = """/* people.totals */
select coalesce(sum(visitors), 0), coalesce(sum(views), 0)
from rollup_day
where site_id = ? and dimension = 0 and period >= ? and period <= ? and value = 0"""

DISTINCT = """/* people.totals */
select count(distinct visitor)
from daily_visitors
where site_id = ? and day >= ? and day <= ?"""


_IP_RECORDS = """/* people.ip_records */
select ip, first_at, last_at, visits, body
from ip_records
where site_id = ?"""
IP_RECORD = f"{_IP_RECORDS} and ip = ?"
NEWEST_IP_RECORDS = f"{_IP_RECORDS} order by last_at desc, ip limit ?"

IP_TOTALS = """/* people.ip_totals */
select count(*), coalesce(sum(visits), 0)
from ip_records
where site_id = ?"""


class Window(msgspec.Struct, frozen=True, gc=False):
    """The events of a site after `since` up to `until`; `robots` are the signals that make one a robot's."""

    site_id: int
    since: int
    until: int
    robots: int


class Minute(msgspec.Struct, frozen=True, gc=False):
    """What happened in one minute: pageviews of people, events of robots, and events at all."""

    views: int
    robots: int
    events: int


class Present(msgspec.Struct, frozen=True, gc=False):
    """How many visitors did something in a window, how many of them lately, and the newest: (visitor, last seen)."""

    visitors: int
    lately: int
    newest: list[tuple[bytes, int]]


class FeedRow(msgspec.Struct, frozen=True, gc=False):
    """One event as a feed shows it; page, context, name and target are ids."""

    ts: int
    id: bytes
    visitor: bytes
    kind: int
    signals: int
    page: int
    context: int
    name: int
    target: int


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """One event of a known visitor; page, host, source, context, name and target are ids."""

    ts: int
    id: bytes
    body: bytes  # of fact.Rest, or empty
    kind: int
    page: int
    host: int
    source: int
    context: int
    name: int
    target: int
    engaged_ms: int


def minute(session: Session, site_id: int, ts: int, robots: int) -> Minute:
    """Return what happened in the minute that begins at `ts`; `robots` are the signals that make a robot."""
    [(views, of_robots, events)] = session.ask(MINUTE, (robots, PAGEVIEW, robots, site_id, ts, ts + MINUTE_MS))
    return Minute(int(views), int(of_robots), int(events))


def present(session: Session, window: Window, lately: int, limit: int) -> Present:
    """Return who did something in the window; those after `lately` are counted apart."""
    values = (lately, window.site_id, window.since, window.until, window.robots, NOBODY, limit)
    rows = session.ask(PRESENT, values)
    if not rows:
        return Present(0, 0, [])
    return Present(int(rows[0][2]), int(rows[0][3]), [(bytes(visitor), ts) for visitor, ts, *_ in rows])


def feed(session: Session, window: Window, limit: int, *, of_robots: bool = False) -> list[FeedRow]:
    """Return the newest events of people, or of robots; without those that only say somebody is still there."""
    values = (window.site_id, window.since, window.until, window.robots, *_QUIET_CODES, limit)
    return [
        FeedRow(ts, bytes(event_id), bytes(visitor), *rest)
        for ts, event_id, visitor, *rest in session.ask(FEED_OF_ROBOTS if of_robots else FEED, values)
    ]


def client(session: Session, site_id: int, client_id: bytes, limit: int) -> list[tuple[bytes, int, int]]:
    """Return (visitor, day, when first heard of) for the hash of a session id that pages gave."""
    return [(bytes(visitor), day, ts) for visitor, day, ts in session.ask(CLIENT, (site_id, client_id, limit))]


def newest_visitors(session: Session, site_id: int, bucket: int, since: int, limit: int) -> list[tuple[bytes, int]]:
    """Return (visitor, when last seen) of a bucket's visitors that were there after `since`, the newest first."""
    found = session.ask(NEWEST_VISITORS, (site_id, bucket, since, limit))
    return [(bytes(visitor), last_ts) for visitor, last_ts in found]


def visitor_like(session: Session, site_id: int, buckets: Sequence[int], beginning: bytes) -> bytes | None:
    """Return the one visitor of these buckets whose hash begins so; None where there is none, or several."""
    rest = 16 - len(beginning)
    values = (site_id, beginning + bytes(rest), beginning + b"\xff" * rest)
    found = {bytes(row[0]) for row in ask_rows(session, VISITORS_LIKE, values, buckets)}
    return found.pop() if len(found) == 1 else None


def events_of(  # noqa: PLR0913
    session: Session, site_id: int, visitor: bytes, first_ts: int, last_ts: int, *, robots: int, limit: int
) -> list[EventRow]:
    """Return a visitor's events from `first_ts` to `last_ts` in order; reads all of the site's in between.

    `robots` are the signals that make an event a robot's, which is no part of a visit.
    """
    found = session.ask(EVENTS_OF, (site_id, first_ts, last_ts, visitor, robots, limit))
    return [EventRow(ts, bytes(event_id), bytes(body), *rest) for ts, event_id, body, *rest in found]


def totals(session: Session, site_id: int, first_day: int, last_day: int, *, daily: bool) -> tuple[int, int]:
    """Return (visitors, pageviews) of these days; with daily visitor ids no visitor has more than one day."""
    [(visitors, views)] = session.ask(DAYS, (site_id, first_day, last_day))
    if not daily:
        [(visitors,)] = session.ask(DISTINCT, (site_id, first_day, last_day))
    return int(visitors), int(views)


def ip_record(session: Session, site_id: int, ip: str) -> IpRecord | None:
    rows = session.ask(IP_RECORD, (site_id, ip))
    return record_of(*rows[0]) if rows else None


def newest_ip_records(session: Session, site_id: int, limit: int) -> list[IpRecord]:
    """Return the records of a site's addresses, the one seen last first."""
    return [record_of(*row) for row in session.ask(NEWEST_IP_RECORDS, (site_id, limit))]


def ip_totals(session: Session, site_id: int) -> tuple[int, int]:
    """Return (addresses, visits)."""
    [(addresses, visits)] = session.ask(IP_TOTALS, (site_id,))
    return int(addresses), int(visits)
