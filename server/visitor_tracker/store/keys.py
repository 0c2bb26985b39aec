"""Keys of visitor hashes, with the log of what became of them.

The log is a chain: the hash of a line covers the line and the hash before it, so that no line can be changed or
taken out unseen, but for the last ones.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Literal

import msgspec

from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.store.session import Database, DuplicateKey, Session, T
from visitor_tracker.store.sqlite import SqliteSession

Action = Literal["created", "destroyed"]

NO_LINE = bytes(32)  # what the first line has for the hash before it
_TRIES = 20  # each loses to another writer who has written

KEYS = """/* KeyTable.keys */
select period, value
from visitor_keys
order by period"""

READ_KEY = """/* KeyTable.make */
select value
from visitor_keys
where period = ?
{for_update}"""

ADD_KEY = """/* KeyTable.make */
insert into visitor_keys (period, value, created_at)
values (?, ?, ?)"""

DELETE_KEY = """/* KeyTable.destroy */
delete from visitor_keys
where period = ?"""

LAST_LINE = """/* KeyTable.log */
select n, hash
from key_log
order by n desc
limit 1
{for_update}"""

ADD_LINE = """/* KeyTable.log */
insert into key_log (n, at, period, action, digest, previous, hash)
values (?, ?, ?, ?, ?, ?, ?)"""

LINES = """/* KeyTable.log */
select n, at, period, action, digest, previous, hash
from key_log
order by n"""


class KeyLine(msgspec.Struct, frozen=True, gc=False):
    """A line of the log: `digest` is BLAKE2b-256 of the key as it is stored, `previous` the hash of line n - 1."""

    n: int
    at: int
    period: str
    action: Action
    digest: bytes
    previous: bytes
    hash: bytes


def line_hash(line: KeyLine) -> bytes:
    """Return the hash that the line must have: BLAKE2b-256 of `previous` and the compact JSON of its other fields."""
    written = msgspec.json.encode((line.n, line.at, line.period, line.action, line.digest.hex()))
    return blake2b(line.previous + written, digest_size=32).digest()


class KeyTable:
    """The keys of visitor hashes. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> dict[str, bytes]:
        """Return every key by its period, as it is stored."""
        found = self._database.read(lambda session: session.ask(KEYS))
        return {period: bytes(value) for period, value in found}

    def make(self, period: str, value: bytes, at: int) -> bytes:
        """Store a key and return it, or the one that the period has: of several that make it, the first one's stays."""

        def work(session: Session) -> bytes:
            found = session.ask(READ_KEY, (period,))
            if found:
                return bytes(found[0][0])
            _erase(session)  # makes good what a `destroy` that was killed after its commit has left in the log
            session.send(ADD_KEY, (period, value, at))
            _add_line(session, at, period, "created", value)
            return value

        return self._write(work)

    def destroy(self, period: str, at: int) -> bool:
        """Delete a key; False: there is none of that period.

        In SQLite its bytes are overwritten and the write-ahead log is emptied, now or, if somebody reads there, by a
        commit of this process after that. A database server keeps deleted bytes for a while: wrap keys before.
        """

        def work(session: Session) -> bool:
            found = session.ask(READ_KEY, (period,))
            if not found:
                return False
            _erase(session)
            session.send(DELETE_KEY, (period,))
            _add_line(session, at, period, "destroyed", bytes(found[0][0]))
            return True

        return self._write(work)

    def log(self) -> list[KeyLine]:
        """Return all lines, the oldest first."""
        found = self._database.read(lambda session: session.ask(LINES))
        return [
            KeyLine(n, at, period, action, bytes(digest), bytes(previous), bytes(line))
            for n, at, period, action, digest, previous, line in found
        ]

    def _write(self, work: Callable[[Session], T]) -> T:
        """Write, again when another has made the same key or the next line meanwhile."""
        for _ in range(_TRIES):
            try:
                return self._database.write(work)
            except DuplicateKey:
                continue
        raise StoreUnavailable("the log of keys: others were writing it all the time")


def _erase(session: Session) -> None:
    if isinstance(session, SqliteSession):
        session.erase()


def _add_line(session: Session, at: int, period: str, action: Action, value: bytes) -> None:
    """Add the next line; DuplicateKey if another writer has done so meanwhile."""
    found = session.ask(LAST_LINE)
    n, previous = (found[0][0] + 1, bytes(found[0][1])) if found else (1, NO_LINE)
    line = KeyLine(n, at, period, action, blake2b(value, digest_size=32).digest(), previous, b"")
    session.send(ADD_LINE, (n, at, period, action, line.digest, previous, line_hash(line)))
