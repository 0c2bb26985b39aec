"""Recorded sessions: their pieces, what they come to, and snapshots of pages.

    add:  replays:         the session's row, made or locked       (first, so that pieces of a session take turns)
          replay_chunks:   the piece, unless it is there
          page_snapshots:  pages that have none yet
          replay_sites:    what the site's sessions come to

Every writer takes its locks in this order. A session goes as a whole: without its first piece nothing can be shown.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal

import msgspec

from visitor_tracker.store.apart import by_database, of_site
from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Database, Rows, Session, Value, ask_rows

SNAPSHOTS_MOST = 500  # of a site
CHUNKS_MOST = 10_000  # of a session
_SESSIONS_AT_ONCE = 5  # that one transaction deletes: each may have some ten megabytes
_SNAPSHOTS_AT_ONCE = 100

MAKE = """/* ReplayTable.add */
insert into replays (site_id, session, first_at, last_at, chunks, events, bytes, viewport, url)
values (?, ?, ?, ?, 0, 0, 0, ?, ?)
{keep_old_row}"""

LOCK = """/* ReplayTable.add */
select first_at, last_at, chunks, events, bytes
from replays
where site_id = ? and session = ?
{for_update}"""

HAS_CHUNK = """/* ReplayTable.add */
select 1
from replay_chunks
where site_id = ? and session = ? and sequence = ?"""

SITE_SIZE = """/* ReplayTable.add */
select bytes
from replay_sites
where site_id = ?"""

ADD_CHUNK = """/* ReplayTable.add */
insert into replay_chunks (site_id, session, sequence, at, body)
values [(?, ?, ?, ?, ?)]"""

GROW = """/* ReplayTable.add */
update replays
set last_at = ?, chunks = ?, events = ?, bytes = ?
where site_id = ? and session = ?"""

MAKE_SITE = """/* ReplayTable.add */
insert into replay_sites (site_id, sessions, events, bytes)
values (?, 0, 0, 0)
{keep_old_row}"""

ADD_TO_SITE = """/* ReplayTable.add */
update replay_sites
set sessions = sessions + ?, events = events + ?, bytes = bytes + ?
where site_id = ?"""

SNAPSHOTS = """/* ReplayTable.add */
select
    (select count(*) from page_snapshots where site_id = ?),
    exists (select 1 from page_snapshots where site_id = ? and page = ? and viewport = ?)"""

ADD_SNAPSHOT = """/* ReplayTable.add */
insert into page_snapshots (site_id, page, viewport, at, width, height, url, body)
values [(?, ?, ?, ?, ?, ?, ?, ?)]
{keep_old_row}"""

_SESSIONS = """/* ReplayTable.sessions */
select session, first_at, last_at, chunks, events, bytes, viewport, url
from replays
where site_id = ?"""
ONE = f"{_SESSIONS} and session = ?"
NEWEST = f"{_SESSIONS} and last_at < ? order by last_at desc, session limit ?"

CHUNKS = """/* ReplayTable.bodies */
select sequence, body
from replay_chunks
where site_id = ? and session = ? and sequence > ?
order by sequence
limit ?"""

SNAPSHOT = """/* ReplayTable.snapshot */
select url, at, width, height, body
from page_snapshots
where site_id = ? and page = ? and viewport = ?"""

EVENTS = """/* ReplayTable.events */
select coalesce(sum(events), 0)
from replay_sites
where site_id in ([?])"""

OLD = """/* ReplayTable.purge */
select site_id, session
from replays
where site_id = ? and first_at < ?
order by first_at
limit ?"""

OLD_SESSIONS = """/* ReplayTable.old */
select count(*)
from replays
where site_id = ? and first_at < ?"""

OLD_PAGES = """/* ReplayTable.old */
select count(*)
from page_snapshots
where site_id = ? and at < ?"""

FORGET_CHUNKS = """/* ReplayTable.purge */
delete from replay_chunks
where site_id = ? and session = ?"""

FORGET_SESSION = """/* ReplayTable.purge */
delete from replays
where site_id = ? and session = ?"""

OLD_SNAPSHOTS = """/* ReplayTable.purge */
select site_id, page, viewport
from page_snapshots
where site_id = ? and at < ?
order by at
limit ?"""

FORGET_SNAPSHOT = """/* ReplayTable.purge */
delete from page_snapshots
where site_id = ? and page = ? and viewport = ?"""

_CHUNKS_AT_ONCE = 50

Outcome = Literal["stored", "known", "full"]


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """A piece of a session; `body` is packed, `size` bytes and `events` are of what is in it."""

    site_id: int
    session: bytes
    sequence: int
    at: int
    body: bytes
    size: int
    events: int
    viewport: str = ""
    url: str = ""


class PageSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A page as it was; `body` is packed, `viewport` a code."""

    page: bytes
    viewport: int
    at: int
    width: int
    height: int
    url: str
    body: bytes


class Limits(msgspec.Struct, frozen=True, gc=False):
    """How much of one session is kept: bytes (unpacked, more than the store needs), and time from its start.

    `site_size`: bytes of all sessions of a site; strangers can make up any number of sessions.
    """

    size: int
    ms: int
    site_size: int = 1 << 62


class RecordedSession(msgspec.Struct, frozen=True, gc=False):
    """What is known of a recorded session without its pieces; `url` is the page on which it began."""

    site_id: int
    session: bytes
    first_at: int
    last_at: int
    chunks: int
    events: int
    size: int
    viewport: str
    url: str


class ReplayTable:
    """Recordings of a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, chunk: Chunk, limits: Limits, snapshots: Sequence[PageSnapshot] = ()) -> Outcome:
        """Store a piece and the snapshots of pages that have none, in one transaction.

        "known": that piece of the session is there, nothing was done; so after OutcomeUnknown the same call may be
        made again. "full": the session or the site has as much as it may have, nothing was done.
        """
        if chunk.size > limits.size:
            return "full"
        return of_site(self._database, chunk.site_id).write(lambda session: _add(session, chunk, limits, snapshots))

    def one(self, site_id: int, session_id: bytes) -> RecordedSession | None:
        """Return a session, None where there is none."""
        return of_site(self._database, site_id).read(lambda session: recorded(session, site_id, session_id))

    def newest(self, site_ids: Iterable[int], limit: int, before: int) -> list[RecordedSession]:
        """Return the sessions of these sites whose last piece came before that moment, the newest first."""

        def work(session: Session, wanted: Iterable[int]) -> list[RecordedSession]:
            return [
                RecordedSession(site_id, bytes(row[0]), *row[1:])
                for site_id in wanted
                for row in session.ask(NEWEST, (site_id, before, limit))
            ]

        groups = by_database(self._database, sorted(set(site_ids)))
        found = [each for database, ids in groups for each in database.read(partial(work, wanted=ids))]
        return sorted(found, key=lambda each: (-each.last_at, each.session))[:limit]

    def bodies(self, site_id: int, session_id: bytes) -> list[bytes]:
        """Return the packed pieces of a session in order."""
        found: list[bytes] = []
        after = -1
        while True:
            values = (site_id, session_id, after, _CHUNKS_AT_ONCE)
            rows = of_site(self._database, site_id).read(partial(_chunks, values=values))
            found += [bytes(body) for _, body in rows]
            if len(rows) < _CHUNKS_AT_ONCE:
                return found
            after = rows[-1][0]

    def snapshot(self, site_id: int, page: bytes, viewport: int) -> PageSnapshot | None:
        """Return the snapshot of a page, None where there is none."""
        rows = of_site(self._database, site_id).read(lambda session: session.ask(SNAPSHOT, (site_id, page, viewport)))
        if not rows:
            return None
        [(url, at, width, height, body)] = rows
        return PageSnapshot(page, viewport, at, width, height, url, bytes(body))

    def events(self, site_ids: Iterable[int]) -> int:
        """Return how many recorded events of these sites are kept."""

        def work(session: Session, wanted: Sequence[int]) -> Rows:
            return ask_rows(session, EVENTS, (), wanted) if wanted else []

        groups = by_database(self._database, sorted(set(site_ids)))
        return sum(int(row[0]) for database, ids in groups for row in database.read(partial(work, wanted=ids)))

    def forget(self, site_id: int, session_id: bytes) -> bool:
        """Delete a session with all of its pieces; False: there is none."""
        return of_site(self._database, site_id).write(lambda session: _forget(session, (site_id, session_id)))

    def purge(self, site_id: int, before: int) -> int:
        """Delete some of a site's sessions that began, and of its snapshots that were made, before that moment.

        Returns how many; fewer than one transaction's means that no more are left, so call again until it is 0.
        """
        return of_site(self._database, site_id).write(lambda session: _purge(session, site_id, before))

    def old(self, site_id: int, before: int) -> int:
        """Return how many `purge` would delete until nothing is left."""
        [(sessions,)] = of_site(self._database, site_id).read(
            lambda session: session.ask(OLD_SESSIONS, (site_id, before))
        )
        [(snapshots,)] = of_site(self._database, site_id).read(
            lambda session: session.ask(OLD_PAGES, (site_id, before))
        )
        return int(sessions) + int(snapshots)


def recorded(session: Session, site_id: int, session_id: bytes) -> RecordedSession | None:
    """Return a recorded session, None where there is none."""
    rows = session.ask(ONE, (site_id, session_id))
    return RecordedSession(site_id, bytes(rows[0][0]), *rows[0][1:]) if rows else None


def _chunks(session: Session, *, values: Sequence[Value]) -> Rows:
    return session.ask(CHUNKS, values)


def _add(session: Session, chunk: Chunk, limits: Limits, snapshots: Sequence[PageSnapshot]) -> Outcome:
    key: tuple[Value, ...] = (chunk.site_id, chunk.session)
    session.send(MAKE, (*key, chunk.at, chunk.at, chunk.viewport, chunk.url))
    [(first_at, last_at, chunks, events, size)] = session.ask(LOCK, key)
    if session.ask(HAS_CHUNK, (*key, chunk.sequence)):
        return "known"
    if size + chunk.size > limits.size or chunk.at - first_at > limits.ms or chunks >= CHUNKS_MOST:
        return "full"
    if _site_size(session, chunk.site_id) + chunk.size > limits.site_size:
        if not chunks:
            session.send(FORGET_SESSION, key)
        return "full"
    send_bodies(session, ADD_CHUNK, [(*key, chunk.sequence, chunk.at, chunk.body)])
    session.send(GROW, (max(last_at, chunk.at), chunks + 1, events + chunk.events, size + chunk.size, *key))
    _add_snapshots(session, chunk.site_id, snapshots)
    session.send(MAKE_SITE, (chunk.site_id,))
    session.send(ADD_TO_SITE, (0 if chunks else 1, chunk.events, chunk.size, chunk.site_id))
    return "stored"


def _site_size(session: Session, site_id: int) -> int:
    return sum(int(row[0]) for row in session.ask(SITE_SIZE, (site_id,)))


def _add_snapshots(session: Session, site_id: int, snapshots: Sequence[PageSnapshot]) -> None:
    for each in sorted(snapshots, key=lambda snapshot: (snapshot.page, snapshot.viewport)):
        [(number, is_there)] = session.ask(SNAPSHOTS, (site_id, site_id, each.page, each.viewport))
        if number < SNAPSHOTS_MOST and not is_there:
            row = (site_id, each.page, each.viewport, each.at, each.width, each.height, each.url, each.body)
            send_bodies(session, ADD_SNAPSHOT, [row])


def _purge(session: Session, site_id: int, before: int) -> int:
    old = session.ask(OLD, (site_id, before, _SESSIONS_AT_ONCE))
    for key in sorted((site_id, bytes(session_id)) for _, session_id in old):
        _forget(session, key)
    snapshots: Rows = session.ask(OLD_SNAPSHOTS, (site_id, before, _SNAPSHOTS_AT_ONCE))
    for row in sorted((site_id, bytes(page), viewport) for _, page, viewport in snapshots):
        session.send(FORGET_SNAPSHOT, row)
    return len(old) + len(snapshots)


def _forget(session: Session, key: tuple[int, bytes]) -> bool:
    """Delete a session; one that went on meanwhile is asked for again, locked. False: there is none."""
    rows = session.ask(LOCK, key)
    if rows:
        _, _, _, events, size = rows[0]
        session.send(FORGET_CHUNKS, key)
        session.send(FORGET_SESSION, key)
        session.send(ADD_TO_SITE, (-1, -events, -size, key[0]))
    return bool(rows)
