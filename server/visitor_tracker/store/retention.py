"""Delete what was kept long enough, a few rows at a time, and count what would go.

Events lead to other tables: with those of a visitor's day it is forgotten that the visitor was there. With the first
event of a day it is noted that the day cannot be made again; who makes it just now starts again and finds that.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from visitor_tracker.sessions.fact import NOBODY, decode_rest
from visitor_tracker.sessions.session import decode_session
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.bulk import send_each
from visitor_tracker.store.erasing import seize
from visitor_tracker.store.erasing_site import forget_up_to
from visitor_tracker.store.extracts import forget_extracts
from visitor_tracker.store.session import Database, Session, Value, send_rows
from visitor_tracker.store.verdicts import purge as purge_verdicts

_ROWS = 500  # that one transaction deletes: visits wait for no more than that

NEXT_SITE = """/* RetentionTables.sites */
select min(site_id)
from (
    select min(site_id) as site_id from events where site_id > ?
    union all select min(site_id) from sessions where site_id > ?
    union all select min(site_id) from ip_records where site_id > ?
    union all select min(site_id) from visitor_profiles where site_id > ?
    union all select min(site_id) from replays where site_id > ?
    union all select min(site_id) from page_snapshots where site_id > ?
) as sites"""

OLD_EVENTS = """/* RetentionTables.events */
select ts, id, visitor, day, body
from events
where site_id = ? and ts < ?
order by ts, id
limit ?"""

WHOLE_DAYS = """/* RetentionTables.events */
select day
from raw_days
where site_id = ? and raw_complete = 1 and day <= ?"""

MARK_DAY = """/* RetentionTables.events */
update raw_days
set raw_complete = 0
where site_id = ? and day = ?"""

FORGET_DAY = """/* RetentionTables.events */
delete from visitor_days
where site_id = ? and visitor = ? and day = ?"""

FORGET_CLIENT = """/* RetentionTables.events */
delete from client_sessions
where site_id = ? and client = ? and visitor = ? and day = ?"""

FIRST_BUCKET = """/* RetentionTables.sessions */
select min(bucket)
from sessions
where site_id = ? and bucket > ? and bucket < ?"""

OLD_SESSIONS = """/* RetentionTables.sessions */
select visitor, first_ts, last_ts, body
from sessions
where site_id = ? and bucket = ? and last_ts < ?
order by visitor, first_ts
limit ?"""

FORGET_SESSION = """/* RetentionTables.sessions */
delete from sessions
where site_id = ? and bucket = ? and visitor = ? and first_ts = ?"""

KEEP_PROFILES = """/* RetentionTables.sessions */
insert into visitor_profiles (site_id, visitor, first_at, last_at, visits, note)
values [(?, ?, ?, ?, ?, '')]
{merge_profile}"""

OLD_DAILY = """/* RetentionTables.daily */
select day, visitor
from daily_visitors
where site_id = ? and day < ?
order by day, visitor
limit ?"""

OLD_SEEN = """/* RetentionTables.seen */
select month, visitor, dimension, value
from seen
where site_id = ? and month < ?
order by month, visitor, dimension, value
limit ?"""

OLD_LINKS = """/* RetentionTables.links */
select visitor, previous
from visitor_links
where site_id = ? and at < ?
order by visitor, previous
limit ?"""

FORGET_LINK = """/* RetentionTables.links */
delete from visitor_links
where site_id = ? and visitor = ? and previous = ? and at < ?"""

OLD_RECORDS = """/* RetentionTables.ip_records */
select ip
from ip_records
where site_id = ? and last_at < ?
order by last_at
limit ?"""

FORGET_RECORD = """/* RetentionTables.ip_records */
delete from ip_records
where site_id = ? and ip = ? and last_at < ?"""

OLD_PROFILES = """/* RetentionTables.profiles */
select visitor
from visitor_profiles
where site_id = ? and last_at < ?
order by last_at
limit ?"""

LAST_DAY = """/* RetentionTables.profiles */
select coalesce(max(day), 0)
from visitor_days
where site_id = ? and visitor = ?"""

FORGET_PROFILE = """/* RetentionTables.profiles */
delete from visitor_profiles
where site_id = ? and visitor = ? and last_at < ?"""

KEEP_PROFILE = """/* RetentionTables.profiles */
update visitor_profiles
set last_at = ?
where site_id = ? and visitor = ?"""

COUNT_EVENTS = """/* RetentionTables.count */
select count(*)
from events
where site_id = ? and ts < ?"""

COUNT_SESSIONS = """/* RetentionTables.count */
select count(*)
from sessions
where site_id = ? and bucket < ? and last_ts < ?"""

COUNT_RECORDS = """/* RetentionTables.count */
select count(*)
from ip_records
where site_id = ? and last_at < ?"""

COUNT_PROFILES = """/* RetentionTables.count */
select count(*)
from visitor_profiles
where site_id = ? and last_at < ?"""


class Before(NamedTuple):
    """The first day that is kept, and the epoch ms at which it begins."""

    day: int
    ms: int


class RetentionTables:
    """Methods raise what `Database.read` and `Database.write` do; any thread. Each step returns how many rows went."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sites(self) -> list[int]:
        """Return the sites of which something is kept, also of those that are on no list; few look-ups for each."""

        def work(session: Session) -> list[int]:
            found: list[int] = []
            [(site_id,)] = session.ask(NEXT_SITE, (0,) * 6)
            while site_id is not None:
                found.append(int(site_id))
                [(site_id,)] = session.ask(NEXT_SITE, (site_id,) * 6)
            return found

        return self._database.read(work)

    def events(self, site_id: int, before: Before) -> int:
        return of_site(self._database, site_id).write(lambda session: _events(session, site_id, before))

    def sessions(self, site_id: int, before: Before, *, keeps_profiles: bool) -> int:
        """Delete visits that ended before; with `keeps_profiles` it stays known how many a visitor made, and when."""

        def work(session: Session) -> int:
            return _sessions(session, site_id, before, keeps_profiles=keeps_profiles)

        return of_site(self._database, site_id).write(work)

    def daily(self, site_id: int, before: Before) -> int:
        return of_site(self._database, site_id).write(lambda session: _daily(session, site_id, before.day))

    def verdicts(self, site_id: int, before: Before) -> int:
        """Delete what was found of visitors' days."""
        return of_site(self._database, site_id).write(lambda session: purge_verdicts(session, site_id, before.day))

    def seen(self, site_id: int, month: int) -> int:
        """Delete who was counted for what in months before that one."""
        return of_site(self._database, site_id).write(lambda session: _seen(session, site_id, month))

    def links(self, site_id: int, before: Before) -> int:
        return of_site(self._database, site_id).write(lambda session: _links(session, site_id, before.ms))

    def ip_records(self, site_id: int, before_ms: int) -> int:
        return of_site(self._database, site_id).write(lambda session: _ip_records(session, site_id, before_ms))

    def profiles(self, site_id: int, before: Before) -> int:
        """Delete profiles of visitors who did not come for so long; of those who did it is noted."""
        return of_site(self._database, site_id).write(lambda session: _profiles(session, site_id, before))

    def count(self, site_id: int, what: str, before: Before) -> int:
        """Return how many rows of events, visits, ip_records or profiles there are from before."""
        values: dict[str, tuple[str, tuple[Value, ...]]] = {
            "events": (COUNT_EVENTS, (site_id, before.ms)),
            "visits": (COUNT_SESSIONS, (site_id, before.day, before.ms)),
            "ip_records": (COUNT_RECORDS, (site_id, before.ms)),
            "profiles": (COUNT_PROFILES, (site_id, before.ms)),
        }
        template, asked = values[what]
        return int(of_site(self._database, site_id).read(lambda session: session.ask(template, asked))[0][0])


def _events(session: Session, site_id: int, before: Before) -> int:
    rows = session.ask(OLD_EVENTS, (site_id, before.ms, _ROWS))
    if not rows:
        return 0
    gone = {row[3] for row in rows}
    whole = {row[0] for row in session.ask(WHOLE_DAYS, (site_id, max(gone)))}
    if gone & whole:
        seize(session, site_id)
        send_each(session, MARK_DAY, [(site_id, day) for day in sorted(gone & whole)])
    people = {(bytes(row[2]), row[3]) for row in rows} - {(NOBODY, day) for day in gone}
    send_each(session, FORGET_DAY, [(site_id, *each) for each in sorted(people)])
    send_each(session, FORGET_CLIENT, [(site_id, *each) for each in sorted(_clients(rows))])
    forget_up_to(session, "events", ("ts", "id"), site_id, rows[-1][:2])
    return len(rows)


def _clients(rows: Iterable[Sequence[object]]) -> set[tuple[bytes, bytes, int]]:
    found: set[tuple[bytes, bytes, int]] = set()
    for _, _, visitor, day, body in rows:
        if body and isinstance(body, bytes | bytearray) and isinstance(visitor, bytes | bytearray):
            client = decode_rest(body).client
            if client and isinstance(day, int):
                found.add((client, bytes(visitor), day))
    return found


def _sessions(session: Session, site_id: int, before: Before, *, keeps_profiles: bool) -> int:
    """Delete some of the oldest visits; those that saw more than two days are in the bucket 0."""
    bucket = 0
    while True:
        rows = session.ask(OLD_SESSIONS, (site_id, bucket, before.ms, _ROWS))
        if rows:
            break
        [(bucket,)] = session.ask(FIRST_BUCKET, (site_id, bucket, before.day))
        if bucket is None:
            return 0
    if keeps_profiles:
        _keep_profiles(session, site_id, rows)
    send_each(session, FORGET_SESSION, [(site_id, bucket, visitor, first_ts) for visitor, first_ts, *_ in rows])
    forget_extracts(session, site_id, [bucket])
    return len(rows)


def _keep_profiles(session: Session, site_id: int, rows: Iterable[Sequence[bytes]]) -> None:
    made: dict[bytes, tuple[int, int, int]] = {}
    for visitor, first_ts, last_ts, body in rows:
        if decode_session(body).is_visit:
            first, last, visits = made.get(bytes(visitor), (int(first_ts), 0, 0))
            made[bytes(visitor)] = (min(first, int(first_ts)), max(last, int(last_ts)), visits + 1)
    values: list[Value] = []
    for visitor, profile in sorted(made.items()):
        values += (site_id, visitor, *profile)
    send_rows(session, KEEP_PROFILES, 5, values)


def _daily(session: Session, site_id: int, day: int) -> int:
    rows = session.ask(OLD_DAILY, (site_id, day, _ROWS))
    if rows:
        forget_up_to(session, "daily_visitors", ("day", "visitor"), site_id, rows[-1])
    return len(rows)


def _seen(session: Session, site_id: int, month: int) -> int:
    rows = session.ask(OLD_SEEN, (site_id, month, _ROWS))
    if rows:
        forget_up_to(session, "seen", ("month", "visitor", "dimension", "value"), site_id, rows[-1])
    return len(rows)


def _links(session: Session, site_id: int, before_ms: int) -> int:
    rows = session.ask(OLD_LINKS, (site_id, before_ms, _ROWS))
    send_each(session, FORGET_LINK, [(site_id, *row, before_ms) for row in rows])
    return len(rows)


def _ip_records(session: Session, site_id: int, before_ms: int) -> int:
    rows = session.ask(OLD_RECORDS, (site_id, before_ms, _ROWS))
    send_each(session, FORGET_RECORD, [(site_id, ip, before_ms) for (ip,) in sorted(rows)])
    return len(rows)


def _profiles(session: Session, site_id: int, before: Before) -> int:
    rows = session.ask(OLD_PROFILES, (site_id, before.ms, _ROWS))
    for (visitor,) in sorted(rows):
        [(day,)] = session.ask(LAST_DAY, (site_id, visitor))
        if day >= before.day:
            session.send(KEEP_PROFILE, (before.ms, site_id, visitor))
        else:
            session.send(FORGET_PROFILE, (site_id, visitor, before.ms))
    return len(rows)
