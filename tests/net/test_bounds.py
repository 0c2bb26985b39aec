"""What a server holds at most, and how it refuses the rest."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.net.processes import Process, cpu_seconds, started
from tests.net.serving import Reader, Serving, assert_not_delayed, connect, get, post, serving, wait_until
from visitor_tracker.config import HttpConfig, ServerConfig
from visitor_tracker.http.message import Peer
from visitor_tracker.metrics import Cell
from visitor_tracker.net.connection import AddressBook
from visitor_tracker.net.loop import LoopOptions


def kept(served: Serving, source: str = "127.0.0.1") -> socket.socket:
    """Open a connection that has been answered once and is idle now."""
    sock = served.connect(source)
    sock.sendall(get("/ping"))
    assert Reader(sock).answer().status == 200
    return sock


# Connections.


def test_an_address_has_its_share_and_others_theirs() -> None:
    with serving(HttpConfig(threads=1, max_per_address=3)) as served:
        mine = [kept(served) for _ in range(3)]
        with served.connect() as fourth:
            fourth.sendall(get("/ping"))
            refused = Reader(fourth).answer()
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert Reader(fourth).ends()
        other = kept(served, "127.0.0.2")
        assert served.count(Cell.REFUSED_ADDRESS_CAP) == 1
        mine.pop().close()
        wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 3)
        mine.append(kept(served))
        for sock in [*mine, other]:
            sock.close()


def test_a_trusted_proxy_has_no_cap() -> None:
    options = LoopOptions(HttpConfig(threads=1, max_per_address=3), is_trusted="127.0.0.9".__eq__)
    with serving(options=options) as served:
        socks = [kept(served, "127.0.0.9") for _ in range(10)]
        assert served.count(Cell.REFUSED_ADDRESS_CAP) == 0
        for sock in socks:
            sock.close()


def test_neither_has_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    server = ServerConfig(host="", socket=path)
    with serving(HttpConfig(threads=1, max_per_address=3), server=server) as served:
        socks = []
        for _ in range(10):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(path)
            sock.sendall(get("/peer"))
            assert Reader(sock).answer().body == b" True False"
            socks.append(sock)
        assert served.count(Cell.CONNECTIONS_OPEN) == 10
        for sock in socks:
            sock.close()


def test_an_ipv6_client_is_its_network() -> None:
    book = AddressBook(2, lambda _: False)
    assert [book.enter(Peer(address)) for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3")] == [
        True,
        True,
        False,
    ]
    assert book.enter(Peer("2001:db8:0:1::1"))
    book.leave(Peer("2001:db8::1"))
    assert book.enter(Peer("2001:db8::3"))


def test_the_oldest_idle_connection_makes_room() -> None:
    with serving(HttpConfig(threads=1, max_connections=5)) as served:
        first = kept(served)
        socks = [kept(served) for _ in range(7)]
        assert Reader(first).ends()
        assert served.count(Cell.CLOSED_IDLE_CAP) == 3
        assert served.count(Cell.CONNECTIONS_OPEN) == 5
        for sock in [first, *socks]:
            sock.close()


def test_when_none_is_idle_new_ones_are_refused() -> None:
    with serving(HttpConfig(threads=1, max_connections=3)) as served:
        busy = [served.connect() for _ in range(3)]
        for sock in busy:
            sock.sendall(get("/held"))
        wait_until(lambda: len(served.app.held) == 3)
        assert served.ask(get("/ping")).status == 503
        assert served.count(Cell.OVERLOADED) == 1
        for sock in busy:
            sock.close()


# Bytes.


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get("/" + "x" * 9000), 414),
        (get("/ping", "X: " + "x" * 9000), 431),
        (get("/ping", *[f"X{n}: y" for n in range(200)]), 431),
        (get("/ping", *[f"X{n}: " + "y" * 8000 for n in range(5)]), 431),
        (get("/echo", "Content-Length: 2000000", method="POST"), 413),
    ],
)
def test_what_is_too_large_is_refused(request_bytes: bytes, status: int) -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        sock.sendall(request_bytes)
        reader = Reader(sock)
        assert reader.answer().status == status
        assert reader.ends()


def test_bodies_share_one_budget() -> None:
    http = HttpConfig(threads=1, max_body=1024 * 1024, body_budget=1024 * 1024)
    half = post("/echo", b"x" * 700_000)[:-1]
    with serving(http) as served, served.connect() as first, served.connect() as second:
        first.sendall(half)
        wait_until(lambda: served.count(Cell.BODY_BYTES_HELD) > 600_000)
        second.sendall(half)
        refused = Reader(second).answer()
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        assert "retry-after" in refused.headers
        first.sendall(b"x")
        assert len(Reader(first).answer().body) == 700_000
        wait_until(lambda: served.count(Cell.BODY_BYTES_HELD) == 0)


def test_a_body_in_the_queue_counts_too() -> None:
    http = HttpConfig(threads=1, max_body=1024 * 1024, body_budget=1024 * 1024)
    with serving(http) as served, served.connect() as first, served.connect() as second, served.connect() as third:
        first.sendall(get("/slow"))
        second.sendall(post("/echo", b"x" * 700_000))
        wait_until(lambda: served.count(Cell.BODY_BYTES_HELD) >= 700_000)
        third.sendall(post("/echo", b"x" * 700_000))
        assert Reader(third).answer().status == 503
        served.app.gate.set()
        assert len(Reader(second).answer().body) == 700_000


# Requests.


def test_a_full_queue_refuses_and_the_fast_lane_goes_on() -> None:
    with serving(HttpConfig(threads=1, max_queue=4)) as served:
        socks = [served.connect() for _ in range(15)]
        socks[0].sendall(get("/slow"))
        wait_until(lambda: served.app.handled == ["/slow"])
        for sock in socks[1:]:
            sock.sendall(get("/slow"))
        wait_until(lambda: served.count(Cell.OVERLOADED) == 10)  # one runs, four wait
        assert served.ask(get("/ping")).status == 200
        served.app.gate.set()
        answers = [Reader(sock).answer() for sock in socks]
        assert sorted(answer.status for answer in answers) == [200] * 5 + [503] * 10
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 503)
        for sock in socks:
            sock.close()


# Descriptors and memory, in a process of its own.


def flood(server: Process, number: int) -> list[socket.socket]:
    """Open connections that send half a request, so that none of them is idle."""
    socks = []
    for index in range(number):
        sock = socket.socket()
        sock.settimeout(10)
        sock.bind((f"127.0.1.{1 + index % 200}", 0))
        with contextlib.suppress(OSError):
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(b"GET /ping HTTP/1.1\r\n")
        socks.append(sock)
    return socks


def test_without_descriptors_it_sheds_quietly_and_recovers(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = {"nofile": 150, "http": {"threads": 1, "max_connections": 10, "max_per_address": 0}}
    with log.open("wb") as stderr, started(settings, stderr=stderr.fileno()) as server:
        server.ask("/files?5")
        used = cpu_seconds(server.pid)
        began = time.monotonic()
        socks = flood(server, 60)
        time.sleep(1.0)  # the time in which a busy loop would show
        assert cpu_seconds(server.pid) - used < 0.5 * (time.monotonic() - began)
        for sock in socks:
            sock.close()
        freed = time.monotonic()
        wait_until(server.answers)
        assert time.monotonic() - freed < 3.0
        assert server.about()["OUT_OF_DESCRIPTORS"] > 0
        seconds = time.monotonic() - began
    lines = [line for line in log.read_text().splitlines() if "out of file descriptors" in line]
    assert 1 <= len(lines) <= 2 * seconds + 2


def test_the_cap_stays_below_the_limit_of_open_files(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = {"nofile": 200, "http": {"threads": 1, "max_connections": 10_000, "max_per_address": 0}}
    with log.open("wb") as stderr, started(settings, stderr=stderr.fileno()) as server:
        socks = flood(server, 150)
        assert not server.answers()  # all it may have are busy: refused, but with descriptors left
        for sock in socks:
            sock.close()
        wait_until(server.answers)
        assert server.about()["OUT_OF_DESCRIPTORS"] == 0
    assert "http.max_connections lowered from 10000 to 100" in log.read_text()


HOLD = """
import json, socket, sys
port, number = map(int, sys.argv[1:])
socks = []
for index in range(number):
    source = f"127.{index // 2500}.{index // 50 % 50}.{1 + index % 50}"
    sock = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
    sock.sendall(b"GET /ping HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    socks.append(sock)
for sock in socks:
    assert sock.recv(4096).startswith(b"HTTP/1.1 200")
print("held", flush=True)
sys.stdin.read()
"""


def idle_connections(number: int, most_bytes: int) -> None:
    """Hold idle connections from another process; check memory and the time of a normal client."""
    settings = {"http": {"threads": 2, "max_connections": number + 50}}
    with started(settings) as server:
        before = server.rss()
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(server.port), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as clients:
            assert clients.stdout is not None
            assert clients.stdout.readline() == b"held\n"
            assert json.loads(server.ask("/process").body)["CONNECTIONS_OPEN"] > number
            time.sleep(2.0)  # connections that were used a moment ago keep their parsers so long
            assert server.rss() < most_bytes
            assert (server.rss() - before) / number < 2048
            with connect(server.port, "127.99.0.1") as sock:
                assert_not_delayed(sock)
            clients.communicate()


def test_idle_connections_cost_little() -> None:
    idle_connections(1500, 150 * 1024 * 1024)


@pytest.mark.slow
def test_ten_thousand_idle_connections_cost_little() -> None:
    idle_connections(10_000, 150 * 1024 * 1024)


@pytest.mark.slow
def test_memory_stays_bounded_under_ten_times_too_much() -> None:
    settings = {"http": {"threads": 1, "max_queue": 50, "max_per_address": 0, "body_budget": 1024 * 1024}}
    with started(settings) as server:
        before = server.rss()
        for _ in range(10):
            socks = flood(server, 500)
            for sock in socks:
                with contextlib.suppress(OSError):
                    sock.sendall(b"Host: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)
            for sock in socks:
                sock.close()
        assert server.rss() - before < 64 * 1024 * 1024
        wait_until(server.answers)
