"""What `check` finds in a database server."""

import time

import pytest

from tests.mariadb import MariaDB
from visitor_tracker.store import open_store


def findings(mariadb: MariaDB, durability: str = "full", **options: int) -> list[str]:
    store = open_store(
        mariadb.url(mariadb.fresh_database(), **options), durability="full" if durability == "full" else "relaxed"
    )
    try:
        return [finding.message for finding in store.check()]
    finally:
        store.close()


def test_a_sound_server_gives_no_finding(mariadb: MariaDB) -> None:
    assert findings(mariadb) == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("innodb_flush_log_at_trx_commit", 2, "innodb_flush_log_at_trx_commit is 2: a power cut loses"),
        ("max_connections", 12, "the server allows 12 connections, each worker may open 8"),
    ],
)
def test_a_setting_that_harms_is_found(mariadb: MariaDB, name: str, value: int, message: str) -> None:
    with mariadb.setting(name, value):
        [found] = findings(mariadb)
    assert found.startswith(message)


def test_relaxed_durability_asks_no_sync_of_the_server(mariadb: MariaDB) -> None:
    with mariadb.setting("innodb_flush_log_at_trx_commit", 2):
        assert findings(mariadb, "relaxed") == []


def test_a_pool_larger_than_the_server_allows_is_found(mariadb: MariaDB) -> None:
    [found] = findings(mariadb, pool_size=200)
    assert "each worker may open 200" in found


def test_a_clock_that_differs_is_found(mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    [found] = findings(mariadb)
    assert "clock differs from this machine's by +3" in found
