"""One connection to MySQL or MariaDB, through mysql-connector-python.

Values are bound here and not by the connector's cursor, because that one looks for the word DELIMITER in the
finished statement, values included, and rewrites what follows: a visitor's text must never be read as SQL. Numbers
become decimal digits and text and bytes become hexadecimal literals, so that no value can end its literal under
any sql_mode or character set. It also saves 2 µs per visit.

Statements that need no answer wait and travel with the next one, so a batch costs two round trips.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract
from mysql.connector.connection import MySQLConnection

from visitor_tracker.errors import OutcomeUnknown, StoreError
from visitor_tracker.store.location import MysqlLocation
from visitor_tracker.store.session import Rows, Value
from visitor_tracker.store.statements import Dialect, text

if mysql.connector.HAVE_CEXT:
    from _mysql_connector import MySQLInterfaceError

    # The C extension raises its own error, outside the tree of mysql.connector, where several results are read.
    DRIVER_ERRORS: tuple[type[Exception], ...] = (mysql.connector.Error, MySQLInterfaceError)
else:
    DRIVER_ERRORS = (mysql.connector.Error,)

FLUSH_BYTES = 1 << 20  # well below max_allowed_packet, 16 MiB or more by default

DEADLOCK, LOCK_WAIT, DUPLICATE = 1213, 1205, 1062
AGAIN = frozenset({DEADLOCK, LOCK_WAIT})
# The server's answer to COMMIT that says for certain: rolled back (1047: a cluster node without quorum).
ROLLED_BACK = AGAIN | {1047}

_SET_UP = (
    "set session time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
    " innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}",
    # No gap locks, and what another batch has just committed is seen.
    "set session transaction isolation level read committed",
)


class MysqlSession:
    """A connection in autocommit mode; raises the connector's errors, and OutcomeUnknown from `commit`."""

    dialect: Dialect = "mysql"

    def __init__(self, location: MysqlLocation, connect_seconds: float, answer_seconds: float, pure: bool) -> None:
        self._db = _connect(location, connect_seconds, answer_seconds, pure)
        # Pure Python takes one statement at a time.
        self._run = self._run_pure if isinstance(self._db, MySQLConnection) else self._run_c
        self._most_waiting = 1 if isinstance(self._db, MySQLConnection) else 64
        self._waiting: list[str] = []
        self._waiting_bytes = 0
        self._answered = 0  # statements of the running packet that the server has finished
        self.used = False
        # A lock wait must end with the server's error before the client gives the connection up.
        wait = max(1, math.floor(answer_seconds / 2))
        for statement in _SET_UP:
            self._add(statement.replace("{wait}", str(wait)))
        try:
            self._flush()
        except BaseException:
            self.close()
            raise
        self.used = False

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        self._add(_bind(text("mysql", template, rows), values))

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        for row in rows:
            self.send(template, row)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        self.send(template, values, rows)
        return self._flush()

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        self._add(_bind_foreign(sql, values) if values else sql)
        return self._flush()

    def begin(self) -> None:
        self._add("start transaction")

    def commit(self) -> None:
        """Send what waits and COMMIT; raise OutcomeUnknown when it cannot be known what became of it."""
        self._add("commit")
        last = len(self._waiting)
        try:
            self._flush()
        except DRIVER_ERRORS as error:
            number = error_number(error)
            at_commit = self._answered == last - 1
            if is_lost(number) or (at_commit and number not in ROLLED_BACK):
                raise OutcomeUnknown(f"the connection broke during COMMIT: {error}") from error
            raise

    def rollback(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        self._add("rollback")
        self._flush()

    def close(self) -> None:
        """Release the socket; what was not committed is rolled back by the server."""
        try:
            self._db.close()
        except DRIVER_ERRORS:
            return  # it was broken already

    def _add(self, statement: str) -> None:
        if self._waiting and (
            len(self._waiting) >= self._most_waiting or self._waiting_bytes + len(statement) > FLUSH_BYTES
        ):
            self._flush()
        self._waiting.append(statement)
        self._waiting_bytes += len(statement)

    def _flush(self) -> Rows:
        packet = ";\n".join(self._waiting).encode()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._answered = 0
        rows = self._run(packet)
        self.used = True
        return rows

    def _run_c(self, packet: bytes) -> Rows:
        """Run a packet of statements; return the rows of the last one that has any."""
        db: Any = self._db
        rows: Rows = []
        db.cmd_query(packet)
        while True:
            if db.result_set_available:
                rows = db.get_rows()[0]
            self._answered += 1
            if not db.next_result():
                return rows

    def _run_pure(self, packet: bytes) -> Rows:
        cursor: Any = self._db.cursor()
        cursor.execute(packet)
        rows: Rows = cursor.fetchall() if cursor.description else []
        cursor.close()
        self._answered += 1
        return rows


def error_number(error: Exception) -> int:
    """Return the server's or client library's number of an error, -1 when it has none."""
    number = getattr(error, "errno", -1)
    return number if isinstance(number, int) else -1


def is_lost(number: int) -> bool:
    """Say whether the connection broke: a client-side number, none at all, or the server ended it."""
    return number < 0 or 2000 <= number < 3000 or number in (1053, 1927, 4031)


def _connect(
    location: MysqlLocation, connect_seconds: float, answer_seconds: float, pure: bool
) -> MySQLConnectionAbstract:
    options: dict[str, Any] = {
        "host": location.host,
        "port": location.port,
        "user": location.user,
        "password": location.password,
        "database": location.database,
        "charset": "utf8mb4",
        "collation": "utf8mb4_bin",
        "autocommit": True,
        # Without these a server behind a dead link holds a thread for ever.
        "connection_timeout": math.ceil(connect_seconds),
        "read_timeout": math.ceil(answer_seconds),
        "write_timeout": math.ceil(answer_seconds),
        "use_pure": pure,
    }
    if location.unix_socket:
        options["unix_socket"] = location.unix_socket
    for name in ("ssl_ca", "ssl_cert", "ssl_key"):
        if getattr(location, name):
            options[name] = getattr(location, name)
    if location.ssl_ca:
        options |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
    connected = mysql.connector.connect(**options)
    if not isinstance(connected, MySQLConnectionAbstract):
        _unexpected(connected)
    return connected


def _unexpected(connected: object) -> NoReturn:
    raise TypeError(f"mysql.connector.connect returned {type(connected).__name__}")


def _bind(sql: str, values: Sequence[Value]) -> str:
    """Put literals in the place of the %s of a template's text."""
    literals: list[str | int] = []
    for value in values:
        if type(value) is int:  # most are; twice as fast as to write each here
            literals.append(value)
        elif isinstance(value, bytes):
            literals.append(f"x'{value.hex()}'")
        elif isinstance(value, int):
            literals.append(int.__repr__(value))  # a subclass may print itself otherwise
        else:
            literals.append(f"_utf8mb4 x'{value.encode().hex()}'")
    return sql % tuple(literals)


def _bind_foreign(sql: str, values: Sequence[object]) -> str:
    """Do so in SQL that is no template: a % that is not %s stands for itself, as in LIKE '%x'."""
    pieces = sql.split("%s")
    if len(pieces) != len(values) + 1:
        raise StoreError(f"the SQL has {len(pieces) - 1} places for {len(values)} values")
    return pieces[0] + "".join(_literal(value) + piece for value, piece in zip(values, pieces[1:], strict=True))


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return repr(float(value))
    # What Python writes as SQL does travels as text: Decimal, date, datetime.
    return _bind("%s", (value if isinstance(value, int | bytes) else str(value),))
