"""What is no longer needed goes; what is needed stays."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from visitor_tracker.event import Visit
from visitor_tracker.http.url import page_hash
from visitor_tracker.jobs.housekeeping import keep_house, purge_all
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

DAY_MS = 86_400_000
PAGE = "https://example.com/"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(f"sqlite:///{tmp_path / 'v.db'}")
    migrate(made)
    yield made
    made.close()


def count(store: SqlStore, number: int, days_ago: float) -> None:
    key = number.to_bytes(16, "big")
    at = int(time.time() * 1000 - days_ago * DAY_MS)
    store.count(key, [Visit(page_hash(PAGE), PAGE, key)], at)


def rows(store: SqlStore, table: str) -> int:
    return int(store.execute(f"select count(*) from {table}")[0][0])


def test_old_rows_go_and_counts_stay(store: SqlStore) -> None:
    for number, days_ago in enumerate((0.0, 0.5, 2.0, 6.9, 7.1, 30.0)):
        count(store, number, days_ago)
    assert purge_all(store, 7, threading.Event()) == 2 + 2
    assert (rows(store, "ledger"), rows(store, "event_ids"), rows(store, "visitors")) == (4, 4, 1)
    page = store.page(page_hash(PAGE))
    assert page is not None
    assert page.visit_count == 6


def test_it_ends_when_told(store: SqlStore) -> None:
    count(store, 1, 30.0)
    stop = threading.Event()
    thread = threading.Thread(target=keep_house, args=(store, 7, stop, 0.01))
    thread.start()
    deadline = time.monotonic() + 20
    while rows(store, "ledger") and time.monotonic() < deadline:
        stop.wait(0.01)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert rows(store, "ledger") == 0
