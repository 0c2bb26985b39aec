"""Answers that go on: how their pieces are framed, what a slow client misses, how either side ends one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net.serving import PATIENCE_SECONDS, STREAMS, Reader, Serving, connect, get, serving, wait_until
from tests.net.test_tls import client_context, make_certificate
from visitor_tracker.config import HttpConfig, ServerConfig, TlsConfig
from visitor_tracker.http.message import Stream
from visitor_tracker.metrics import Cell
from visitor_tracker.net.loop import LoopOptions

HUGE = b"x" * (8 * 1024 * 1024)  # more than the socket buffers of both sides take


@contextmanager
def streaming(served: Serving, path: str = "/stream", *, sock: socket.socket | None = None) -> Iterator["Streaming"]:
    """Follow a stream up to its first piece."""
    number = len(served.app.streams)
    with sock or served.connect() as sock:
        sock.sendall(get(path))
        reader = Reader(sock)
        begun = reader.answer()
        assert (begun.status, begun.headers["connection"], begun.headers["content-type"]) == (
            200,
            "close",
            "text/plain",
        )
        assert reader.chunk() == b"first "
        yield Streaming(sock, reader, served.app.streams[number])


class Streaming:
    """Both ends of a stream."""

    def __init__(self, sock: socket.socket, reader: Reader, stream: Stream) -> None:
        self.sock = sock
        self.reader = reader
        self.stream = stream


@pytest.mark.parametrize("path", STREAMS[:2])
def test_pieces_are_chunks_until_the_last(path: str) -> None:
    with serving() as served, streaming(served, path) as one:
        for piece in (b"a", b"b" * 5000, b"\r\n0\r\n\r\n"):
            assert one.stream.push(piece)
            assert one.reader.chunk() == piece
        one.stream.end()
        assert one.reader.chunk() == b""
        assert one.reader.ends()
        assert (one.stream.push(b"late"), served.app.closed, served.count(Cell.RESPONSES_2XX)) == (False, 1, 1)


def test_what_is_pushed_at_once_ends_with_the_newest() -> None:
    with serving() as served, streaming(served) as one:
        for number in range(1000):
            one.stream.push(b"%d" % number)
        one.stream.end()
        pieces = []
        while piece := one.reader.chunk():
            pieces.append(piece)
        assert pieces[-1] == b"999"
        assert pieces == sorted(pieces, key=int)


def test_an_old_client_gets_the_pieces_bare() -> None:
    with serving() as served, served.connect() as sock:
        sock.sendall(get("/stream", "Connection: keep-alive", version="1.0"))
        reader = Reader(sock)
        assert "transfer-encoding" not in reader.answer().headers
        wait_until(lambda: served.app.streams)
        served.app.streams[0].push(b"second")
        served.app.streams[0].end()
        assert reader.to_end() == b"first second"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_head_shows_the_headers_and_ends(version: str) -> None:
    with serving() as served, served.connect() as sock:
        sock.sendall(get("/stream", method="HEAD", version=version))
        reader = Reader(sock)
        shown = reader.answer(head=True)
        assert (shown.status, shown.headers.get("transfer-encoding")) == (200, "chunked" if version == "1.1" else None)
        assert reader.ends()
        assert (served.app.closed, served.app.streams[0].push(b"x")) == (1, False)


def test_what_is_asked_behind_a_stream_is_not_read() -> None:
    with serving() as served, served.connect() as sock:
        sock.sendall(get("/stream") + get("/behind"))
        reader = Reader(sock)
        reader.answer()
        sock.sendall(get("/later"))
        served.app.streams[0].end()
        assert [reader.chunk(), reader.chunk()] == [b"first ", b""]
        assert reader.ends()
        assert served.app.handled == ["/stream"]


def test_headers_that_cannot_be_written_are_a_failure_of_the_server() -> None:
    with serving() as served:
        assert served.ask(get("/stream-bad")).status == 500
        assert served.app.closed == 1
        assert served.ask(get("/ping")).status == 200


# Clients that read slowly, or go away.


def test_a_slow_client_skips_to_the_newest() -> None:
    with serving() as served, streaming(served) as one:
        one.stream.push(HUGE)
        wait_until(lambda: not waits(one.stream))  # the loop has begun to send it
        for number in range(1000):
            assert one.stream.push(b"%d" % number)
        assert one.reader.chunk() == HUGE
        assert one.reader.chunk() == b"999"


def waits(stream: Stream) -> bool:
    """Say whether the newest piece has not been taken."""
    return bool(stream._waiting)


def test_one_that_reads_nothing_is_dropped() -> None:
    with serving(HttpConfig(threads=1, send_seconds=0.3)) as served, streaming(served) as one:
        one.stream.push(HUGE)
        wait_until(lambda: one.stream.is_closed)
        assert (served.app.closed, served.count(Cell.CLOSED_SEND_DEADLINE)) == (1, 1)
        with pytest.raises((ConnectionResetError, EOFError)):
            one.reader.chunk()


@pytest.mark.parametrize("half", [False, True])
def test_one_that_goes_away_frees_its_place(half: bool) -> None:
    with serving(HttpConfig(threads=1, idle_seconds=0.2, header_seconds=0.2)) as served:
        with streaming(served) as stays, streaming(served) as goes:
            if half:
                goes.sock.shutdown(socket.SHUT_WR)
            else:
                goes.sock.close()
            wait_until(lambda: served.app.closed == 1)
            assert (goes.stream.push(b"x"), stays.stream.push(b"y")) == (False, True)
            assert stays.reader.chunk() == b"y"
            wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 1)
        wait_until(lambda: served.app.closed == 2)


def test_one_that_is_gone_before_its_stream_begins() -> None:
    with serving(HttpConfig(threads=1)) as served:
        with served.connect() as busy, served.connect() as gone:
            busy.sendall(get("/slow"))
            wait_until(lambda: served.app.handled == ["/slow"])
            gone.sendall(get("/stream-pool"))
            wait_until(lambda: served.count(Cell.REQUESTS) == 2)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            gone.close()
            wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 1)
            served.app.gate.set()
            assert Reader(busy).answer().status == 200
        wait_until(lambda: served.app.closed == 1)


def test_silence_ends_no_stream() -> None:
    http = HttpConfig(threads=1, idle_seconds=0.1, header_seconds=0.1, body_seconds=0.1, send_seconds=0.1)
    with serving(http) as served, streaming(served) as one, served.connect() as idle:
        idle.sendall(get("/ping"))
        reader = Reader(idle)
        assert reader.answer().status == 200
        assert reader.ends()  # its time was over, that of the stream would have been, too
        one.stream.push(b"still here")
        assert one.reader.chunk() == b"still here"


# Many, and the end.


def test_many_follow_at_once_from_several_threads() -> None:
    with serving(HttpConfig(threads=1, max_per_address=0)) as served:
        socks = [served.connect() for _ in range(300)]
        readers = [Reader(sock) for sock in socks]
        for sock, reader in zip(socks, readers, strict=True):
            sock.sendall(get("/stream"))
            reader.answer()
        pushers = [threading.Thread(target=push_all, args=(served.app.streams[n::3], b"%d" % n)) for n in range(3)]
        for pusher in pushers:
            pusher.start()
        got = [(reader.chunk(), reader.chunk()) for reader in readers]
        assert got == [(b"first ", b"%d" % (number % 3)) for number in range(300)]
        for pusher in pushers:
            pusher.join()
        assert served.ask(get("/ping")).status == 200
        for sock in socks:
            sock.close()
        wait_until(lambda: served.app.closed == 300)


def push_all(streams: list[Stream], piece: bytes) -> None:
    for stream in streams:
        stream.push(piece)


def test_stopping_ends_streams_at_once() -> None:
    options = LoopOptions(HttpConfig(threads=1), grace_seconds=PATIENCE_SECONDS)
    with serving(options=options) as served, streaming(served) as reads, streaming(served) as stuck:
        stuck.stream.push(HUGE)
        wait_until(lambda: not waits(stuck.stream))
        with served.connect() as late:
            late.sendall(get("/slow"))
            wait_until(lambda: served.app.handled[-1] == "/slow")
            late.sendall(get("/stream-pool"))
            served.loop.stop()
            assert reads.reader.chunk() == b""
            assert reads.reader.ends()
            wait_until(lambda: stuck.stream.is_closed)
            served.app.gate.set()
            reader = Reader(late)
            assert reader.answer().body == b"pong"
            reader.answer()
            assert [reader.chunk(), reader.chunk()] == [b"first ", b""]
        assert served.loop.stopped.wait(PATIENCE_SECONDS / 3)  # nobody was waited for
        assert served.app.closed == 3


# Other ways in.


def test_over_tls(tmp_path: Path) -> None:
    make_certificate(tmp_path, "own")
    tls = TlsConfig(certificate=str(tmp_path / "own.crt"), key=str(tmp_path / "own.key"))
    context = client_context(tls.certificate)
    with serving(tls=tls) as served:
        with streaming(served, sock=context.wrap_socket(connect(served.port), server_hostname="127.0.0.1")) as one:
            one.stream.push(HUGE)
            assert one.reader.chunk() == HUGE
            one.stream.push(b"last")
            one.stream.end()
            assert [one.reader.chunk(), one.reader.chunk()] == [b"last", b""]
            assert one.reader.ends()
        with streaming(served, sock=context.wrap_socket(connect(served.port), server_hostname="127.0.0.1")):
            pass
        wait_until(lambda: served.app.closed == 2)


def test_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with serving(server=ServerConfig(host="", socket=path)) as served:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE_SECONDS)
        sock.connect(path)
        with streaming(served, sock=sock) as one:
            one.stream.push(b"second")
            assert one.reader.chunk() == b"second"
        wait_until(lambda: served.app.closed == 1)
