"""Statements of many rows: with keys of several columns, and with bodies of any size."""

from collections.abc import Iterable, Mapping, Sequence

from visitor_tracker.store.session import Rows, Session, Value, send_rows
from visitor_tracker.store.statements import Dialect, pieces

# Of the bodies of one statement. MySQL gets them as text of twice the length, which stays below 1 MiB, its smallest
# usual packet, whatever max_allowed_packet is.
PART_BYTES = 450_000
ROW_BYTES = 250  # the other values of a row, as text

FIRST_PART = """/* send_bodies */
set @body = ?"""

NEXT_PART = """/* send_bodies */
set @body = concat(@body, ?)"""

NO_PART = """/* send_bodies */
set @body = null"""

# A list of keys of several columns, for which no text runs well everywhere: "in" scans the table on SQLite, a joined
# list of values is written in two ways by MySQL and MariaDB.
ByKeys = Mapping[Dialect, str]


def ask_keys(session: Session, templates: ByKeys, keys: Sequence[tuple[Value, ...]]) -> Rows:
    """Ask for the rows of many keys, in as many statements as it takes."""
    template = templates[session.dialect]
    found: Rows = []
    start = 0
    for rows in pieces(session.dialect, len(keys)):
        found += session.ask(template, [part for key in keys[start : start + rows] for part in key], rows)
        start += rows
    return found


def send_each(session: Session, template: str, rows: Iterable[Sequence[Value]]) -> None:
    """Send a statement of one row for each; MySQL gets many in one packet."""
    session.send_each(template, rows)


def send_scattered(session: Session, template: str, rows: Iterable[tuple[Value, ...]]) -> None:
    """Send as `send_bodies` does rows that lie all over their table.

    SQLite copies each page that a statement of several rows changes, to undo half of it; after the first dozen pages
    into a file, which takes longer than the rows themselves.
    """
    if session.dialect == "sqlite":
        session.send_each(template, rows)
    else:
        send_bodies(session, template, rows)


def send_bodies(session: Session, template: str, rows: Iterable[tuple[Value, ...]]) -> None:
    """Send a multi-row insert whose last column may be of any size; texts stay below `PART_BYTES`."""
    values: list[Value] = []
    width = size = 0
    is_bounded = session.dialect == "mysql"
    for row in rows:
        width = len(row)
        needed = _bytes_of(row[-1]) + ROW_BYTES if is_bounded else 0
        if size + needed > PART_BYTES:
            send_rows(session, template, width, values)
            values, size = [], 0
        if size + needed > PART_BYTES:
            _send_in_parts(session, template, row)
        else:
            values += row
            size += needed
    if values:
        send_rows(session, template, width, values)


def _send_in_parts(session: Session, template: str, row: tuple[Value, ...]) -> None:
    """Send an insert of one row whose last value is too large for one statement; a text has no such length."""
    *values, body = row
    if not isinstance(body, bytes):
        session.send(template, row)
        return
    session.send(FIRST_PART, (body[:PART_BYTES],))
    for start in range(PART_BYTES, len(body), PART_BYTES):
        session.send(NEXT_PART, (body[start : start + PART_BYTES],))
    head, _, tail = template.rpartition("?")
    session.send("@body".join((head, tail)), values)
    session.send(NO_PART)  # the connection lives on


def _bytes_of(value: Value) -> int:
    if isinstance(value, int):
        return 0
    return len(value) if isinstance(value, bytes) else len(value.encode())
