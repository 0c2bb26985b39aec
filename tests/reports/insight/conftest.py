"""A store for what is the same on all of them and takes long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty, migrated store on SQLite."""
    made = open_store(f"sqlite:///{tmp_path / 'v.db'}")
    migrate(made)
    yield made
    made.close()
