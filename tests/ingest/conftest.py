"""Folders, counters and stores for the journal's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from visitor_tracker.ingest.segments import make_folder
from visitor_tracker.metrics import Counters, Metrics
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


@pytest.fixture
def counters() -> Counters:
    return Metrics().counters()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    make_folder(path)
    return path


@pytest.fixture
def store(store_url: str, prepare_database: Callable[[str], None]) -> Iterator[SqlStore]:
    prepare_database(store_url)
    opened = open_store(store_url)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path, prepare_database: Callable[[str], None]) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'visitors.db'}"
    prepare_database(url)
    opened = open_store(url)
    migrate(opened)
    yield opened
    opened.close()
