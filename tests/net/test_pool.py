"""The threads for requests that may wait."""

import threading

import pytest

from tests.net.serving import Reader, get, serving, wait_until
from visitor_tracker.config import HttpConfig
from visitor_tracker.metrics import Cell


def pool_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pool"]


def test_a_thread_that_dies_is_replaced_and_its_request_answered() -> None:
    with serving(HttpConfig(threads=1)) as served:
        [first] = pool_threads()
        assert served.ask(get("/exit")).status == 500
        wait_until(lambda: served.count(Cell.THREADS_REPLACED) == 1)
        [second] = pool_threads()
        assert second is not first
        assert served.ask(get("/pool")).status == 200


def test_an_exception_ends_no_thread() -> None:
    with serving(HttpConfig(threads=1)) as served:
        before = pool_threads()
        for _ in range(3):
            assert served.ask(get("/raise-pool")).status == 500
        assert pool_threads() == before


def test_failures_are_logged_without_flooding(caplog: pytest.LogCaptureFixture) -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        wait_until(lambda: served.ask(get("/raise")).status == 500 and caplog.records)
        caplog.clear()
        sock.sendall(get("/raise") * 200)
        reader = Reader(sock)
        assert {reader.answer().status for _ in range(200)} == {500}
    assert len(caplog.records) <= 2


def test_a_blocked_pool_does_not_hold_up_the_fast_lane() -> None:
    with serving(HttpConfig(threads=2)) as served:
        socks = [served.connect() for _ in range(8)]
        for sock in socks:
            sock.sendall(get("/slow"))
        assert [served.ask(get("/ping")).body for _ in range(20)] == [b"pong"] * 20
        served.app.gate.set()
        assert [Reader(sock).answer().body for sock in socks] == [b"pong"] * 8
        for sock in socks:
            sock.close()


def test_all_requests_can_go_through_the_pool() -> None:
    with serving(HttpConfig(threads=1, dispatch="pool")) as served, served.connect() as slow:
        slow.sendall(get("/slow"))
        wait_until(lambda: served.app.handled == ["/slow"])
        with served.connect() as fast:
            fast.sendall(get("/ping"))
            wait_until(lambda: served.count(Cell.REQUESTS) == 2)
            assert served.app.handled == ["/slow"]
            served.app.gate.set()
            assert Reader(fast).answer().body == b"pong"
