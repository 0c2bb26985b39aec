"""What one transaction of the fold does besides counting: whose site it is, which events are new, what it notes.

    site_lease:  read and locked       (first: of two folders of one site the second waits here)
    inbox:       the rows, locked
    event_ids:   what is new of them
    …            everything else, by ascending key; the inbox rows are deleted last

Who holds the lease is alone with the site's rows in every table of sql/0003_fold.sql, so that what is read here stays
true until the end of the transaction. Clocks of nodes may differ by less than the lease lasts.
"""

from collections.abc import Callable, Iterable, Sequence

from visitor_tracker.store.facts import add_facts, facts_between
from visitor_tracker.store.ip_records import IpRecord, merge_ip_records
from visitor_tracker.store.session import Database, Session, T, Value, ask_rows, send_rows
from visitor_tracker.store.visits import (
    Link,
    add_client_sessions,
    add_daily_visitors,
    add_links,
    links_of,
    mark_joined,
    put_sessions,
    remove_sessions,
    sessions_in,
)

__all__ = [
    "FoldTables",
    "IpRecord",
    "Link",
    "add_client_sessions",
    "add_daily_visitors",
    "add_facts",
    "add_links",
    "facts_between",
    "hold_lease",
    "links_of",
    "mark_joined",
    "merge_ip_records",
    "new_ids",
    "note_days",
    "put_sessions",
    "release_lease",
    "remove_sessions",
    "sessions_in",
    "still_waiting",
]

LONGEST_LEASE_MS = 600_000  # one that seems to last longer is of a clock that has been set back

READ_LEASE = """/* hold_lease */
select holder, epoch, until_at
from site_lease
where site_id = ?
{for_update}"""

# Of nobody, so that there is a row to lock.
MAKE_LEASE = """/* hold_lease */
insert into site_lease (site_id, holder, epoch, until_at)
values (?, '', 0, 0)
{keep_old_row}"""

TAKE_LEASE = """/* hold_lease */
update site_lease
set holder = ?, epoch = ?, until_at = ?
where site_id = ?"""

RELEASE_LEASE = """/* release_lease */
update site_lease
set holder = '', until_at = 0
where site_id = ? and holder = ?"""

HOLDER = """/* FoldTables.holder_of */
select holder
from site_lease
where site_id = ?"""

STILL_WAITING = """/* still_waiting */
select id
from inbox
where site_id = ? and id in ([?])
{for_update}"""

KNOWN_IDS = """/* new_ids */
select id
from event_ids
where site_id = ? and scope = 'event' and id in ([?])"""

MY_IDS = """/* new_ids */
select id
from event_ids
where site_id = ? and scope = 'event' and batch_id = ? and id in ([?])"""

CHANGES = """/* new_ids */
select total_changes()"""

ADD_IDS = """/* new_ids */
insert into event_ids (site_id, scope, id, batch_id, at)
values [(?, 'event', ?, ?, ?)]
{keep_old_id}"""

NOTE_DAYS = """/* note_days */
insert into raw_days (site_id, day, raw_complete)
values [(?, ?, 1)]
{keep_old_row}"""

FIRST_SITE = """/* FoldTables.sites_waiting */
select min(site_id)
from (
    select min(site_id) as site_id from inbox
    union all select min(site_id) from rollup_deltas
) as sites"""

NEXT_SITE = """/* FoldTables.sites_waiting */
select min(site_id)
from (
    select min(site_id) as site_id from inbox where site_id > ?
    union all select min(site_id) from rollup_deltas where site_id > ?
) as sites"""


class FoldTables:
    """The fold's tables in a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one durable transaction; it may run again after a deadlock."""
        return self._database.write(work)

    def read(self, work: Callable[[Session], T]) -> T:
        return self._database.read(work)

    def sites_waiting(self) -> list[int]:
        """Return the sites of which events or deltas wait, by id; costs two look-ups for each, however many rows."""

        def work(session: Session) -> list[int]:
            found: list[int] = []
            [(site_id,)] = session.ask(FIRST_SITE)
            while site_id is not None:
                found.append(site_id)
                [(site_id,)] = session.ask(NEXT_SITE, (site_id, site_id))
            return found

        return self._database.read(work)

    def holder_of(self, site_id: int) -> str:
        """Return who took a site's lease last and did not give it back, "" for nobody."""
        rows = self._database.read(lambda session: session.ask(HOLDER, (site_id,)))
        return str(rows[0][0]) if rows else ""


def hold_lease(session: Session, site_id: int, holder: str, now: int, until: int) -> bool:
    """Have the site's lease for this transaction, and until that epoch ms; False: another holder has it.

    A lease ends at its last millisecond: who comes then may have it. It is written when it changes hands and when
    less than half of its time is left, else only read. Where two clocks differ by more than a lease may last, nodes
    take it from each other again and again; each finds out before it writes anything.
    """
    rows = session.ask(READ_LEASE, (site_id,))
    if not rows:
        session.send(MAKE_LEASE, (site_id,))
        rows = session.ask(READ_LEASE, (site_id,))
    [(old, epoch, old_until)] = rows
    if old == holder:
        if 2 * (old_until - now) < until - now:
            session.send(TAKE_LEASE, (holder, epoch, until, site_id))
        return True
    if old and now < old_until <= now + LONGEST_LEASE_MS:
        return False
    session.send(TAKE_LEASE, (holder, epoch + 1, until, site_id))
    return True


def release_lease(session: Session, site_id: int, holder: str) -> None:
    """Give the site's lease back if it is still this holder's."""
    session.send(RELEASE_LEASE, (site_id, holder))


def still_waiting(session: Session, site_id: int, ids: Iterable[bytes]) -> set[bytes]:
    """Return those of the inbox rows that are still there, and lock them."""
    return {bytes(row[0]) for row in ask_rows(session, STILL_WAITING, (site_id,), sorted(ids))}


def new_ids(session: Session, site_id: int, ids: Sequence[bytes], batch_id: bytes, at: int) -> set[bytes]:
    """Return those events, by id, that were never folded, and note that they are; the caller holds the lease.

    `batch_id` must be one that no transaction before has used.
    """
    asked = sorted(set(ids))
    if session.dialect == "sqlite":
        return _new_of_sqlite(session, site_id, asked, batch_id, at)
    known = {bytes(row[0]) for row in ask_rows(session, KNOWN_IDS, (site_id,), asked)}
    new = [event_id for event_id in asked if event_id not in known]
    _add_ids(session, site_id, new, batch_id, at)
    return set(new)


def _new_of_sqlite(session: Session, site_id: int, asked: Sequence[bytes], batch_id: bytes, at: int) -> set[bytes]:
    """Add all and see how many of them went in: mostly all, and nothing has to be looked up."""
    [(before,)] = session.ask(CHANGES)
    _add_ids(session, site_id, asked, batch_id, at)
    [(after,)] = session.ask(CHANGES)
    if after - before in (0, len(asked)):
        return set(asked) if after > before else set()
    return {bytes(row[0]) for row in ask_rows(session, MY_IDS, (site_id, batch_id), asked)}


def _add_ids(session: Session, site_id: int, ids: Sequence[bytes], batch_id: bytes, at: int) -> None:
    values: list[Value] = []
    for event_id in ids:
        values += (site_id, event_id, batch_id, at)
    send_rows(session, ADD_IDS, 4, values)


def note_days(session: Session, site_id: int, days: Iterable[int]) -> None:
    """Note days of which events were folded; one that is there stays as it is."""
    values: list[Value] = []
    for day in sorted(days):
        values += (site_id, day)
    send_rows(session, NOTE_DAYS, 2, values)
