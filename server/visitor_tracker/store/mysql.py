"""MySQL and MariaDB: a pool of sessions, and what becomes of their errors."""

import importlib.metadata
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from random import SystemRandom

import mysql.connector

from visitor_tracker.config import StoreConfig
from visitor_tracker.errors import StoreError, StoreUnavailable, TrackerError
from visitor_tracker.store import checks
from visitor_tracker.store.base import Finding
from visitor_tracker.store.connections import Pool
from visitor_tracker.store.location import MysqlLocation
from visitor_tracker.store.mysql_session import (
    AGAIN,
    DRIVER_ERRORS,
    DUPLICATE,
    MysqlSession,
    error_number,
    is_lost,
)
from visitor_tracker.store.session import DuplicateKey, Session, T, ValueRefused
from visitor_tracker.store.statements import Dialect

FIRST_PAUSE_SECONDS = 0.002  # after a lost deadlock; doubles, with jitter, until the time to answer is over
STALE_SECONDS = 1.0  # an idle connection that fails later than this did not fail for having been idle
FOR_WRITERS = 2  # connections that reads leave alone: a batch must not wait for a slow list
MIGRATION_LOCK = "visitor_tracker.migrate"
MIGRATION_SECONDS = 1  # for one try to get that lock; must be below the time to answer
MIGRATION_TRIES = 60

_chance = SystemRandom()

PROBE = """/* Store.probe */
delete from ledger
where batch_id = ?"""

# Numbers of the server that mean: not now. All of 2000-2999 are the client library's and mean: no connection.
_AWAY = frozenset(
    {
        1021,  # disk full
        1030,  # storage engine error
        1037,
        1038,
        1041,  # out of memory
        1040,
        1203,
        1226,  # too many connections
        1047,  # cluster node not ready
        1053,
        1927,
        4031,  # the server ended the connection
        1114,  # table or disk full
        1129,  # host blocked after errors
        1290,
        1836,  # read only
        1317,
        1969,
        3024,  # statement interrupted or timed out
    }
)
_OF_VALUES = frozenset(
    {
        1048,  # null: concat() made it of what is larger than a packet
        1153,  # larger than a packet
        1264,
        1690,  # a number, or a sum, out of range
        1301,
        1366,
        1406,  # a text that does not fit
        1644,
        4025,  # what a trigger or a check of the operator's does not let in
    }
)
_HINTS = {
    1044: "grant the user all privileges on the database",
    1045: "correct user or password in the store's URL",
    1049: "make it with: create database NAME character set utf8mb4",
    1054: "run `visitor-tracker migrate`",
    1142: "grant the user all privileges on the database",
    1146: "run `visitor-tracker migrate`",
    1153: "raise max_allowed_packet on the server",
    1665: "set binlog_format to ROW or MIXED on the server",
    1698: "use a user with a password in the store's URL",
}


class _Stale(Exception):
    """A connection that had been idle was no longer one; nothing was committed on it."""


class MysqlDatabase:
    """A MySQL or MariaDB server; connects when first asked."""

    dialect: Dialect = "mysql"

    def __init__(
        self,
        location: MysqlLocation,
        config: StoreConfig,
        *,
        pure: bool = False,
    ) -> None:
        """Prepare the pool; `pure` leaves the connector's C extension alone."""
        self._location = location
        self._config = config
        self._pure = pure or not mysql.connector.HAVE_CEXT
        self._pool = Pool(self._connect, location.pool_size, config.borrow_seconds, reserved=FOR_WRITERS)

    def read(self, work: Callable[[Session], T]) -> T:
        return self._on_live_connection(work)

    def write(self, work: Callable[[Session], T]) -> T:
        return self._on_live_connection(lambda session: self._transact(session, work), first=True)

    def write_at_once(self, work: Callable[[Session], T]) -> T | None:
        return None  # there is always a network to wait for

    @contextmanager
    def alone(self) -> Iterator[Session]:
        with self._explained(), self._pool.borrow() as session:
            for _ in range(MIGRATION_TRIES):
                if session.ask("select get_lock(?, ?)", (MIGRATION_LOCK, MIGRATION_SECONDS)) == [(1,)]:
                    break
            else:
                raise StoreUnavailable(f"{self._location.place}: another migration is running")
            yield session
            session.ask("select release_lock(?)", (MIGRATION_LOCK,))

    def writing(self) -> AbstractContextManager[None]:
        return nullcontext()

    def is_wanted(self) -> bool:
        return False

    def ping(self) -> None:
        self._on_live_connection(lambda session: session.ask("select 1"), first=True)

    def probe(self) -> None:
        self.write(lambda session: session.send(PROBE, (b"",)))

    def describe(self) -> str:
        [(version,)] = self.read(lambda session: session.ask("select version()"))
        product = "" if "MariaDB" in version else "MySQL "
        driver = f"mysql-connector-python {importlib.metadata.version('mysql-connector-python')}"
        return (
            f"{product}{version} at {self._location.place}, {self._location.pool_size} connections, "
            f"{driver} ({'pure Python' if self._pure else 'C'}), durability {self._config.durability}"
        )

    def check(self) -> list[Finding]:
        return self.read(lambda session: checks.mysql(session, self._location, self._config.durability, self._pure))

    def close(self) -> None:
        self._pool.close()

    def _connect(self) -> MysqlSession:
        return MysqlSession(self._location, self._config.connect_seconds, self._config.answer_seconds, self._pure)

    def _on_live_connection(self, work: Callable[[MysqlSession], T], *, first: bool = False) -> T:
        """Run on a pooled connection; one that the server has closed meanwhile is replaced.

        `first`: on one that reads leave to others.
        """
        with self._explained():
            for _ in range(2):
                try:
                    with self._pool.borrow(first=first) as session:
                        return self._unless_stale(session, work)
                except _Stale:
                    self._pool.forget_idle()
            with self._pool.borrow(first=first) as session:
                return work(session)

    def _unless_stale(self, session: MysqlSession, work: Callable[[MysqlSession], T]) -> T:
        was_used = session.used
        started = time.monotonic()
        try:
            return work(session)
        except DRIVER_ERRORS as error:
            if was_used and is_lost(error_number(error)) and time.monotonic() - started < STALE_SECONDS:
                raise _Stale from error
            raise

    def _transact(self, session: MysqlSession, work: Callable[[Session], T]) -> T:
        deadline = time.monotonic() + self._config.answer_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                session.begin()
                result = work(session)
                session.commit()
            except DRIVER_ERRORS as error:
                if error_number(error) not in AGAIN or time.monotonic() + pause > deadline:
                    raise
            else:
                return result
            session.rollback()
            time.sleep(_chance.uniform(0.5, 1.5) * pause)
            pause *= 2

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> TrackerError:
        number = error_number(error)
        message = f"{self._location.place}: {error}"
        if number == DUPLICATE:
            return DuplicateKey(message)
        if is_lost(number):
            self._pool.forget_idle()  # so that nobody else waits for each of them
        if number in AGAIN or number in _AWAY or is_lost(number):
            return StoreUnavailable(message)
        hint = _HINTS.get(number)
        kind = ValueRefused if number in _OF_VALUES else StoreError
        return kind(f"{message}: {hint}" if hint else message)
