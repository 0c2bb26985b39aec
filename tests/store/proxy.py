"""A TCP proxy before a database server that breaks a connection at a chosen moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

How = Literal["before", "after", "late", "unanswered"]
LATE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Cut:
    """Break the next connection that sends so many packets, when it sends the last of them.

    before: the server never sees that packet. after: it does, and both sides break at once. late: the client's
    side breaks at once, the packet arrives later. unanswered: the server answers, the client does not see it.
    """

    packet: int
    how: How


class Proxy:
    """Listens on a port of its own; threads end with `close`."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._cut: Cut | None = None
        self.cuts = 0  # made so far
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._spawn(self._accept)

    def plan(self, cut: Cut) -> None:
        with self._lock:
            self._cut = cut

    def close(self) -> None:
        _break(self._listener)
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            _break(one)
        for thread in self._threads:
            thread.join(10)

    def _spawn(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {client, server}
            silenced = threading.Event()
            self._spawn(self._to_client, server, client, silenced)
            self._spawn(self._to_server, client, server, silenced)

    def _to_client(self, server: socket.socket, client: socket.socket, silenced: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if silenced.is_set():
                    break
                client.sendall(data)
        _break(client)
        _break(server)

    def _to_server(self, client: socket.socket, server: socket.socket, silenced: threading.Event) -> None:
        left: int | None = None
        cut: Cut | None = None
        with suppress(OSError):
            while data := client.recv(1 << 20):
                if cut is None:
                    cut = self._take_cut()
                    left = cut.packet if cut else None
                if left is not None:
                    left -= 1
                if cut and left == 0:
                    self.cuts += 1
                    self._make(cut, data, client, server, silenced)
                    return
                server.sendall(data)
        _break(server)

    def _take_cut(self) -> Cut | None:
        with self._lock:
            cut, self._cut = self._cut, None
            return cut

    def _make(
        self, cut: Cut, data: bytes, client: socket.socket, server: socket.socket, silenced: threading.Event
    ) -> None:
        if cut.how == "unanswered":
            silenced.set()  # the other thread breaks both when the answer comes
            server.sendall(data)
            return
        if cut.how == "late":
            silenced.set()
            _break(client)
            threading.Event().wait(LATE_SECONDS)
        if cut.how != "before":
            server.sendall(data)
        if cut.how != "late":
            _break(client)
            _break(server)


def _break(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
