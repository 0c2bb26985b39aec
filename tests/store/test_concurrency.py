"""Many threads and processes count at once, exactly."""

import random
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.mariadb import MariaDB
from tests.store.samples import HOME, NOW, Tally, new_batch, numbers, stored_count, visit, visits
from tests.store.test_sqlite_faults import CHILD, ENVIRONMENT
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.store import migrate
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore

PAGES = [f"{HOME}{number}" for number in range(20)]
THREADS, BATCHES = 8, 40


def test_every_number_is_given_once(store: SqlStore) -> None:
    def load(seed: int) -> Tally:
        choose = random.Random(seed)
        tally = Tally()
        for _ in range(BATCHES):
            batch = [visit(choose.choice(PAGES)) for _ in range(choose.choice([1, 2, 30]))]
            tally.accept(batch, store.count(new_batch(), batch, NOW))
            assert store.page(batch[0].page_hash) is not None
        return tally

    with ThreadPoolExecutor(THREADS) as pool:
        tally = sum(pool.map(load, range(THREADS)), Tally())
    tally.check(store)
    assert store.totals()[1] == tally.accepted.total()


def test_an_id_sent_by_many_at_once_counts_once(store: SqlStore) -> None:
    ids = [b"%d" % number for number in range(100)]

    def load(seed: int) -> int:
        mine = ids.copy()
        random.Random(seed).shuffle(mine)
        fresh = 0
        for start in range(0, len(mine), 10):
            batch = [visit(HOME, one) for one in mine[start : start + 10]]
            fresh += sum(not one.duplicate for one in store.count(new_batch(), batch, NOW))
        return fresh

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(load, range(THREADS))) == len(ids)
    assert stored_count(store) == len(ids)


def test_a_batch_sent_by_many_at_once_counts_once(store: SqlStore) -> None:
    batches = [(new_batch(), [visit(HOME), visit(PAGES[0], b"%d" % number)]) for number in range(20)]

    def load(seed: int) -> list[object]:
        results = [store.count(batch_id, batch, NOW, retry=seed % 2 == 1) for batch_id, batch in batches]
        return list(results)

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(load, range(4))
    assert all(other == first for other in others)
    assert store.totals()[1] == 2 * len(batches)


@pytest.mark.parametrize("processes", [3])
def test_processes_count_exactly(lasting_store: SqlStore, store_url: str, processes: int) -> None:
    command = [*CHILD, store_url, "full", "200", "0"]
    children = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    said = [line for child in children for line in child.communicate(timeout=120)[0].splitlines()]
    assert sorted(int(line.split()[1]) for line in said) == list(range(1, 200 * processes + 1))
    assert stored_count(lasting_store) == 200 * processes


def test_slow_reads_leave_connections_for_visits(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    store = opened(mariadb.url(mariadb.fresh_database(), pool_size=4))
    migrate(store)
    inside, stop = threading.Semaphore(0), threading.Event()

    def read_slowly(session: Session) -> None:
        inside.release()
        assert stop.wait(20)

    def read() -> None:
        with suppress(StoreUnavailable):  # more readers than connections
            store.database.read(read_slowly)

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(6)]
        try:
            assert inside.acquire(timeout=20)
            assert inside.acquire(timeout=20)
            for number in range(1, 6):
                store.ping()
                assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [number]
        finally:
            stop.set()
        for reader in readers:
            reader.result()
