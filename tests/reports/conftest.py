"""Stores to report on."""

from collections.abc import Callable, Iterator

import pytest

from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


@pytest.fixture
def store(store_url: str, prepare_database: Callable[[str], None]) -> Iterator[SqlStore]:
    """An empty, migrated store, on SQLite and on MariaDB."""
    prepare_database(store_url)
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def table(store: SqlStore) -> ReportTable:
    return ReportTable(store.database)
