"""Clients that are slow: each is closed when its time is over, and nobody else waits for them."""

import contextlib
import socket
import time

import pytest

from tests.net.serving import PATIENCE_SECONDS, Reader, Serving, assert_not_delayed, get, post, serving, wait_until
from visitor_tracker.config import HttpConfig
from visitor_tracker.metrics import Cell

SHORT = 0.2


@pytest.mark.parametrize(
    ("sent", "cell"),
    [
        (b"GET /ping HTTP/1.1\r\nHost: local", Cell.CLOSED_HEADER_DEADLINE),
        (get("/ping") + b"G", Cell.CLOSED_HEADER_DEADLINE),
        (post("/echo", b"0123456789")[:-5], Cell.CLOSED_BODY_DEADLINE),
        (get("/echo", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhel", Cell.CLOSED_BODY_DEADLINE),
    ],
)
def test_half_a_request_is_answered_408(sent: bytes, cell: Cell) -> None:
    http = HttpConfig(threads=1, header_seconds=SHORT, body_seconds=SHORT, body_rate=1000)
    with serving(http) as served, served.connect() as sock:
        sock.sendall(sent)
        reader = Reader(sock)
        while (answer := reader.answer()).status == 200:
            pass
        assert answer.status == 408
        assert answer.headers["connection"] == "close"
        assert reader.ends()
        assert served.count(cell) == 1


def test_dripping_does_not_buy_a_head_more_time() -> None:
    with serving(HttpConfig(threads=1, header_seconds=0.5)) as served, served.connect() as sock:
        began = time.monotonic()
        sock.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(OSError):
            while served.count(Cell.CLOSED_HEADER_DEADLINE) == 0:
                assert time.monotonic() - began < PATIENCE_SECONDS
                sock.sendall(b"X: y\r\n")
                time.sleep(0.05)
        wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 0)


def test_a_body_that_keeps_the_pace_may_take_longer() -> None:
    body = b"x" * 3000
    with serving(HttpConfig(threads=1, body_seconds=SHORT, body_rate=1000)) as served, served.connect() as sock:
        sock.sendall(post("/echo", body)[:-1])  # 3 seconds' worth at once
        time.sleep(SHORT + 1.1)  # past body_seconds and a tick
        sock.sendall(body[-1:])
        assert Reader(sock).answer().body == body


@pytest.mark.parametrize("first", [b"", get("/ping")])
def test_a_silent_connection_is_closed_without_a_word(first: bytes) -> None:
    with serving(HttpConfig(threads=1, idle_seconds=SHORT, header_seconds=SHORT)) as served, served.connect() as sock:
        sock.sendall(first)
        reader = Reader(sock)
        if first:
            reader.answer()
            assert reader.ends()
            assert served.count(Cell.CLOSED_IDLE) == 1
        wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 0)


def test_a_client_that_does_not_read_costs_no_thread_and_is_closed() -> None:
    with serving(HttpConfig(threads=1, send_seconds=0.5)) as served:
        unread = [served.connect() for _ in range(5)]
        for sock in unread:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(get("/big"))
        served.app.gate.set()
        assert served.ask(get("/ping")).status == 200
        assert served.ask(get("/slow")).status == 200  # the only pool thread is free
        wait_until(lambda: served.count(Cell.CLOSED_SEND_DEADLINE) == 5)
        assert served.count(Cell.CONNECTIONS_OPEN) <= 1
        for sock in unread:
            sock.close()


def slow_clients_do_not_delay(served: Serving, number: int) -> None:
    """Open `number` slow clients of three kinds and time a normal one meanwhile."""
    slow = []
    for index in range(number):
        sock = served.connect(f"127.0.{1 + index // 90}.{1 + index % 90}")
        sock.sendall((b"GET /ping HTTP/1.1\r\nHost:", post("/echo", b"x" * 100)[:-50], get("/ping")[:-2])[index % 3])
        slow.append(sock)
    with served.connect() as sock:
        assert_not_delayed(sock)
    closed = (Cell.CLOSED_HEADER_DEADLINE, Cell.CLOSED_BODY_DEADLINE)
    wait_until(lambda: sum(map(served.count, closed)) == number)
    assert Reader(slow[0]).answer().status == 408
    for sock in slow:
        sock.close()


def test_slow_clients_do_not_delay_a_normal_one() -> None:
    with serving(HttpConfig(threads=2, header_seconds=2.0, body_seconds=2.0)) as served:
        slow_clients_do_not_delay(served, 200)


@pytest.mark.slow
def test_a_thousand_slow_clients_do_not_delay_a_normal_one() -> None:
    with serving(HttpConfig(threads=2, header_seconds=5.0, body_seconds=5.0)) as served:
        slow_clients_do_not_delay(served, 1000)
