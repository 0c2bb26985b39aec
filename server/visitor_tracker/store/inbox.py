"""The queue between journals and fold: how events get into it, exactly once.

    drain:  journal_cursor: read and locked, moved            (first, so that a second drainer waits here)
            inbox:          the events, encoded, by site
            visitor_days:   who was here on which day

A batch of the counter brings its rows in its own transaction (`counting`). Every writer takes its locks in this
order and by ascending key, so that none waits for one that waits for it.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import msgspec

from visitor_tracker.event import InboxRow
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.base import Seen
from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Database, DuplicateKey, Session, Value, ask_rows, send_rows
from visitor_tracker.store.statements import pieces

READ_CURSOR = """/* Inbox.drain */
select position
from journal_cursor
where segment_id = ?
{for_update}"""

ADD_CURSOR = """/* Inbox.drain */
insert into journal_cursor (position, at, segment_id)
values (?, ?, ?)"""

MOVE_CURSOR = """/* Inbox.drain */
update journal_cursor
set position = ?, at = ?
where segment_id = ?"""

ADD_ROWS = """/* Inbox.add */
insert into inbox (site_id, id, at, events, body)
values [(?, ?, ?, ?, ?)]
{keep_old_row}"""

ADD_DAYS = """/* Inbox.add */
insert into visitor_days (site_id, visitor, day, first_at)
values [(?, ?, ?, ?)]
{keep_first_at}"""

POSITIONS = """/* Inbox.positions */
select segment_id, position
from journal_cursor
where segment_id in ([?])"""

ROWS = """/* Inbox.rows */
select site_id, id, at, events, body
from inbox
where site_id = ? and id > ?
order by id
limit ?"""

# Without the bodies: of a long queue they would be read again for each transaction of the fold.
HEADS = """/* Inbox.oldest */
select id, events
from inbox
where site_id = ?
order by id
limit ?"""

BODIES = """/* Inbox.oldest */
select site_id, id, at, events, body
from inbox
where site_id = ? and id in ([?])
order by id"""

REMOVE = """/* Inbox.remove */
delete from inbox
where site_id = ? and id in ([?])"""

PENDING = """/* Inbox.pending */
select count(*), coalesce(sum(events), 0)
from inbox"""

KNOWN = """/* Inbox.known */
select
    exists (select 1 from visitor_days where site_id = ? and visitor = ?),
    exists (select 1 from visitor_days where site_id = ? and visitor = ? and day = ?)"""

HOLDS = """/* Inbox.holds */
select
    exists (select 1 from inbox where site_id = ?),
    exists (select 1 from visitor_days where site_id = ?),
    exists (select 1 from events where site_id = ?),
    exists (select 1 from rollup_month where site_id = ?)"""

SET_ASIDE = """/* Inbox.set_aside */
insert into dead_letters (id, site_id, at, reason, body)
values [(?, ?, ?, ?, ?)]
{keep_old_row}"""

DEAD_LETTERS = """/* Inbox.dead_letters */
select id, site_id, at, reason, body
from dead_letters
order by at desc, id
limit ?"""


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """What could not be stored, and why; `site_id` is 0 where that is not known."""

    id: bytes
    site_id: int
    at: int
    reason: str
    body: bytes


class Inbox:
    """The queue of a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def drain(  # noqa: PLR0913 - the rest by keyword
        self,
        rows: Sequence[InboxRow],
        seen: Sequence[Seen],
        *,
        segment_id: bytes,
        old: int,
        new: int,
        at: int,
        also: Callable[[Session], None] = lambda session: None,
    ) -> bool:
        """Add rows and days and move the segment's cursor from `old` to `new`, in one transaction.

        A segment that was never drained is at 0. False: the cursor is elsewhere, nothing was done; so after
        OutcomeUnknown the same call says False if the first one was stored. A row whose id is there stays as it is,
        a day keeps its smallest `first_at`. `also` is done last in the same transaction.
        """
        if new <= old:
            raise ValueError(f"a cursor moves forward, not from {old} to {new}")

        def work(session: Session) -> bool:
            found = session.ask(READ_CURSOR, (segment_id,))
            if (found[0][0] if found else 0) != old:
                return False
            session.send(MOVE_CURSOR if found else ADD_CURSOR, (new, at, segment_id))
            add_rows(session, rows)
            add_days(session, seen)
            also(session)
            return True

        try:
            return self._database.write(work)
        except DuplicateKey:  # all else is an upsert: another drainer has just made the cursor's row
            return False

    def positions(self, segment_ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return how far those segments are in the store; one that was never drained is not in it."""
        found = self._database.read(lambda session: ask_rows(session, POSITIONS, (), segment_ids))
        return {bytes(segment_id): position for segment_id, position in found}

    def rows(self, site_id: int, limit: int, after: bytes = b"") -> list[InboxRow]:
        """Return a site's oldest rows, by id, of ids greater than `after`."""
        found = of_site(self._database, site_id).read(lambda session: session.ask(ROWS, (site_id, after, limit)))
        return [_row(*row) for row in found]

    def oldest(self, site_id: int, *, most_rows: int, most_events: int) -> list[InboxRow]:
        """Return a site's oldest rows, by id, that have no more events together; the first one however many it has."""

        def work(session: Session) -> list[InboxRow]:
            chosen: list[bytes] = []
            left = most_events
            for row_id, events in session.ask(HEADS, (site_id, most_rows)):
                left -= events
                if chosen and left < 0:
                    break
                chosen.append(bytes(row_id))
            return [_row(*row) for row in ask_rows(session, BODIES, (site_id,), chosen)]

        return of_site(self._database, site_id).read(work)

    def remove(self, site_id: int, ids: Sequence[bytes]) -> None:
        """Delete rows of a site; ids that are not there are passed over."""
        of_site(self._database, site_id).write(lambda session: remove_rows(session, site_id, ids))

    def pending(self) -> tuple[int, int]:
        """Return (rows, events) that wait to be folded."""
        [(rows, events)] = self._database.read(lambda session: session.ask(PENDING))
        return int(rows), int(events)

    def known(self, site_id: int, visitor: bytes, day: int) -> tuple[bool, bool]:
        """Say whether the visitor was seen on any day, and on that one."""
        values = (site_id, visitor, site_id, visitor, day)
        [(ever, that_day)] = of_site(self._database, site_id).read(lambda session: session.ask(KNOWN, values))
        return bool(ever), bool(that_day)

    def holds(self, site_id: int) -> bool:
        """Say whether there is anything of a site, waiting or folded."""
        [found] = of_site(self._database, site_id).read(lambda session: session.ask(HOLDS, (site_id,) * 4))
        return any(found)

    def set_aside(self, reason: str, body: bytes, at: int, site_id: int = 0) -> None:
        """Keep what cannot be stored for a person to look at; the same once more changes nothing."""
        of_site(self._database, site_id).write(lambda session: add_letter(session, reason, body, at, site_id))

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Return what was set aside, the newest first."""
        found = self._database.read(lambda session: session.ask(DEAD_LETTERS, (limit,)))
        return [
            DeadLetter(bytes(letter_id), site_id, at, str(reason), bytes(body))
            for letter_id, site_id, at, reason, body in found
        ]


def add_letter(session: Session, reason: str, body: bytes, at: int, site_id: int) -> None:
    """Keep what cannot be stored for a person to look at; the same once more changes nothing."""
    letter_id = blake2b(msgspec.msgpack.encode((site_id, reason, body)), digest_size=16).digest()
    send_bodies(session, SET_ASIDE, [(letter_id, site_id, at, reason, body)])


def add_rows(session: Session, rows: Iterable[InboxRow]) -> None:
    """Insert rows; one that is there already stays as it is."""
    in_order = sorted(rows, key=lambda row: (row.site_id, row.id))
    send_bodies(session, ADD_ROWS, [(row.site_id, row.id, row.at, row.events, row.body) for row in in_order])


def add_days(session: Session, seen: Iterable[Seen]) -> None:
    """Note on which days visitors were here; of several times of a day the first stays."""
    first: dict[tuple[int, bytes, int], int] = {}
    for site_id, visitor, day, first_at in seen:
        key = (site_id, visitor, day)
        first[key] = min(first.get(key, first_at), first_at)
    values: list[Value] = []
    for key in sorted(first):
        values += (*key, first[key])
    send_rows(session, ADD_DAYS, 4, values)


def remove_rows(session: Session, site_id: int, ids: Iterable[bytes]) -> None:
    """Delete rows of a site."""
    keys = sorted(ids)
    start = 0
    for number in pieces(session.dialect, len(keys)):
        session.send(REMOVE, [site_id, *keys[start : start + number]], number)
        start += number


def _row(site_id: int, row_id: bytes, at: int, events: int, body: bytes) -> InboxRow:
    return InboxRow(site_id, bytes(row_id), at, events, bytes(body))
