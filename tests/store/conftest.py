"""Stores to test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


@pytest.fixture(params=["memory", "sqlite", "mysql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "memory":
        return "sqlite:///:memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'visitors.db'}"
    server: MariaDB = request.getfixturevalue("mariadb")
    return server.url(server.fresh_database())


@pytest.fixture
def opened() -> Iterator[Callable[[str], SqlStore]]:
    """Open stores that are closed after the test."""
    stores: list[SqlStore] = []

    def open_it(url: str) -> SqlStore:
        stores.append(open_store(url))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(any_url: str, opened: Callable[[str], SqlStore], prepare_database: Callable[[str], None]) -> SqlStore:
    """An empty, migrated store of each kind."""
    prepare_database(any_url)
    made = opened(any_url)
    migrate(made)
    return made


@pytest.fixture
def lasting_store(
    store_url: str, opened: Callable[[str], SqlStore], prepare_database: Callable[[str], None]
) -> SqlStore:
    """An empty, migrated store of each kind that outlives its process."""
    prepare_database(store_url)
    made = opened(store_url)
    migrate(made)
    return made
