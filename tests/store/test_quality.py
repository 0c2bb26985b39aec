"""Tabs are added up in steps, each exactly once, whoever else does the same."""

from threading import Barrier, Thread

import pytest

from visitor_tracker.days import HOUR_MS
from visitor_tracker.store import quality
from visitor_tracker.store.quality import HourOfTabs, QualityTable, add_tabs
from visitor_tracker.store.sql import SqlStore

SITE, OTHER = 3, 4


def put(store: SqlStore, site_id: int, hour: int, *tabs: tuple[int, int]) -> None:
    """Add tabs of an hour, each as (received, highest)."""
    rows = {(hour, number.to_bytes(16, "big")): tab for number, tab in enumerate(tabs)}
    store.database.write(lambda session: add_tabs(session, site_id, rows))


def test_a_tab_grows(store: SqlStore) -> None:
    put(store, SITE, HOUR_MS, (2, 7))
    put(store, SITE, HOUR_MS, (3, 5), (1, 1))
    assert QualityTable(store.database).hours(SITE, 0, 1 << 62) == [HourOfTabs(HOUR_MS, 2, 6, 8)]


def test_hours_are_from_the_first_to_before_the_last(store: SqlStore) -> None:
    for number in range(1, 5):
        put(store, SITE, number * HOUR_MS, (number, number))
    table = QualityTable(store.database)
    while table.add_up(SITE, 3 * HOUR_MS):
        pass
    assert [each.received for each in table.hours(SITE, 2 * HOUR_MS, 4 * HOUR_MS)] == [2, 3]
    assert table.hours(OTHER, 0, 1 << 62) == []


def test_only_what_is_old_is_added_up_and_only_of_that_site(store: SqlStore) -> None:
    put(store, SITE, HOUR_MS, (1, 2))
    put(store, SITE, 2 * HOUR_MS, (1, 1))
    put(store, OTHER, HOUR_MS, (1, 1), (1, 5))
    table = QualityTable(store.database)
    assert table.old_sites(2 * HOUR_MS) == [SITE, OTHER]
    assert table.add_up(OTHER, 2 * HOUR_MS) == 2
    assert table.old_sites(2 * HOUR_MS) == [SITE]
    assert store.execute("select site_id, hour from tabs order by hour") == [(SITE, HOUR_MS), (SITE, 2 * HOUR_MS)]
    assert store.execute("select * from quality_hour") == [(OTHER, HOUR_MS, 2, 2, 6)]


def test_steps_come_to_the_same_as_one(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_TABS_AT_ONCE", 3)
    for hour in range(1, 4):
        put(store, SITE, hour * HOUR_MS, *((1, 1 + number) for number in range(4)))
    table = QualityTable(store.database)
    before = table.hours(SITE, 0, 1 << 62)
    while table.add_up(SITE, 4 * HOUR_MS):
        assert table.hours(SITE, 0, 1 << 62) == before
    assert store.execute("select count(*) from tabs") == [(0,)]
    assert before == [HourOfTabs(hour * HOUR_MS, 4, 4, 10) for hour in range(1, 4)]


def test_two_nodes_add_up_no_tab_twice(lasting_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_TABS_AT_ONCE", 7)
    put(lasting_store, SITE, HOUR_MS, *((1, 2) for _ in range(200)))
    table = QualityTable(lasting_store.database)
    added: list[int] = []
    together = Barrier(2)

    def add_up() -> None:
        together.wait()
        while step := table.add_up(SITE, 2 * HOUR_MS):
            added.append(step)

    threads = [Thread(target=add_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(added) == 200
    assert table.hours(SITE, 0, 1 << 62) == [HourOfTabs(HOUR_MS, 200, 200, 400)]
    assert lasting_store.execute("select count(*) from tabs") == [(0,)]
