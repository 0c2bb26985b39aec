"""Read every text and every blob that our tables hold, in small pieces: for those who look for what must not be there.

Tables and columns come from the database itself, so that a table made tomorrow is not forgotten. Only tables that
our migrations make are read: the database may be another program's too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from visitor_tracker import resources
from visitor_tracker.errors import StoreError
from visitor_tracker.store.session import Database, Rows, Value
from visitor_tracker.store.takeover import NAME as SEED_TABLE

ROWS = 100  # of one piece: a row of inbox may have a megabyte
PIECE_BYTES = 1 << 20  # of one value that a reader gets at once
OVERLAP_BYTES = 512  # that the next piece begins with, so that nothing hides on the edge

SQLITE_COLUMNS = """/* scan */
select name, lower(type), pk
from pragma_table_info(?)
order by cid"""

# Schema and table are named twice: what is only joined would be looked for in every database of the server.
MYSQL_COLUMNS = """/* scan */
select columns.column_name, columns.data_type, coalesce(parts.seq_in_index, 0)
from information_schema.columns as columns
left join information_schema.statistics as parts
    on parts.table_schema = database()
    and parts.table_name = ?
    and parts.column_name = columns.column_name
    and parts.index_name = 'PRIMARY'
where columns.table_schema = database() and columns.table_name = ?
order by columns.ordinal_position"""

_MADE = re.compile(r"create table if not exists (\w+)")
_IS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_IS_READ = re.compile(r".*(char|text|blob|binary|json)").match  # type of a column, without its length


@dataclass(frozen=True, slots=True)
class Found:
    """A value of a row; `site_id` is 0 where the table knows no sites."""

    table: str
    column: str
    site_id: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Table:
    """What is to be read of a table, and the key by which."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    has_sites: bool


def scan(database: Database) -> Iterator[Found]:
    """Yield every value of every text and blob column; one that is longer than a piece comes in several.

    What is written meanwhile may or may not be seen. Raises what `Database.read` does.
    """
    for name in (*_names(), SEED_TABLE):
        table = _describe(database, name)
        if table is not None:
            yield from _read(database, table)


def _names() -> list[str]:
    return [name for file in resources.migrations() for name in _MADE.findall(resources.sql(file))]


def _describe(database: Database, name: str) -> _Table | None:
    """Return what there is to read, None where there is nothing."""
    template, values = (SQLITE_COLUMNS, (name,)) if database.dialect == "sqlite" else (MYSQL_COLUMNS, (name, name))
    found = [
        (_checked(str(column)), _text(kind), int(part))
        for column, kind, part in database.read(lambda session: session.ask(template, values))
    ]
    columns = tuple(column for column, kind, _ in found if _IS_READ(kind))
    key = tuple(column for _, column in sorted((part, column) for column, _, part in found if part))
    if not columns or not key:
        return None
    return _Table(_checked(name), columns, key, any(column == "site_id" for column, _, _ in found))


def _read(database: Database, table: _Table) -> Iterator[Found]:
    first, more = _templates(table, database.dialect == "mysql")
    rows = _ask(database, first, (ROWS,))
    while rows:
        for row in rows:
            site_id = int(row[len(table.key)]) if table.has_sites else 0
            for column, value in zip(table.columns, row[-len(table.columns) :], strict=True):
                for piece in _pieces(value):
                    yield Found(table.name, column, site_id, piece)
        if len(rows) < ROWS:
            return
        last = [bytes(part) if isinstance(part, bytearray) else part for part in rows[-1][: len(table.key)]]
        rows = _ask(database, more, (*_places(last, database.dialect == "mysql"), ROWS))


def _ask(database: Database, template: str, values: Sequence[Value]) -> Rows:
    return database.read(lambda session: session.ask(template, values))


def _templates(table: _Table, is_mysql: bool) -> tuple[str, str]:
    """Return how the first piece is read and how each one after it; names were checked, values are parameters."""
    columns = [*table.key, *(["site_id"] if table.has_sites else []), *table.columns]
    key = ", ".join(map(_quoted, table.key))
    first = ["/* scan */ select", ", ".join(map(_quoted, columns)), "from", _quoted(table.name)]
    last = ["order by", key, "limit ?"]
    return " ".join([*first, *last]), " ".join([*first, "where", _after(table.key, is_mysql), *last])


def _after(key: tuple[str, ...], is_mysql: bool) -> str:
    """Return the condition for rows behind one; each database finds only one of the two spellings by its index."""
    if not is_mysql:
        return "(" + ", ".join(map(_quoted, key)) + ") > (" + ", ".join("?" * len(key)) + ")"
    cases = []
    for place in range(len(key)):
        same = [f"{_quoted(name)} = ?" for name in key[:place]]
        cases.append("(" + " and ".join([*same, f"{_quoted(key[place])} > ?"]) + ")")
    return "(" + " or ".join(cases) + ")"


def _places(last: Sequence[Value], is_mysql: bool) -> list[Value]:
    """Return the values for `_after`."""
    if not is_mysql:
        return list(last)
    return [value for place in range(len(last)) for value in last[: place + 1]]


def _pieces(value: object) -> Iterator[bytes]:
    content = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not isinstance(content, bytes | bytearray) or not content:
        return  # empty, or NULL
    for start in range(0, len(content), PIECE_BYTES):
        yield bytes(content[max(0, start - OVERLAP_BYTES) : start + PIECE_BYTES])


def _checked(name: str) -> str:
    if not _IS_NAME(name):
        raise StoreError(f"the database has a table or column {name!r}, which is none of ours: rename it")
    return name


def _quoted(name: str) -> str:
    return f"`{name}`"  # both databases take these


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)
