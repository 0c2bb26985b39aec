"""What is no longer needed goes; what is needed stays."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import until
from visitor_tracker.config import Config, ReplayConfig
from visitor_tracker.days import day_of
from visitor_tracker.event import Visit
from visitor_tracker.http.url import page_hash
from visitor_tracker.jobs.housekeeping import add_up_tabs, keep_house, purge_all, purge_heat
from visitor_tracker.jobs.retention import Retainer
from visitor_tracker.store.heat import HeatTable, Report
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.quality import add_tabs
from visitor_tracker.store.replay import Chunk, Limits, PageSnapshot, ReplayTable
from visitor_tracker.store.sql import SqlStore

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
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


def record(store: SqlStore, number: int, days_ago: float) -> None:
    key = number.to_bytes(16, "big")
    at = int(time.time() * 1000 - days_ago * DAY_MS)
    view = PageSnapshot(key, 2, at, 1280, 720, PAGE, b"view")
    ReplayTable(store.database).add(Chunk(1, key, 1, at, b"packed", 6, 1), Limits(1000, 1000), [view])
    report = Report(1, key, key, PAGE, 2, day_of("UTC", at) // 100, at, {0: [(1, 2, 3)]})
    assert HeatTable(store.database).add(report)


def test_recordings_go_after_their_days_and_heat_after_a_year(store: SqlStore) -> None:
    for number, days_ago in enumerate((0.0, 29.9, 30.1, 100.0, 364.0, 400.0)):
        record(store, number, days_ago)
    gone = Retainer(store, Config()).run()
    assert [(each.site, each.kind, each.days, each.rows) for each in gone] == [("default", "recordings", 30, 4 + 4)]
    assert purge_heat(store, threading.Event()) == 1
    assert (rows(store, "replays"), rows(store, "replay_chunks"), rows(store, "page_snapshots")) == (2, 2, 2)
    assert (rows(store, "heat"), rows(store, "heat_pages")) == (5, 5)
    assert Retainer(store, Config()).run() == []
    assert purge_heat(store, threading.Event()) == 0
    stop = threading.Event()
    stop.set()
    assert purge_heat(store, stop) == 0
    assert Retainer(store, Config(replay=ReplayConfig(keep_days=1))).run(stop.is_set) == []


def test_the_house_is_kept_free_of_old_recordings(store: SqlStore) -> None:
    record(store, 1, 8.0)
    stop = threading.Event()
    thread = threading.Thread(target=keep_house, args=(store, 7, stop, 0.01, Config(replay=ReplayConfig(keep_days=7))))
    thread.start()
    until(lambda: rows(store, "replays") == 0)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def open_tab(store: SqlStore, site_id: int, days_ago: float) -> None:
    began = int(time.time() * 1000 - days_ago * DAY_MS)
    key = (began - began % HOUR_MS, began.to_bytes(16, "big"))
    store.database.write(lambda session: add_tabs(session, site_id, {key: (2, 3)}))


def test_tabs_that_can_send_no_more_are_added_up_by_the_hour(store: SqlStore) -> None:
    for site_id in (1, 5):
        for days_ago in (0.0, 7.9, 8.9, 9.1, 20.0):
            open_tab(store, site_id, days_ago)
    stop = threading.Event()
    stop.set()
    assert add_up_tabs(store, stop) == 0
    assert add_up_tabs(store, threading.Event()) == 4
    assert (rows(store, "tabs"), rows(store, "quality_hour")) == (6, 4)
    assert store.execute("select distinct tabs, received, expected from quality_hour") == [(1, 2, 3)]
    assert add_up_tabs(store, threading.Event()) == 0


def test_the_house_is_kept_free_of_old_tabs(store: SqlStore) -> None:
    open_tab(store, 1, 10.0)
    stop = threading.Event()
    thread = threading.Thread(target=keep_house, args=(store, 7, stop, 0.01))
    thread.start()
    until(lambda: rows(store, "tabs") == 0)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert rows(store, "quality_hour") == 1
