"""Open a store."""

from visitor_tracker.config import StoreConfig
from visitor_tracker.store.location import Durability, SqliteLocation, locate
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.session import Database
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.sqlite import SqliteDatabase

_DEFAULTS = StoreConfig()


def open_store(
    url: str,
    *,
    durability: Durability = _DEFAULTS.durability,
    connect_seconds: float = _DEFAULTS.connect_seconds,
    answer_seconds: float = _DEFAULTS.answer_seconds,
    borrow_seconds: float = _DEFAULTS.borrow_seconds,
) -> SqlStore:
    """Open the store that the URL names; call it in each process, after the fork.

    A SQLite file is made when missing, a database server is not called before it is needed. A store in memory
    comes with its tables, `migrate` makes the others'. Raises StoreError for a URL, folder or file that cannot
    be used.
    """
    location = locate(url)
    if isinstance(location, SqliteLocation):
        store = SqlStore(SqliteDatabase(location.path, durability, busy_seconds=answer_seconds))
        if location.path is None:
            migrate(store)
        return store
    from visitor_tracker.store.mysql import MysqlDatabase  # its driver takes longer to load than all of ours

    database: Database = MysqlDatabase(
        location,
        StoreConfig(
            durability=durability,
            connect_seconds=connect_seconds,
            answer_seconds=answer_seconds,
            borrow_seconds=borrow_seconds,
        ),
    )
    return SqlStore(database)
