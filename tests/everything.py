"""All that a database holds, by table: to see that something is nowhere, and that nothing else has changed."""

from collections.abc import Collection, Mapping

from visitor_tracker.store.sql import SqlStore

Rows = Mapping[str, frozenset[tuple[object, ...]]]

_TABLES = {
    "sqlite": "select name from sqlite_schema where type = 'table'",
    "mysql": "select table_name from information_schema.tables where table_schema = database()",
}
_COLUMNS = {
    "sqlite": "select name from pragma_table_info(%s)",
    "mysql": "select column_name from information_schema.columns"
    " where table_schema = database() and table_name = %s order by ordinal_position",
}


def everything(store: SqlStore, leave_out: Collection[str] = ("site_lease", "schema_migrations")) -> Rows:
    """Return the rows of every table."""
    dialect = store.database.dialect
    tables = sorted(str(row[0]) for row in store.execute(_TABLES[dialect]))
    return {table: _rows(store, table) for table in tables if table not in leave_out}


def _rows(store: SqlStore, table: str) -> frozenset[tuple[object, ...]]:
    names = ", ".join(f"{row[0]}" for row in store.execute(_COLUMNS[store.database.dialect], (table,)))
    quoted = "`" if store.database.dialect == "mysql" else '"'
    listed = ", ".join(f"{quoted}{name}{quoted}" for name in names.split(", "))
    return frozenset(
        tuple(bytes(value) if isinstance(value, bytearray) else value for value in row)
        for row in store.execute(f"select {listed} from {table}")
    )


def tells(row: tuple[object, ...], needle: bytes) -> bool:
    """Say whether a row has these bytes, or their hex digits, anywhere."""
    for value in row:
        if isinstance(value, bytes) and needle in value:
            return True
        if isinstance(value, str) and (needle.hex() in value or needle in value.encode()):
            return True
    return False


def places_of(store: SqlStore, needles: Collection[bytes]) -> set[str]:
    """Return the tables that have any of these bytes somewhere."""
    return {
        table
        for table, rows in everything(store, ()).items()
        if any(tells(row, needle) for row in rows for needle in needles)
    }


def without(rows: Rows, needles: Collection[bytes], leave_out: Collection[str] = ()) -> dict[str, object]:
    """Return the rows that have none of these bytes, but those of some tables."""
    return {
        table: {row for row in found if not any(tells(row, needle) for needle in needles)}
        for table, found in rows.items()
        if table not in leave_out
    }
