"""What is erased: the visitors of whom nothing may be stored any more, and how far their erasing is.

    begin:  site_lease:     taken from whoever has it     (first: the fold waits here, and a rebuild starts again)
            sessions, daily_visitors, seen, visitor_links, visitor_profiles, visitor_days:  the visitor's rows go
            erasures:       a mark, by which the fold knows events that come later
            open_erasures:  what is left to do
    then:   events, client_sessions, recordings, records of addresses, a few at a time; open_erasures last

A mark is a hash of the visitor's hash: who has the database cannot tell whose it is, but that of a known hash can be
looked up.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from visitor_tracker.days import day_after, month_of
from visitor_tracker.store.bulk import send_each
from visitor_tracker.store.extracts import forget_extracts
from visitor_tracker.store.folding import MAKE_LEASE, READ_LEASE, TAKE_LEASE
from visitor_tracker.store.session import Session, Value, ask_rows
from visitor_tracker.store.sqlite import SqliteSession
from visitor_tracker.store.statements import pieces

EVERYBODY = bytes(16)  # the mark of a whole site

ADD_MARK = """/* erasing.begin */
insert into erasures (site_id, mark, first_ts, last_ts, at)
values (?, ?, ?, ?, ?)
{merge_erasure}"""

ANY_MARK = """/* erasing.marks */
select 1
from erasures
where site_id = ?
limit 1"""

MARKS = """/* erasing.marks */
select mark, first_ts, last_ts
from erasures
where site_id = ? and mark in ([?])"""

ALL_MARKS = """/* erasing.all_marks */
select mark, first_ts, last_ts
from erasures
where site_id = ?"""

OLD_MARKS = """/* erasing.purge */
select site_id, mark, first_ts
from erasures
where at < ?
order by at
limit ?"""

FORGET_MARK = """/* erasing.purge */
delete from erasures
where site_id = ? and mark = ? and first_ts = ? and at < ?"""

ADD_JOB = """/* erasing.begin */
insert into open_erasures (id, body)
values (?, ?)"""

JOBS = """/* erasing.jobs */
select id, body
from open_erasures
order by id
limit ?"""

END_JOB = """/* erasing.end */
delete from open_erasures
where id = ?"""

DAYS = """/* erasing.days */
select day
from visitor_days
where site_id = ? and visitor = ?
order by day"""

SESSIONS = """/* erasing.begin */
select bucket, first_ts
from sessions
where site_id = ? and visitor = ? and bucket in ([?])"""

FORGET_SESSIONS = """/* erasing.begin */
delete from sessions
where site_id = ? and visitor = ? and bucket in ([?])"""

FORGET_DAILY = """/* erasing.begin */
delete from daily_visitors
where site_id = ? and visitor = ? and day in ([?])"""

FORGET_VERDICTS = """/* erasing.begin */
delete from verdicts
where site_id = ? and visitor = ? and day in ([?])"""

FORGET_REASONS = """/* erasing.forget_reasons */
update verdicts
set reasons = ?, views = 0, events = 0
where site_id = ? and visitor = ? and day = ?"""

FORGET_SEEN = """/* erasing.begin */
delete from seen
where site_id = ? and visitor = ? and month in ([?])"""

FORGET_LINKS_FROM = """/* erasing.begin */
delete from visitor_links
where site_id = ? and visitor = ?"""

FORGET_LINKS_TO = """/* erasing.begin */
delete from visitor_links
where site_id = ? and previous = ?"""

FORGET_PROFILE = """/* erasing.begin */
delete from visitor_profiles
where site_id = ? and visitor = ?"""

FORGET_DAYS = """/* erasing.begin */
delete from visitor_days
where site_id = ? and visitor = ?"""

FORGET_SOME_DAYS = """/* erasing.forget_days */
delete from visitor_days
where site_id = ? and visitor = ? and day = ? and first_at <= ?"""

FORGET_SOME_DAILY = """/* erasing.forget_visit */
delete from daily_visitors
where site_id = ? and visitor = ? and day = ?"""

EVENTS = """/* erasing.events */
select ts, id, day, body
from events
where site_id = ? and ts >= ? and ts < ? and visitor = ?
order by ts, id
limit ?"""

FORGET_EVENT = """/* erasing.forget_events */
delete from events
where site_id = ? and ts = ? and id = ?"""

FORGET_CLIENT = """/* erasing.forget_events */
delete from client_sessions
where site_id = ? and client = ? and visitor = ? and day = ?"""

FORGET_IP_RECORD = """/* erasing.forget_ip_record */
delete from ip_records
where site_id = ? and ip = ?"""

Spans = Mapping[bytes, Sequence[tuple[int, int]]]  # by mark: first and last ts, both included


class Job(msgspec.Struct, frozen=True, array_like=True):
    """What is to be erased: a visitor's events from `first_ts` to `last_ts`, which lie in `spans` (end excluded).

    Without a visitor it is all of the site. New fields come last, with a default.
    """

    site_id: int
    visitor: bytes
    first_ts: int
    last_ts: int
    spans: tuple[tuple[int, int], ...] = ()


class OpenJob(NamedTuple):
    """A job that is not done; `id` begins with the time."""

    id: bytes
    job: Job


class EventRow(NamedTuple):
    """An event of a visitor; `body` is of fact.Rest, or empty."""

    ts: int
    id: bytes
    day: int
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Job).decode


def mark_of(site_id: int, visitor: bytes) -> bytes:
    """Return by what the erasing of a visitor is known."""
    seed = site_id.to_bytes(8, "big", signed=True)
    return blake2b(seed + visitor, digest_size=16, person=b"erased").digest()


def seize(session: Session, site_id: int) -> None:
    """Take the site's lease from whoever has it, and give it back with the end of this transaction.

    The fold takes it again with its next transaction. A rebuild that has read before must start again.
    """
    rows = session.ask(READ_LEASE, (site_id,))
    if not rows:
        session.send(MAKE_LEASE, (site_id,))
        rows = session.ask(READ_LEASE, (site_id,))
    session.send(TAKE_LEASE, ("", rows[0][1] + 1, 0, site_id))


def overwrite(session: Session) -> None:
    """Leave nothing of what this transaction deletes in the file and in its log; so much only SQLite can be told."""
    if isinstance(session, SqliteSession):
        session.erase()


def days_of(session: Session, site_id: int, visitor: bytes) -> list[int]:
    """Return the days on which a visitor was there."""
    return [row[0] for row in session.ask(DAYS, (site_id, visitor))]


def forget_visitor(session: Session, site_id: int, visitor: bytes, days: Collection[int]) -> int:
    """Delete all that is found by the visitor and those days, but events; return how many sessions it were."""
    overwrite(session)
    buckets = sorted({0, *days, *(day_after(day, -1) for day in days)})
    sessions = len(ask_rows(session, SESSIONS, (site_id, visitor), buckets))
    _send_in(session, FORGET_SESSIONS, (site_id, visitor), buckets)
    forget_extracts(session, site_id, buckets)
    _send_in(session, FORGET_DAILY, (site_id, visitor), sorted(days))
    _send_in(session, FORGET_VERDICTS, (site_id, visitor), sorted(days))
    _send_in(session, FORGET_SEEN, (site_id, visitor), sorted({month_of(day) for day in days}))
    for template in (FORGET_LINKS_FROM, FORGET_LINKS_TO, FORGET_PROFILE, FORGET_DAYS):
        session.send(template, (site_id, visitor))
    return sessions


def forget_day(session: Session, site_id: int, visitor: bytes, day: int, until: int) -> None:
    """Delete that a visitor was there on a day, if that was first so at `until` or before."""
    session.send(FORGET_SOME_DAYS, (site_id, visitor, day, until))


def forget_reasons(session: Session, site_id: int, visitor: bytes, days: Iterable[int]) -> None:
    """Delete why a visitor is taken for a robot, which tells what was done on those days."""
    send_each(session, FORGET_REASONS, [(b"[]", site_id, visitor, day) for day in days])


def forget_daily(session: Session, site_id: int, visitor: bytes, day: int) -> None:
    session.send(FORGET_SOME_DAILY, (site_id, visitor, day))


def add_job(session: Session, job_id: bytes, job: Job, at: int) -> OpenJob:
    """Mark what is to be erased, and that it is not done yet."""
    mark = mark_of(job.site_id, job.visitor) if job.visitor else EVERYBODY
    session.send(ADD_MARK, (job.site_id, mark, job.first_ts, job.last_ts, at))
    session.send(ADD_JOB, (job_id, _encode(job)))
    return OpenJob(job_id, job)


def jobs(session: Session, most: int) -> list[OpenJob]:
    """Return what is not done yet, the oldest first."""
    return [OpenJob(bytes(job_id), _decode(body)) for job_id, body in session.ask(JOBS, (most,))]


def end_job(session: Session, job_id: bytes) -> None:
    overwrite(session)  # and of all that the log still holds
    session.send(END_JOB, (job_id,))


def marks(session: Session, site_id: int, visitors: Iterable[bytes]) -> Spans:
    """Return what was erased of these visitors and of the whole site; mostly nothing, which one look-up tells."""
    if not session.ask(ANY_MARK, (site_id,)):
        return {}
    wanted = sorted({EVERYBODY, *(mark_of(site_id, visitor) for visitor in visitors if visitor)})
    return _spans(ask_rows(session, MARKS, (site_id,), wanted))


def all_marks(session: Session, site_id: int) -> Spans:
    """Return all that was erased of a site."""
    return _spans(session.ask(ALL_MARKS, (site_id,)))


def _spans(rows: Iterable[Sequence[object]]) -> Spans:
    found: dict[bytes, list[tuple[int, int]]] = {}
    for mark, first_ts, last_ts in rows:
        assert isinstance(mark, bytes | bytearray)
        assert isinstance(first_ts, int)
        assert isinstance(last_ts, int)
        found.setdefault(bytes(mark), []).append((first_ts, last_ts))
    return found


def is_erased(spans: Spans, site_id: int, visitor: bytes, ts: int) -> bool:
    """Say whether an event is one that must not be stored."""
    if not spans:
        return False
    of_visitor = spans.get(mark_of(site_id, visitor), ()) if visitor else ()
    return any(first <= ts <= last for first, last in (*of_visitor, *spans.get(EVERYBODY, ())))


def purge_marks(session: Session, *, before: int, most: int) -> int:
    """Delete the oldest marks that were made before `before`; return how many."""
    rows = session.ask(OLD_MARKS, (before, most))
    send_each(session, FORGET_MARK, [(*row, before) for row in sorted(rows)])
    return len(rows)


def events(session: Session, job: Job, start: int, end: int, most: int) -> list[EventRow]:
    """Return the first events of a job from `start` to before `end`."""
    first, last = max(start, job.first_ts), min(end, job.last_ts + 1)
    rows = session.ask(EVENTS, (job.site_id, first, last, job.visitor, most)) if first < last else []
    return [EventRow(ts, bytes(event_id), day, bytes(body)) for ts, event_id, day, body in rows]


def forget_events(
    session: Session, site_id: int, visitor: bytes, rows: Iterable[EventRow], clients: Iterable[tuple[bytes, int]]
) -> None:
    """Delete events of a visitor, and that pages gave it these ids of sessions on these days."""
    send_each(session, FORGET_EVENT, [(site_id, row.ts, row.id) for row in rows])
    send_each(session, FORGET_CLIENT, [(site_id, client, visitor, day) for client, day in sorted(set(clients))])


def forget_ip_records(session: Session, site_id: int, addresses: Iterable[str]) -> None:
    send_each(session, FORGET_IP_RECORD, [(site_id, ip) for ip in sorted(set(addresses))])


def _send_in(session: Session, template: str, before: Sequence[Value], keys: Sequence[Value]) -> None:
    """Send a statement whose last values are a list of keys, in as many pieces as it takes."""
    start = 0
    for number in pieces(session.dialect, len(keys)):
        session.send(template, [*before, *keys[start : start + number]], number)
        start += number
