"""The embedded database: one SQLite file in WAL mode, one writer at a time, readers that never wait."""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable, TrackerError
from visitor_tracker.store import checks
from visitor_tracker.store.base import Finding
from visitor_tracker.store.checkpoint import Checkpointer
from visitor_tracker.store.location import Durability
from visitor_tracker.store.session import DuplicateKey, Rows, Session, T, Value, ValueRefused
from visitor_tracker.store.sqlite_file import create
from visitor_tracker.store.statements import Dialect, text
from visitor_tracker.store.turn import Turn

CACHED_STATEMENTS = 128
CACHE_KIB = 65_536
WAL_LIMIT_BYTES = 64 << 20  # a log that a long reader let grow is cut to this when it starts again
CLOSE_SECONDS = 1.0  # to wait for the turn at the end
ERASE_SECONDS = 0.25  # to wait for readers when the log must be emptied; others wait for the turn meanwhile
ERASE_AGAIN_SECONDS = 1.0  # from one try to the next while they read on: each costs a checkpoint

_AWAY = {  # primary result codes after which the same call may be tried again
    sqlite3.SQLITE_BUSY: "another program holds its lock",
    sqlite3.SQLITE_LOCKED: "another program holds its lock",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_READONLY: "it cannot be written now",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened now",
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT: "is damaged", sqlite3.SQLITE_NOTADB: "is not a SQLite database"}
_OF_VALUES = (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_CONSTRAINT)
_DUPLICATE = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
# After these the connection itself is in doubt.
_REPLACE = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_NOMEM,
    }
)


class SqliteSession:
    """One connection; raises what sqlite3 raises."""

    dialect: Dialect = "sqlite"

    def __init__(self, db: sqlite3.Connection) -> None:
        self._execute = db.execute
        self.db = db
        self.is_erasing = False
        self._erased_before = 0  # whether SQLite did so anyway, as some systems build it

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        self._execute(text("sqlite", template, rows), values)

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        self.db.executemany(text("sqlite", template), rows)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        return self._execute(text("sqlite", template, rows), values).fetchall()

    def erase(self) -> None:
        """Overwrite what this transaction deletes from now on; soon after its commit no file has it."""
        if not self.is_erasing:
            [(self._erased_before,)] = self._execute("pragma secure_delete").fetchall()
        self._execute("pragma secure_delete = 1").fetchall()
        self.is_erasing = True

    def end_erasing(self) -> None:
        self._execute(f"pragma secure_delete = {int(self._erased_before)}").fetchall()
        self.is_erasing = False

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        return self._execute(sql.replace("%s", "?") if values else sql, values).fetchall()


class _Reader:
    """A thread's own read connection, closed when the thread ends."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.execute("pragma query_only = 1")
        self.session = SqliteSession(db)

    def __del__(self) -> None:
        self.session.db.close()


class SqliteDatabase:
    """A SQLite file, or without a path a database in memory that this object alone sees."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path | None, durability: Durability, busy_seconds: float) -> None:
        self._path = path
        self._durability = durability
        self._busy_seconds = busy_seconds
        self._turn = Turn(path)
        self._session: SqliteSession | None = None  # the writer's; belongs to who has the turn
        self._suspect = False  # the log may hold what the disk does not
        self._log_tells = False  # the log holds what was to be erased
        self._erase_again_at = 0.0
        self._mine = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._readers_lock = threading.Lock()
        self._checkpointer: Checkpointer | None = None
        if path is not None:
            create(path)
        # What holds the file now need not hold it when the first batch comes: a server starts without it.
        with suppress(StoreUnavailable), self._turn.hold():
            self._session = self._open_writer()
        if path is not None:
            self._checkpointer = Checkpointer(path, self._connect, sync=durability == "relaxed")

    def read(self, work: Callable[[Session], T]) -> T:
        if self._path is None:
            with self._turn.hold():
                return self._reading(work, self._writer())
        session = self._reader()
        try:
            return self._reading(work, session)
        except TrackerError:
            del self._mine.reader
            raise

    def write(self, work: Callable[[Session], T]) -> T:
        with self._turn.hold():
            session = self._writer()
            try:
                session.db.execute("begin immediate")
            except sqlite3.Error as error:
                self._undo(_code(error))
                raise self._explain(error) from error
            return self._transact(session, work)

    def write_at_once(self, work: Callable[[Session], T]) -> T | None:
        with self._turn.hold_at_once() as is_mine:
            if not is_mine or self._path is None or not self._is_sound():
                return None
            session = self._session
            if session is None or not self._begin_at_once(session.db):
                return None
            return self._transact(session, work)

    def _is_sound(self) -> bool:
        """Say whether nothing has failed that `_writer` must repair first, which takes its time."""
        return not self._suspect and (self._checkpointer is None or not self._checkpointer.failed)

    def _begin_at_once(self, db: sqlite3.Connection) -> bool:
        """Begin unless another program, which knows nothing of our turn, has SQLite's own lock."""
        try:
            db.execute("pragma busy_timeout = 0")
            try:
                db.execute("begin immediate")
            finally:
                db.execute(f"pragma busy_timeout = {int(self._busy_seconds * 1000)}")
        except sqlite3.Error:  # whatever it is, `write` will meet it too and say so
            return False
        return True

    def _transact(self, session: SqliteSession, work: Callable[[Session], T]) -> T:
        """Run `work` in the transaction that has begun, and commit it."""
        with self._undone_on_error():
            result = work(session)
        try:
            session.db.execute("commit")
        except sqlite3.Error as error:
            raise self._commit_failed(error) from error
        if self._checkpointer and self._checkpointer.committed():
            self._checkpointer.checkpoint(session.db)
        if session.is_erasing or (self._log_tells and time.monotonic() >= self._erase_again_at):
            self._finish_erasing(session)
        return result

    def _finish_erasing(self, session: SqliteSession) -> None:
        """Empty the log, where pages are as they were before; while somebody reads there, later commits try again."""
        wait_seconds = ERASE_SECONDS if session.is_erasing else 0.0
        self._log_tells, self._erase_again_at = True, time.monotonic() + ERASE_AGAIN_SECONDS
        try:
            if session.is_erasing:
                session.end_erasing()
            try:
                session.db.execute(f"pragma busy_timeout = {int(wait_seconds * 1000)}")
                [(busy, _, _)] = session.db.execute("pragma wal_checkpoint(truncate)").fetchall()
            finally:
                session.db.execute(f"pragma busy_timeout = {int(self._busy_seconds * 1000)}")
            self._log_tells = bool(busy)
        except sqlite3.Error as error:  # no concern of the batch, which is stored
            if _code(error) == sqlite3.SQLITE_IOERR:
                self._suspect = True

    @contextmanager
    def alone(self) -> Iterator[Session]:
        with self._turn.hold(), self._undone_on_error():
            yield self._writer()

    @contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        """Roll back what an error inside the block leaves half done."""
        try:
            yield
        except sqlite3.Error as error:
            self._undo(_code(error))
            raise self._explain(error) from error
        except BaseException:
            self._undo(0)
            raise

    def writing(self) -> AbstractContextManager[None]:
        return self._turn.hold()

    def is_wanted(self) -> bool:
        return self._turn.is_wanted()

    def ping(self) -> None:
        self.read(lambda session: session.ask("select 1 from sqlite_schema limit 1"))

    def probe(self) -> None:
        with self._turn.hold():
            session = self._writer()
            if not self._begin_at_once(session.db):
                raise StoreUnavailable(f"{self._place}: another program holds its lock")
            self._transact(session, lambda _: None)

    def describe(self) -> str:
        place = "in memory, gone when the process ends" if self._path is None else str(self._path)
        return f"SQLite {sqlite3.sqlite_version}, {place}, durability {self._durability}"

    def check(self) -> list[Finding]:
        return [] if self._path is None else checks.sqlite(self._path)

    def close(self) -> None:
        if self._checkpointer:
            self._checkpointer.close()
        with self._readers_lock:
            readers = list(self._readers)
        for reader in readers:
            reader.session.db.close()
        until = time.monotonic() + CLOSE_SECONDS
        while not self._let_go() and time.monotonic() < until:
            time.sleep(0.01)

    def _let_go(self) -> bool:
        """Close the writer's connection, unless somebody has the turn: the process ends, and is not to wait long."""
        with self._turn.hold_at_once() as is_mine:
            if is_mine:
                self._drop_writer()
        return is_mine

    def _reading(self, work: Callable[[Session], T], session: SqliteSession) -> T:
        try:
            return work(session)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _reader(self) -> SqliteSession:
        reader: _Reader | None = getattr(self._mine, "reader", None)
        if reader is None:
            try:
                reader = _Reader(self._connect())
            except sqlite3.Error as error:
                raise self._explain(error) from error
            self._mine.reader = reader
            with self._readers_lock:
                self._readers.add(reader)
        return reader.session

    def _writer(self) -> SqliteSession:
        if self._checkpointer and self._checkpointer.take_failure():
            self._suspect = True
            self._drop_writer()
        if self._session is None:
            self._session = self._open_writer()
        if self._suspect:
            self._settle(self._session.db)
        return self._session

    def _settle(self, db: sqlite3.Connection) -> None:
        """Copy the log into the database file, synced, and empty it.

        A sync that failed is not tried again: the kernel may have dropped the pages and report success. Writing
        the content a second time, elsewhere, is what makes it durable.
        """
        try:
            [(busy, _, _)] = db.execute("pragma wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as error:
            self._drop_writer()
            raise self._explain(error) from error
        if busy:
            raise StoreUnavailable(f"{self._place}: waiting for readers after a disk error")
        self._suspect = False

    def _commit_failed(self, error: sqlite3.Error) -> TrackerError:
        code = _code(error)
        self._undo(code)
        if code != sqlite3.SQLITE_IOERR:
            return self._explain(error)
        self._suspect = True
        return OutcomeUnknown(f"{self._place}: the disk reports an error during COMMIT: {error}")

    def _undo(self, code: int) -> None:
        if self._session is None:
            return
        try:
            if self._session.db.in_transaction:
                self._session.db.execute("rollback")
        except sqlite3.Error:
            code = sqlite3.SQLITE_IOERR
        if code in _REPLACE and self._path is not None:
            self._drop_writer()

    def _drop_writer(self) -> None:
        if self._session is not None:
            self._session.db.close()
            self._session = None

    def _open_writer(self) -> SqliteSession:
        try:
            db = self._connect()
            if self._path is not None:
                [(mode,)] = db.execute("pragma journal_mode = wal").fetchall()
                if mode != "wal":
                    raise StoreError(f"{self._place}: this file system has no shared memory for SQLite's WAL mode")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        return SqliteSession(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path or ":memory:",
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,  # close() may come from another thread
            cached_statements=CACHED_STATEMENTS,
        )
        try:
            if self._path is not None:
                full = self._durability == "full"
                db.execute(f"pragma synchronous = {'full' if full else 'normal'}")
                db.execute(f"pragma fullfsync = {int(full)}")
                db.execute("pragma checkpoint_fullfsync = 1")
                db.execute("pragma wal_autocheckpoint = 0")
                db.execute(f"pragma journal_size_limit = {WAL_LIMIT_BYTES}")
            db.execute(f"pragma cache_size = -{CACHE_KIB}")
            db.execute("pragma trusted_schema = 0")
        except BaseException:
            db.close()
            raise
        return db

    @property
    def _place(self) -> str:
        return str(self._path or "the database in memory")

    def _explain(self, error: sqlite3.Error) -> TrackerError:
        code = _code(error)
        if code in _AWAY:
            return StoreUnavailable(f"{self._place}: {_AWAY[code]} ({error})")
        if code in _DAMAGED:
            return StoreError(
                f"{self._place} {_DAMAGED[code]} ({error}): restore it from a backup,"
                " or recover what is left with: sqlite3 OLD .recover | sqlite3 NEW"
            )
        if getattr(error, "sqlite_errorcode", 0) in _DUPLICATE:
            return DuplicateKey(str(error))
        if code in _OF_VALUES:
            return ValueRefused(f"{self._place}: {error}")
        if "no such table" in str(error) or "no such column" in str(error):
            return StoreError(f"{self._place}: {error}: run `visitor-tracker migrate`")
        return StoreError(f"{self._place}: {error}")


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; the extended one has more bits above it."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
