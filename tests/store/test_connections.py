"""The pool: bounded, and nothing leaks."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.store.connections import Pool


class Server:
    """Counts what is connected to it, and refuses or fails when told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.open = self.most = self.made = 0
        self.refusing = False

    def connect(self) -> "Connection":
        with self._lock:
            if self.refusing:
                raise ConnectionError
            self.open += 1
            self.made += 1
            self.most = max(self.most, self.open)
        return Connection(self)

    def closed(self) -> None:
        with self._lock:
            self.open -= 1


class Connection:
    def __init__(self, server: Server) -> None:
        self._server = server

    def close(self) -> None:
        self._server.closed()


def fail(pool: Pool[Connection], error: Exception | None) -> None:
    with pool.borrow():
        if error:
            raise error


def test_a_connection_is_used_again() -> None:
    server = Server()
    pool = Pool(server.connect, 4, 1)
    for _ in range(100):
        fail(pool, None)
    assert (server.made, server.open) == (1, 1)


def test_ten_thousand_errors_leak_nothing() -> None:
    server = Server()
    pool = Pool(server.connect, 4, 10)

    def go(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(2500):
            server.refusing = choose.random() < 0.3
            with pytest.raises((ValueError, ConnectionError)):
                fail(pool, ValueError())

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(go, seed) for seed in range(4)]:
            done.result()
    server.refusing = False
    assert server.open == 0
    assert server.most <= 4
    with pool.borrow(), pool.borrow(), pool.borrow(), pool.borrow():
        assert server.open == 4


def test_an_empty_pool_makes_wait_for_a_bounded_time() -> None:
    pool = Pool(Server().connect, 1, 0.05)
    with pool.borrow(), pytest.raises(StoreUnavailable, match="all 1 database connections"):
        fail(pool, None)
    fail(pool, None)


def test_a_connection_that_comes_back_is_handed_on() -> None:
    pool = Pool(Server().connect, 1, 30)
    with ThreadPoolExecutor(1) as threads:
        with pool.borrow():
            waiting = threads.submit(fail, pool, None)
        waiting.result(10)


def test_close_closes_idle_ones_now_and_lent_ones_later() -> None:
    server = Server()
    pool = Pool(server.connect, 2, 1)
    with pool.borrow():
        fail(pool, None)
        assert server.open == 2
        pool.close()
        assert server.open == 1
    assert server.open == 0


def test_forgotten_connections_are_made_anew() -> None:
    server = Server()
    pool = Pool(server.connect, 2, 1)
    fail(pool, None)
    pool.forget_idle()
    assert server.open == 0
    fail(pool, None)
    assert server.made == 2


def test_reads_leave_connections_to_those_who_come_first() -> None:
    pool = Pool(Server().connect, 4, 0.05, reserved=2)
    with pool.borrow(), pool.borrow():
        with pytest.raises(StoreUnavailable):
            fail(pool, None)
        with pool.borrow(first=True), pool.borrow(first=True), pytest.raises(StoreUnavailable), pool.borrow(first=True):
            pass
    fail(pool, None)


def test_a_small_pool_serves_everybody() -> None:
    pool = Pool(Server().connect, 1, 0.05, reserved=2)
    fail(pool, None)
    with pool.borrow(first=True), pytest.raises(StoreUnavailable):
        fail(pool, None)


def test_nobody_is_overtaken() -> None:
    pool = Pool(Server().connect, 1, 10)
    stop = threading.Event()

    def come_back_at_once() -> None:
        while not stop.is_set():
            fail(pool, None)

    with ThreadPoolExecutor(4) as threads:
        busy = [threads.submit(come_back_at_once) for _ in range(3)]
        try:
            for _ in range(200):
                fail(pool, None)
        finally:
            stop.set()
        for one in busy:
            one.result()
