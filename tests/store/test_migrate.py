"""Migrations: once, in order, resumable, and the older counter's table."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.store.samples import HOME, NOW, new_batch, numbers, visits
from tests.store.seed import OldRow, make_old_table
from visitor_tracker import resources
from visitor_tracker.errors import StoreError
from visitor_tracker.event import PageCount, Visit
from visitor_tracker.http.url import page_hash
from visitor_tracker.store import migrate, open_store, pending
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.counter import iso

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}

OLD: list[OldRow] = [
    ("https://example.com/", 5, "2025-03-30 01:30:00", "2024-02-29 23:59:59"),
    ("https://EXAMPLE.com", 2, "2025-03-30 02:30:00", "2024-03-01 00:00:00"),
    ("https://example.com/#top", 1, "2020-01-01 00:00:00", "2020-01-01 00:00:00"),
    ("https://example.com/about", 7, "2025-10-26 00:30:00", "2025-10-26 00:30:00"),
    ("ftp://example.com/file", 3, "2025-01-01 00:00:00", "2025-01-01 00:00:00"),
    ("nonsense", 4, "2025-01-01 00:00:00", "2025-01-01 00:00:00"),
    (None, 9, "2025-01-01 00:00:00", "2025-01-01 00:00:00"),
]
TAKEN = (
    PageCount("https://example.com/", 8, 1743301800000, 1577836800000),
    PageCount("https://example.com/about", 7, 1761438600000, 1761438600000),
)
NAMES = [*resources.migrations(), "visitors_seed003"]


@pytest.fixture
def server(request: pytest.FixtureRequest, store_url: str) -> MariaDB | None:
    """The server of `store_url`, if it has one."""
    found: MariaDB | None = request.getfixturevalue("mariadb") if store_url.startswith("mysql") else None
    return found


def test_migrations_run_once(store_url: str, opened: Callable[[str], SqlStore]) -> None:
    store = opened(store_url)
    names = resources.migrations()
    assert pending(store) == names
    assert migrate(store) == names
    assert pending(store) == []
    assert migrate(store) == []


def test_a_database_of_the_first_version_is_brought_up_to_date(
    store_url: str, opened: Callable[[str], SqlStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *later = resources.migrations()
    old = opened(store_url)
    with monkeypatch.context() as first_version:
        (tmp_path / first).write_bytes((resources.SQL / first).read_bytes())
        first_version.setattr(resources, "SQL", tmp_path)
        assert migrate(old) == [first]
    batch, secret = new_batch(), old.secret("token")
    counted = old.count(batch, visits(HOME), NOW)
    old.close()
    store = opened(store_url)
    assert pending(store) == migrate(store) == later
    assert pending(store) == []
    assert store.count(batch, visits(HOME), NOW, retry=True) == counted
    assert store.secret("token") == secret
    assert Inbox(store.database).pending() == (0, 0)


def test_pending_changes_nothing(store_url: str, opened: Callable[[str], SqlStore]) -> None:
    store = opened(store_url)
    pending(store)
    with pytest.raises(StoreError):
        store.execute("select * from schema_migrations")


def test_several_that_migrate_at_once_do_it_once(store_url: str, opened: Callable[[str], SqlStore]) -> None:
    stores = [opened(store_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, stores))
    assert sorted(done, key=len) == [[], [], [], resources.migrations()]


def test_a_newer_schema_is_refused(lasting_store: SqlStore) -> None:
    lasting_store.execute("insert into schema_migrations values ('9999_future.sql', 'x', 0)")
    for act in (migrate, pending):
        with pytest.raises(StoreError, match=r"newer version, which applied 9999_future\.sql: update"):
            act(lasting_store)


def test_a_changed_file_is_refused(lasting_store: SqlStore) -> None:
    lasting_store.execute("update schema_migrations set sha256 = 'x'")
    for act in (migrate, pending):
        with pytest.raises(StoreError, match="is not the file that was applied"):
            act(lasting_store)


def test_tables_are_kept_as_a_server_should(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    name = mariadb.fresh_database()
    migrate(opened(mariadb.url(name)))
    tables = mariadb.execute(
        "select engine, table_collation from information_schema.tables where table_schema = %s", (name,)
    )
    assert set(tables) == {("InnoDB", "utf8mb4_bin")}


def test_the_older_counters_table_is_taken_over(
    store_url: str, server: MariaDB | None, opened: Callable[[str], SqlStore], caplog: pytest.LogCaptureFixture
) -> None:
    make_old_table(store_url, OLD, server)
    store = opened(store_url)
    assert pending(store) == NAMES
    with caplog.at_level(logging.INFO, "visitor_tracker"):
        assert migrate(store) == NAMES
    assert store.pages(order="url").pages == TAKEN
    about = "https://example.com/about"
    assert numbers(store.count(new_batch(), [Visit(page_hash(about), about)], NOW)) == [8]
    assert store.execute("select count(*) from visitors_seed003") == [(len(OLD),)]
    assert "3 rows of visitors_seed003 are no page URLs or no counts" in caplog.text
    assert "'nonsense'" in caplog.text


def test_the_takeover_happens_once(store_url: str, server: MariaDB | None, opened: Callable[[str], SqlStore]) -> None:
    make_old_table(store_url, OLD, server)
    store = opened(store_url)
    migrate(store)
    assert pending(store) == []
    assert migrate(store) == []
    assert store.pages(order="url").pages == TAKEN


def test_a_large_older_table_is_taken_in_slices(
    store_url: str, server: MariaDB | None, opened: Callable[[str], SqlStore]
) -> None:
    rows: list[OldRow] = [
        (f"{HOME}{number % 600}{'#' * (number // 600)}", 1, "2025-01-01 00:00:00", "2025-01-01 00:00:00")
        for number in range(1800)
    ]
    make_old_table(store_url, rows, server)
    store = opened(store_url)
    migrate(store)
    assert store.totals() == (600, 1800)


def test_odd_counts_and_times_become_ones_that_answers_can_show(
    store_url: str, server: MariaDB | None, opened: Callable[[str], SqlStore]
) -> None:
    moment = "2025-01-01 00:00:00"
    make_old_table(store_url, [(f"{HOME}negative", -5, moment, moment), (f"{HOME}timeless", 3, None, None)], server)
    store = opened(store_url)
    before = time.time_ns() // 1_000_000
    migrate(store)
    negative, timeless = store.pages(order="url").pages
    assert (negative.visit_count, timeless.visit_count) == (0, 3)
    assert before <= timeless.created_at <= timeless.last_visited <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("moment", [0, 5, -1, 1e18, "0000-01-01 00:00:00", "-4000-01-01", "soon"])
def test_a_time_that_no_calendar_has_counts_as_now(tmp_path: Path, moment: object) -> None:
    store = taken_from_sqlite(tmp_path, 3, moment)
    [page] = store.pages().pages
    store.close()
    assert iso(page.created_at)[:4] == iso(time.time_ns() // 1_000_000)[:4]


@pytest.mark.parametrize(("count", "taken"), [("7", [7]), (2.5, [2]), (1e300, [1 << 53]), ("many", []), (b"x", [])])
def test_sqlite_keeps_any_value_for_a_count(tmp_path: Path, count: object, taken: list[int]) -> None:
    store = taken_from_sqlite(tmp_path, count, "2025-01-01 00:00:00")
    assert [page.visit_count for page in store.pages().pages] == taken
    store.close()


def taken_from_sqlite(folder: Path, count: object, moment: object) -> SqlStore:
    """Return a store that has taken over one page with these values."""
    url = f"sqlite:///{folder / 'visitors.db'}"
    make_old_table(url, [(HOME, count, moment, moment)], None)  # type: ignore[list-item]
    store = open_store(url)
    migrate(store)
    return store


def test_counts_that_are_there_already_are_added_to(
    lasting_store: SqlStore, store_url: str, server: MariaDB | None
) -> None:
    lasting_store.execute("alter table visitors rename to ours")
    make_old_table(store_url, OLD, server)
    lasting_store.execute("alter table visitors rename to visitors_seed003")
    lasting_store.execute("alter table ours rename to visitors")
    migrate(lasting_store)
    assert lasting_store.pages(order="url").pages == TAKEN


def test_a_migration_killed_after_any_statement_is_resumed(
    store_url: str, server: MariaDB | None, opened: Callable[[str], SqlStore]
) -> None:
    make_old_table(store_url, OLD, server)
    command = [sys.executable, "-m", "tests.store.migrating_child", store_url]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False)
    outcomes = [line.split()[0] for line in done.stdout.splitlines()]
    assert outcomes == ["killed"] * (len(outcomes) - 1) + ["done"], done.stderr
    assert len(outcomes) > sum(resources.sql(name).count(";\n") for name in resources.migrations())
    store = opened(store_url)
    assert migrate(store) == []
    assert store.pages(order="url").pages == TAKEN
    assert store.count(new_batch(), visits(HOME), NOW)
