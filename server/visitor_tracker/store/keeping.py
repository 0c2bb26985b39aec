"""Secrets, and forgetting what is old."""

import secrets
import time
from collections.abc import Sequence

from visitor_tracker.store.counting import by_site
from visitor_tracker.store.session import Session, Value

SECRET_BYTES = 32
MOST_AT_ONCE = 500  # rows of one transaction, so that nobody waits long for its locks

READ_SECRET = """/* Store.secret */
select value
from secrets
where name = ?"""

MAKE_SECRET = """/* Store.secret */
insert into secrets (name, value, created_at)
values (?, ?, ?)
{keep_old_secret}"""

OLD_BATCHES = """/* Store.purge */
select batch_id
from ledger
where at < ?
order by at
limit ?"""

FORGET_BATCHES = """/* Store.purge */
delete from ledger
where batch_id in ([?])"""

OLD_IDS = """/* Store.purge */
select site_id, scope, id
from event_ids
where at < ?
order by at
limit ?"""

FORGET_IDS = """/* Store.purge */
delete from event_ids
where site_id = ? and scope = ? and id in ([?])"""

OLD_CURSORS = """/* Store.purge */
select segment_id
from journal_cursor
where at < ?
order by at
limit ?"""

# Few: only who was there around midnight has one.
OLD_LINKS = """/* Store.purge */
select site_id, visitor, previous
from visitor_links
where at < ? and joined = 0
order by site_id, visitor, previous
limit ?"""

FORGET_LINK = """/* Store.purge */
delete from visitor_links
where site_id = ? and visitor = ? and previous = ? and joined = 0"""

# Once more by its time: it may have moved since it was found.
FORGET_CURSORS = """/* Store.purge */
delete from journal_cursor
where at < ? and segment_id in ([?])"""


def read_secret(session: Session, name: str) -> bytes | None:
    rows = session.ask(READ_SECRET, (name,))
    return bytes(rows[0][0]) if rows else None


def make_secret(session: Session, name: str) -> bytes:
    """Return the secret; of several that make it at once, the first one's stays."""
    session.send(MAKE_SECRET, (name, secrets.token_bytes(SECRET_BYTES), int(time.time() * 1000)))
    [(value,)] = session.ask(READ_SECRET, (name,))
    return bytes(value)


def purge_ledger(session: Session, *, before: int, most: int) -> int:
    """Delete the oldest rows that arrived before `before`; return how many."""
    batches = sorted(row[0] for row in session.ask(OLD_BATCHES, (before, most)))
    _delete(session, FORGET_BATCHES, (), batches)
    return len(batches)


def purge_ids(session: Session, *, before: int, most: int) -> int:
    """Delete the oldest ids that arrived before `before`; return how many."""
    ids = session.ask(OLD_IDS, (before, most))
    for scope in sorted({row[1] for row in ids}):
        for site_id, old in by_site(sorted((row[0], row[2]) for row in ids if row[1] == scope)):
            _delete(session, FORGET_IDS, (site_id, scope), old)
    return len(ids)


def purge_links(session: Session, *, before: int, most: int) -> int:
    """Delete who was whom before `before`, where no visit went on over midnight; return how many."""
    links = session.ask(OLD_LINKS, (before, most))
    for link in links:
        session.send(FORGET_LINK, link)
    return len(links)


def purge_cursors(session: Session, *, before: int, most: int) -> int:
    """Delete the oldest cursors of journal segments that last moved before `before`; return how many."""
    segments = sorted(row[0] for row in session.ask(OLD_CURSORS, (before, most)))
    _delete(session, FORGET_CURSORS, (before,), segments)
    return len(segments)


def _delete(session: Session, template: str, before: Sequence[Value], keys: Sequence[bytes]) -> None:
    if keys:
        session.send(template, [*before, *keys], len(keys))
