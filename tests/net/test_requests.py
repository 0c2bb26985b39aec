"""What one client sees: answers in order, exactly once, and connections that end as they should."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.net.serving import BIG, Reader, Serving, get, post, serving, wait_until
from visitor_tracker.config import HttpConfig
from visitor_tracker.http.message import Response
from visitor_tracker.metrics import Cell
from visitor_tracker.net.connection import PIPELINE_BYTES
from visitor_tracker.net.exchange import HEAD_READ_BYTES


@pytest.fixture(params=["lanes", "pool"])
def served(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(HttpConfig(threads=2, dispatch=request.param)) as serving_now:
        yield serving_now


def test_a_connection_is_kept_and_used_again(served: Serving) -> None:
    with served.connect() as sock:
        reader = Reader(sock)
        for _ in range(3):
            sock.sendall(get("/ping"))
            answer = reader.answer()
            assert (answer.status, answer.body) == (200, b"pong")
            assert "date" in answer.headers
    assert served.count(Cell.CONNECTIONS) == 1
    wait_until(lambda: served.count(Cell.REQUESTS) == 3)


def test_pipelined_requests_are_answered_in_order(served: Serving) -> None:
    served.app.gate.set()
    paths = ["/ping", "/batch", "/slow", "/peer", "/join", "/ping"] * 40  # more than one turn
    with served.connect() as sock:
        sock.sendall(b"".join(map(get, paths)))
        reader = Reader(sock)
        bodies = [reader.answer().body for _ in paths]
    assert bodies == [b"pong", b"stored", b"pong", b"127.0.0.1 False False", b"stored", b"pong"] * 40
    assert served.app.handled == paths


def test_a_request_may_come_byte_by_byte(served: Serving) -> None:
    with served.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post("/echo", b"a body"):
            sock.sendall(bytes([byte]))
        assert Reader(sock).answer().body == b"a body"


def test_head_is_answered_without_body(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/ping", method="HEAD") + get("/ping"))
        reader = Reader(sock)
        assert reader.answer(head=True).headers["content-length"] == "4"
        assert reader.answer().body == b"pong"


@pytest.mark.parametrize(
    ("request_bytes", "kept"),
    [
        (get("/ping"), True),
        (get("/ping", "Connection: close"), False),
        (get("/ping", version="1.0"), False),
        (get("/ping", "Connection: keep-alive", version="1.0"), False),
        (get("/close"), False),
    ],
)
def test_who_keeps_the_connection(served: Serving, request_bytes: bytes, kept: bool) -> None:
    with served.connect() as sock:
        sock.sendall(request_bytes)
        reader = Reader(sock)
        assert reader.answer().status == 200
        if kept:
            sock.sendall(get("/ping"))
            assert reader.answer().body == b"pong"
        else:
            assert reader.ends()


@pytest.mark.parametrize("path", ["/ping", "/batch", "/pool", "/echo"])
def test_a_half_closed_client_gets_its_answers(served: Serving, path: str) -> None:
    with served.connect() as sock:
        sock.sendall(get(path) + get("/ping"))
        sock.shutdown(socket.SHUT_WR)
        reader = Reader(sock)
        assert reader.answer().status == 200
        assert reader.answer().body == b"pong"
        assert reader.ends()


def test_all_that_was_pipelined_before_a_half_close_is_answered(served: Serving) -> None:
    number = 500  # several turns, the end of the stream seen in between
    with served.connect() as sock:
        sock.sendall(get("/ping") * number)
        sock.shutdown(socket.SHUT_WR)
        reader = Reader(sock)
        assert {reader.answer().body for _ in range(number)} == {b"pong"}
        assert reader.ends()


@pytest.mark.parametrize("cut", [get("/ping")[:-1], post("/echo", b"whole")[:-1], get("/ping")[:5]])
def test_a_request_without_its_end_is_dropped(served: Serving, cut: bytes) -> None:
    with served.connect() as sock:
        sock.sendall(cut)
        sock.shutdown(socket.SHUT_WR)
        assert Reader(sock).ends()
    assert served.app.handled == []


def test_the_client_is_asked_for_a_body_it_offers(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/echo", "Content-Length: 4", "Expect: 100-continue", method="POST"))
        reader = Reader(sock)
        assert reader.line() == b"HTTP/1.1 100 Continue"
        sock.sendall(b"body")
        assert reader.answer().body == b"body"


def test_a_large_answer_arrives_whole(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/big") + get("/ping"))
        reader = Reader(sock)
        assert reader.answer().body == BIG
        assert reader.answer().body == b"pong"


def test_a_broken_request_is_answered_and_nothing_read_after_it(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/ping") + get("/peer", "Bad Name: x") + get("/peer") + b"x" * 200_000)
        reader = Reader(sock)
        assert reader.answer().status == 200
        refused = reader.answer()
        assert refused.status == 400
        assert refused.headers["connection"] == "close"
        assert reader.ends()
    assert served.app.handled == ["/ping"]
    wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 0)


@pytest.mark.parametrize("path", ["/raise", "/raise-pool", "/exit-fast"])
def test_a_failing_handler_is_a_500_without_details(served: Serving, path: str) -> None:
    with served.connect() as sock:
        sock.sendall(get(path) + get("/ping"))
        reader = Reader(sock)
        failed = reader.answer()
        assert (failed.status, failed.headers["content-type"]) == (500, "application/json")
        assert b"asked" not in failed.body
        assert b"Traceback" not in failed.body
        assert reader.answer().body == b"pong"


def test_a_header_cannot_split_the_answer(served: Serving) -> None:
    answer = served.ask(get("/split"))
    assert answer.status == 500
    assert "set-cookie" not in answer.headers


def test_an_abandoned_request_gets_no_answer(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        served.app.held[0].abandon()
        assert Reader(sock).ends()
    assert served.count(Cell.ABANDONED) == 1


def test_what_was_answered_before_the_batch_began_is_sent_with_it(served: Serving) -> None:
    with served.connect() as sock:
        reader = Reader(sock)
        sock.sendall(get("/done") + get("/batch") + get("/done"))
        assert [reader.answer().body for _ in range(3)] == [b"done", b"stored", b"done"]
        sock.sendall(get("/gone"))
        assert reader.ends()
    assert served.count(Cell.ABANDONED) == 1


def test_the_time_that_the_loop_is_busy_is_counted() -> None:
    with serving() as served:
        assert served.ask(get("/burn")).status == 200  # keeps the loop, and a core, for 0.3 seconds
        wait_until(lambda: served.count(Cell.LOOP_BUSY_MILLISECONDS) >= 250)


def test_an_answer_for_a_client_that_left_is_dropped(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 0)
    served.app.held[0].complete(Response(200))
    assert served.ask(get("/ping")).status == 200


def test_answers_from_many_threads_reach_their_own_clients() -> None:
    with serving(HttpConfig(max_per_address=0)) as served:
        socks = [served.connect() for _ in range(50)]
        for sock in socks:
            sock.sendall(get("/held"))
        wait_until(lambda: len(served.app.held) == 50)
        threads = [threading.Thread(target=held.complete, args=(Response(200, b"x"),)) for held in served.app.held]
        for thread in threads:
            thread.start()
        assert [Reader(sock).answer().body for sock in socks] == [b"x"] * 50
        for sock, thread in zip(socks, threads, strict=True):
            sock.close()
            thread.join()


def test_requests_that_are_ready_together_share_a_batch() -> None:
    with serving(HttpConfig(threads=1)) as served:
        socks = [served.connect() for _ in range(20)]
        for sock in socks:
            sock.sendall(get("/ping"))
            Reader(sock).answer()
        blocker = served.connect()  # one turn that is long enough for all the others to become ready
        blocker.sendall(get("/ping") * 3000)
        for sock in socks:
            sock.sendall(get("/batch"))
        assert [Reader(sock).answer().body for sock in socks] == [b"stored"] * 20
        assert sum(served.app.batches) == 20
        assert len(served.app.batches) < 20
        for sock in [*socks, blocker]:
            sock.close()


def test_what_is_pipelined_behind_a_slow_request_stays_with_the_client() -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        sock.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        sock.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 2**30:
                sent += sock.send(get("/ping") * 1000)
        taken = PIPELINE_BYTES + 16 * 1024 * 1024  # the buffers of both kernels' sides
        assert sent < taken
        assert served.ask(get("/ping")).status == 200


@pytest.mark.parametrize("path", ["/pool", "/ping"])
def test_a_client_that_sends_faster_than_it_is_answered_is_not_read_ahead_of(path: str) -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        number = 8000
        sender = threading.Thread(target=sock.sendall, args=(get(path) * number,))
        sender.start()
        reader = Reader(sock)
        most = 0
        for _ in range(number):
            assert reader.answer().body == b"pong"
            [conn] = served.loop._table.open.values()
            parser = conn.parser
            most = max(most, 0 if parser is None else parser.buffered)
        sender.join()
        assert most <= PIPELINE_BYTES + HEAD_READ_BYTES


def test_a_pipeline_as_long_as_that_is_answered_once_it_may_go_on() -> None:
    number = 6000
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        sock.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        sender = threading.Thread(target=sock.sendall, args=(get("/ping") * number,))
        sender.start()
        served.app.held[0].complete(Response(200, b"first"))
        reader = Reader(sock)
        assert reader.answer().body == b"first"
        assert {reader.answer().body for _ in range(number)} == {b"pong"}
        sender.join()
