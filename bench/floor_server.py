"""Servers that do a part of what ours does for an event, and answer each request with the same bytes.

floor_server.py WHAT PORT FOLDER

    bare     epoll, recv, send: what CPython and its system calls cost, without a look at what came
    parsed   the same, and every request parsed by our parser
    stored   the same, its JSON decoded and encoded again, and all that is ready written and synced to a file at once
    loop     our server's loop, with an application that knows nothing but that answer
    handed   the same, each request handed to a thread of the pool
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from visitor_tracker.config import HttpConfig, ServerConfig
from visitor_tracker.http.grammar import Limits
from visitor_tracker.http.message import Answer, Peer, Request, Response
from visitor_tracker.http.plain import whole_request
from visitor_tracker.http.wire import encode, http_date
from visitor_tracker.metrics import Metrics
from visitor_tracker.net.listen import open_listeners
from visitor_tracker.net.loop import Loop, LoopOptions
from visitor_tracker.web.dialects.own import Sent

ANSWER = Response(202, b'{"accepted":1,"dropped":[]}', (("Content-Type", "application/json"),))
READ_BYTES = 8 * 1024
BACKLOG = 4096
PEER = Peer("127.0.0.1")
LIMITS = Limits()


def main() -> None:
    what, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if what in ("loop", "handed"):
        serve_by_loop(port, fast=what == "loop")
    else:
        serve: dict[str, Callable[[Sockets], None]] = {"bare": bare, "parsed": parsed, "stored": Stored(folder)}
        serve[what](Sockets(port))


class Sockets:
    """A listener and the connections of one thread."""

    def __init__(self, port: int) -> None:
        self.answer = encode(ANSWER, keep_alive=True, head=False, date=http_date(0))
        self.open: dict[int, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)

    def ready(self) -> list[socket.socket]:
        """Wait; return the connections on which something came."""
        found = []
        for descriptor, _ in self._epoll.poll():
            sock = self.open.get(descriptor)
            if sock is None:
                self._accept()
            else:
                found.append(sock)
        return found

    def close(self, sock: socket.socket) -> None:
        del self.open[sock.fileno()]
        sock.close()

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open[sock.fileno()] = sock
        self._epoll.register(sock, select.EPOLLIN)


def bare(sockets: Sockets) -> None:
    answer = sockets.answer
    while True:
        for sock in sockets.ready():
            try:
                if sock.recv(READ_BYTES):
                    sock.send(answer)
                    continue
            except OSError:  # wrk is done
                pass
            sockets.close(sock)


def parsed(sockets: Sockets) -> None:
    answer = sockets.answer
    while True:
        for sock in sockets.ready():
            try:
                if piece := sock.recv(READ_BYTES):
                    request_of(piece)
                    sock.send(answer)
                    continue
            except OSError:
                pass
            sockets.close(sock)


def request_of(piece: bytes) -> Request:
    request = whole_request(piece, LIMITS, PEER)
    if request is None:
        raise ValueError(f"no whole request: {piece!r}")
    return request


class Stored:
    """Answers what came together when all of it is on the disk."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "events", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._decode = msgspec.json.Decoder(Sent).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def __call__(self, sockets: Sockets) -> None:
        answer = sockets.answer
        while True:
            for sock in self._stored(sockets):
                try:
                    sock.send(answer)
                except OSError:
                    sockets.close(sock)

    def _stored(self, sockets: Sockets) -> list[socket.socket]:
        """Store what came, and return who is to be told."""
        waiting, events = [], []
        for sock in sockets.ready():
            try:
                piece = sock.recv(READ_BYTES)
            except OSError:
                piece = b""
            if piece:
                events.append(self._decode(request_of(piece).body))
                waiting.append(sock)
            else:
                sockets.close(sock)
        if events:
            os.write(self._file, self._encode(events))
            os.fdatasync(self._file)
        return waiting


class Constant:
    """The application with one answer."""

    def __init__(self, *, fast: bool) -> None:
        self._fast = fast

    def at_once(self, request: Request) -> Answer | None:
        return ANSWER if self._fast else None

    def body_limit(self, method: str, path: str) -> int:
        return 0

    def __call__(self, request: Request) -> Answer:
        return ANSWER

    def flush(self) -> None:
        """Nothing waits."""


def serve_by_loop(port: int, *, fast: bool) -> None:
    listeners = open_listeners(ServerConfig(host="127.0.0.1", port=port), backlog=BACKLOG)
    options = LoopOptions(http=HttpConfig(max_per_address=0, idle_seconds=600))
    Loop(listeners, Constant(fast=fast), options, Metrics().counters()).run()


if __name__ == "__main__":
    main()
