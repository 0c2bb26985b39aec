"""The end of a loop inside a process: nothing that was received is lost, nobody is waited for beyond the grace time."""

import socket
import threading
import time

import pytest

from tests.net.serving import PATIENCE_SECONDS, Reader, get, serving, wait_until
from visitor_tracker.config import HttpConfig
from visitor_tracker.http.message import Response
from visitor_tracker.net.loop import LoopOptions


def test_received_requests_are_answered_and_the_connection_closed() -> None:
    with serving(HttpConfig(threads=1)) as served:
        idle, held, queued, half = (served.connect() for _ in range(4))
        idle.sendall(get("/ping"))
        reader = Reader(idle)
        reader.answer()
        held.sendall(get("/held") + get("/ping"))
        queued.sendall(get("/slow"))
        half.sendall(get("/ping")[:-2])
        wait_until(lambda: len(served.app.handled) == 3)
        served.loop.stop()
        assert reader.ends()
        half.sendall(b"\r\n")
        last = Reader(half).answer()
        assert (last.status, last.headers["connection"]) == (200, "close")
        served.app.held[0].complete(Response(200, b"held"))
        of_held = Reader(held)
        assert of_held.answer().body == b"held"
        assert of_held.answer().headers["connection"] == "close"
        served.app.gate.set()
        assert Reader(queued).answer().body == b"pong"
        served.thread.join(PATIENCE_SECONDS)
        assert served.loop.stopped.is_set()
        for sock in (idle, held, queued, half):
            sock.close()


def test_connections_that_the_kernel_took_are_served() -> None:
    with serving(HttpConfig(threads=1)) as served:
        socks = [served.connect() for _ in range(30)]
        for sock in socks:
            sock.sendall(get("/ping"))
        served.loop.stop()
        assert [Reader(sock).answer().status for sock in socks] == [200] * 30
        for sock in socks:
            sock.close()


def test_new_connections_are_refused() -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as busy:
        port = served.port
        busy.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        served.loop.stop()

        def refused() -> bool:
            with socket.socket() as sock:
                return sock.connect_ex(("127.0.0.1", port)) != 0

        wait_until(refused)


@pytest.mark.parametrize("forced", [False, True])
def test_nobody_is_waited_for_longer_than_the_grace_time(forced: bool) -> None:
    options = LoopOptions(HttpConfig(threads=1), grace_seconds=60.0 if forced else 0.3)
    with serving(options=options) as served, served.connect() as sock:
        sock.sendall(get("/held"))
        wait_until(lambda: served.app.held)
        began = time.monotonic()
        served.loop.stop()
        if forced:
            served.loop.stop_now()
        served.thread.join(PATIENCE_SECONDS)
        assert served.loop.stopped.is_set()
        assert time.monotonic() - began < 10
        served.app.held[0].complete(Response(200))  # too late; nothing breaks


def test_a_client_that_goes_on_asking_is_told_to_stop() -> None:
    with serving(HttpConfig(threads=1)) as served:
        statuses = []
        ready = threading.Event()

        def client() -> None:
            with served.connect() as sock:
                reader = Reader(sock)
                while True:
                    sock.sendall(get("/ping"))
                    answer = reader.answer()
                    statuses.append(answer.status)
                    ready.set()
                    if answer.headers.get("connection") == "close":
                        return

        thread = threading.Thread(target=client)
        thread.start()
        ready.wait(PATIENCE_SECONDS)
        served.loop.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        assert set(statuses) == {200}


def test_options_can_change_while_it_runs() -> None:
    with serving(HttpConfig(threads=1)) as served, served.connect() as sock:
        ticked = threading.Event()
        served.loop.update(LoopOptions(HttpConfig(threads=1, max_body=2048), on_tick=ticked.set))
        assert ticked.wait(PATIENCE_SECONDS)
        sock.sendall(get("/echo", "Content-Length: 3000", method="POST"))
        assert Reader(sock).answer().status == 413
