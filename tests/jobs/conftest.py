"""Stores for jobs."""

from collections.abc import Iterator

import pytest

from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


@pytest.fixture
def any_store(store_url: str) -> Iterator[SqlStore]:
    """An empty, migrated store, on SQLite and on MariaDB."""
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()
