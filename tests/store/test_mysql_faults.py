"""What may happen between us and a MySQL or MariaDB server."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, get_args

import pytest

from tests.mariadb import PASSWORD, MariaDB, free_port
from tests.store.proxy import Cut, How, Proxy, proxy_to
from tests.store.samples import HOME, NOW, Tally, new_batch, numbers, page_key, stored_count, visit, visits
from visitor_tracker.config import StoreConfig
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import Visit
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.location import MysqlLocation, locate
from visitor_tracker.store.mysql import MysqlDatabase
from visitor_tracker.store.sql import SqlStore

PAGES = [f"{HOME}{number}" for number in range(50)]
CUTS = 200
PATIENCE_SECONDS = 60.0


@pytest.fixture
def database(mariadb: MariaDB) -> str:
    """The name of a database with our tables."""
    name = mariadb.fresh_database()
    store = open_store(mariadb.url(name))
    migrate(store)
    store.close()
    return name


@pytest.fixture
def store(mariadb: MariaDB, database: str) -> Iterator[SqlStore]:
    made = open_store(mariadb.url(database), answer_seconds=3)
    yield made
    made.close()


@pytest.fixture
def proxy(mariadb: MariaDB) -> Iterator[Proxy]:
    with proxy_to(mariadb.port) as made:
        yield made


def settle(store: SqlStore, batch_id: bytes, batch: list[Visit], tally: Tally) -> None:
    """Ask for a batch by its id until the store says what became of it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            return tally.accept(batch, store.count(batch_id, batch, NOW, retry=True))
        except OutcomeUnknown:
            threading.Event().wait(0.05)
    return tally.lose(batch)


def send(store: SqlStore, batch: list[Visit], tally: Tally) -> bool:
    """Count a batch and note what became of it; False means that it was refused."""
    batch_id = new_batch()
    try:
        tally.accept(batch, store.count(batch_id, batch, NOW))
    except StoreUnavailable:
        return False
    except OutcomeUnknown:
        settle(store, batch_id, batch, tally)
    return True


def test_a_connection_may_break_at_any_moment(mariadb: MariaDB, database: str, proxy: Proxy) -> None:
    store = open_store(mariadb.url(database, port=proxy.port), answer_seconds=3)
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    tally = Tally()
    refused = 0
    for number in range(CUTS):
        proxy.plan(Cut(choose.randint(1, 5), choose.choice(get_args(How))))
        for part in range(3):
            page = choose.choice(PAGES)
            batch = [visit(page), visit(HOME, b"%d-%d" % (number, part) if choose.random() < 0.3 else None)]
            refused += not send(store, batch, tally)
    store.close()
    assert proxy.cuts >= CUTS / 2, seed
    direct = open_store(mariadb.url(database))
    tally.check(direct)
    assert not tally.unknown, seed
    assert direct.totals()[1] == tally.accepted.total(), (seed, refused)
    direct.close()


@pytest.mark.parametrize("how", get_args(How))
def test_a_batch_whose_commit_got_no_answer_counts_once(
    mariadb: MariaDB, database: str, proxy: Proxy, how: How
) -> None:
    store = open_store(mariadb.url(database, port=proxy.port))
    store.count(new_batch(), visits(HOME), NOW)
    batch_id, batch = new_batch(), [visit(HOME), visit(HOME, b"a")]
    proxy.plan(Cut(3, how))  # ids, upsert with read-back, ledger with COMMIT
    with pytest.raises(OutcomeUnknown):
        store.count(batch_id, batch, NOW)
    assert numbers(store.count(batch_id, batch, NOW, retry=True)) == [2, 3]
    assert proxy.cuts == 1
    assert stored_count(store) == 3
    store.close()


def test_connections_that_the_server_closed_are_replaced_unseen(mariadb: MariaDB, store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME), NOW)
    mariadb.restart()
    assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [2]


def test_a_silent_server_holds_nobody(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database, pool_size=2), connect_seconds=1, answer_seconds=1)
    store.count(new_batch(), visits(HOME), NOW)
    with mariadb.frozen():
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.count(new_batch(), visits(HOME), NOW)
        with pytest.raises(OutcomeUnknown):
            store.count(new_batch(), visits(HOME), NOW, retry=True)
        assert time.monotonic() - started < 10
    assert stored_count(store) == 1
    assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [2]
    store.close()


def test_a_server_that_is_not_there_is_unavailable(mariadb: MariaDB) -> None:
    store = open_store(mariadb.url("nothing", port=free_port()))
    with pytest.raises(StoreUnavailable):
        store.ping()
    store.close()


def test_a_missing_database_is_named(mariadb: MariaDB) -> None:
    store = open_store(mariadb.url("nothing_here"))
    with pytest.raises(StoreError, match="create database"):
        store.ping()
    store.close()


def test_a_wrong_password_is_explained_and_not_shown(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database).replace("s3cret", "wr0ng"))
    with pytest.raises(StoreError, match="correct user or password") as refused:
        store.ping()
    assert "wr0ng" not in str(refused.value)
    store.close()


def test_load_goes_on_over_kills_of_the_server(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database), connect_seconds=1, answer_seconds=3)
    stop = threading.Event()

    def load(number: int) -> Tally:
        choose = random.Random(number)
        tally = Tally()
        while not stop.is_set():
            batch = [visit(choose.choice(PAGES)) for _ in range(8)]
            if not send(store, batch, tally):
                stop.wait(0.02)
        return tally

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(load, number) for number in range(4)]
        try:
            for _ in range(3):
                wait_for_visits(store, 200)
                mariadb.restart()
            wait_for_visits(store, 200)
        finally:
            stop.set()
        tally = sum((one.result() for one in running), Tally())
    tally.check(store)
    assert store.totals()[1] == tally.accepted.total()
    store.close()


def wait_for_visits(store: SqlStore, number: int) -> None:
    """Wait until so many more were counted."""
    seen: list[int] = []

    def enough() -> bool:
        seen.append(store.totals()[1])
        return seen[-1] >= seen[0] + number

    wait_until(enough)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the store, which may be away meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (StoreUnavailable, OutcomeUnknown):
            pass
        threading.Event().wait(0.01)
    raise AssertionError("the state never came")


def test_random_orders_never_deadlock(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database))
    before = deadlocks(mariadb)

    def load(number: int) -> Tally:
        choose = random.Random(number)
        tally = Tally()
        for round_number in range(40):
            pages = choose.choices(PAGES, k=64)
            ids = [b"%d" % choose.randrange(500) if choose.random() < 0.3 else None for _ in pages]
            batch = [visit(page, one) for page, one in zip(pages, ids, strict=True)]
            results = store.count(new_batch(), batch, NOW + round_number)
            fresh = [pair for pair in zip(batch, results, strict=True) if not pair[1].duplicate]
            tally.accept([pair[0] for pair in fresh], [pair[1] for pair in fresh])
        return tally

    with ThreadPoolExecutor(4) as pool:
        tally = sum(pool.map(load, range(4)), Tally())
    tally.check(store)
    assert deadlocks(mariadb) == before
    store.close()


def deadlocks(mariadb: MariaDB) -> int:
    return status(mariadb, "Innodb_deadlocks")


@contextmanager
def row_locked(mariadb: MariaDB, database: str, url: str) -> Iterator[Any]:
    """Hold a page's row as another program's transaction would; yields its cursor."""
    with mariadb.connection(database=database) as db:
        cursor = db.cursor()
        cursor.execute("begin")
        lock(cursor, url)
        yield cursor
        cursor.execute("rollback")


def lock(cursor: Any, url: str) -> None:  # noqa: ANN401  # the connector has several cursor classes
    cursor.execute("select * from visitors where site_id = 1 and page_hash = %s for update", (page_key(url),))
    cursor.fetchall()


def status(mariadb: MariaDB, name: str) -> int:
    [(_, number)] = mariadb.execute(f"show global status like '{name}'")
    return int(number)


def waiting(mariadb: MariaDB) -> bool:
    return status(mariadb, "Innodb_row_lock_current_waits") > 0


def test_a_deadlock_is_tried_again(mariadb: MariaDB, database: str, store: SqlStore) -> None:
    first, last = sorted((HOME, PAGES[0]), key=page_key)
    store.count(new_batch(), visits(first, last), NOW)
    before = deadlocks(mariadb)
    with ThreadPoolExecutor(1) as pool, row_locked(mariadb, database, last) as cursor:
        # The server gives up the transaction that changed less, and ours is to be the one.
        rows = ", ".join(f"(9, unhex('{number:032x}'), '', 1, 1, 1)" for number in range(500))
        cursor.execute(f"insert into visitors values {rows}")
        counting: Future[Any] = pool.submit(store.count, new_batch(), visits(last, first), NOW)
        wait_until(lambda: waiting(mariadb))
        lock(cursor, first)
        assert deadlocks(mariadb) == before + 1
        cursor.execute("rollback")
        assert numbers(counting.result(PATIENCE_SECONDS)) == [2, 2]
    assert stored_count(store, first) == 2


def test_a_lock_wait_is_tried_again(mariadb: MariaDB, database: str, store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME), NOW)
    with ThreadPoolExecutor(1) as pool, row_locked(mariadb, database, HOME) as cursor:
        waits = status(mariadb, "Innodb_row_lock_waits")
        counting: Future[Any] = pool.submit(store.count, new_batch(), visits(HOME), NOW)
        wait_until(lambda: status(mariadb, "Innodb_row_lock_waits") == waits + 2)  # the first ended in an error
        cursor.execute("rollback")
        assert numbers(counting.result(PATIENCE_SECONDS)) == [2]


def test_a_lock_that_stays_is_unavailable_in_the_end(mariadb: MariaDB, database: str, store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME), NOW)
    with row_locked(mariadb, database, HOME), pytest.raises(StoreUnavailable):
        store.count(new_batch(), visits(HOME), NOW)
    assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [2]


def test_a_busy_pool_refuses_after_a_bounded_wait(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database, pool_size=1), answer_seconds=20, borrow_seconds=0.1)
    store.count(new_batch(), visits(HOME), NOW)
    with ThreadPoolExecutor(1) as pool, row_locked(mariadb, database, HOME) as cursor:
        counting: Future[Any] = pool.submit(store.count, new_batch(), visits(HOME), NOW)
        wait_until(lambda: waiting(mariadb))
        with pytest.raises(StoreUnavailable, match="all 1 database connections"):
            store.ping()
        cursor.execute("rollback")
        assert numbers(counting.result(PATIENCE_SECONDS)) == [2]
    store.close()


def test_a_read_only_server_refuses_and_recovers(mariadb: MariaDB, database: str, store: SqlStore) -> None:
    mariadb.execute("create user if not exists reader@'%' identified by 'x'", user="root", password="")
    mariadb.execute(f"grant select, insert, update, delete on {database}.* to reader@'%'", user="root", password="")
    limited = open_store(f"mysql://reader:x@127.0.0.1:{mariadb.port}/{database}")
    limited.count(new_batch(), visits(HOME), NOW)
    with mariadb.setting("read_only", 1):
        with pytest.raises(StoreUnavailable, match="read-only"):
            limited.count(new_batch(), visits(HOME), NOW)
        assert stored_count(limited) == 1
        limited.ping()
        with pytest.raises(StoreUnavailable, match="read-only"):
            limited.probe()
    limited.probe()
    assert numbers(limited.count(new_batch(), visits(HOME), NOW)) == [2]
    limited.close()


def test_too_many_connections_is_unavailable(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database))
    with mariadb.connection(), mariadb.setting("max_connections", 10):
        held = [open_store(mariadb.url(database)) for _ in range(20)]
        with pytest.raises(StoreUnavailable, match="Too many connections"):
            ping_all(held)
        for one in held:
            one.close()
        wait_until(lambda: store.totals() == (0, 0))
    store.close()


def ping_all(stores: list[SqlStore]) -> None:
    for one in stores:
        one.ping()


def connections(mariadb: MariaDB) -> int:
    [(number,)] = mariadb.execute("select count(*) from information_schema.processlist where user = 'tracker'")
    return int(number) - 1


def test_errors_leak_no_connections(mariadb: MariaDB, store: SqlStore) -> None:
    for _ in range(300):
        with pytest.raises(StoreError):
            store.execute("select * from nothing_there")
    wait_until(lambda: connections(mariadb) <= 1)
    store.ping()


def test_close_releases_every_connection(mariadb: MariaDB, store: SqlStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        for ping in [pool.submit(store.ping) for _ in range(20)]:
            ping.result()
    store.close()
    wait_until(lambda: connections(mariadb) == 0)


def test_without_the_c_extension_all_is_the_same(mariadb: MariaDB, database: str) -> None:
    store = pure_store(mariadb.url(database))
    batch_id, batch = new_batch(), [visit(HOME), visit(PAGES[0], b"a"), visit(HOME), visit(PAGES[0], b"a")]
    results = store.count(batch_id, batch, NOW)
    assert numbers(results) == [1, 1, 2, 1]
    assert store.count(batch_id, batch, NOW) == results
    assert store.count(batch_id, batch, NOW, retry=True) == results
    assert [page.page_url for page in store.pages(order="url").pages] == [HOME, PAGES[0]]
    assert "pure Python" in store.describe()
    assert any("C extension" in finding.message for finding in store.check())
    store.close()


def pure_store(url: str) -> SqlStore:
    location = locate(url)
    assert isinstance(location, MysqlLocation)
    return SqlStore(MysqlDatabase(location, StoreConfig(), pure=True))


def test_the_description_names_the_place_and_no_password(mariadb: MariaDB, store: SqlStore) -> None:
    text = store.describe()
    assert "MariaDB" in text
    assert f"127.0.0.1:{mariadb.port}/" in text
    assert PASSWORD not in text


def test_a_socket_file_serves_too(mariadb: MariaDB, database: str) -> None:
    store = open_store(mariadb.url(database, port=free_port(), unix_socket=str(mariadb.socket)))
    store.ping()
    assert str(mariadb.socket) in store.describe()
    store.close()
