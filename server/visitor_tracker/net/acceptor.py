"""Let clients in: count them per address, make room, refuse quickly, survive a lack of descriptors."""

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from select import EPOLLEXCLUSIVE, EPOLLIN
from typing import Any

from visitor_tracker.config import HttpConfig
from visitor_tracker.http.message import Peer
from visitor_tracker.http.wire import encode
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.net.answers import OVERLOADED
from visitor_tracker.net.connection import (
    BUSY,
    CLOSED,
    HANDSHAKE,
    IDLE,
    UNREGISTERED,
    Connection,
    ConnectionTable,
    Delivery,
)
from visitor_tracker.net.descriptors import EXHAUSTED, ReserveDescriptor, connections_allowed
from visitor_tracker.net.exchange import HEAD_READ_BYTES, Exchange
from visitor_tracker.net.listen import Listener
from visitor_tracker.net.mailbox import Mailbox
from visitor_tracker.net.throttle import Throttle
from visitor_tracker.net.tls import TlsAcceptor

log = logging.getLogger(__name__)

ACCEPT_MOST = 16  # connections taken before those already open get their turn, and other workers their share
LAST_ACCEPT_MOST = 4096  # when stopping: what the kernel has already accepted for us


@dataclass(frozen=True, slots=True)
class Room:
    """Where new connections go."""

    table: ConnectionTable
    mailbox: Mailbox[Delivery]
    counters: Counters


class Acceptor:
    """The listening sockets of one loop; only the loop thread calls it."""

    def __init__(
        self, listeners: Sequence[Listener], room: Room, exchange: Exchange, http: HttpConfig, tls: TlsAcceptor | None
    ) -> None:
        self._listeners = {listener.sock.fileno(): listener for listener in listeners}
        self._table, self._mailbox, self._counters = room.table, room.mailbox, room.counters
        self._exchange = exchange
        self._http = http
        self._tls = tls
        self._most = connections_allowed(http.max_connections)
        self._reserve = ReserveDescriptor()
        self._paused: list[int] = []
        self._throttle = Throttle(1.0)

    def listen(self) -> None:
        """Wait for clients; EPOLLEXCLUSIVE: one worker is woken for a connection, not all of them."""
        for fd in self._listeners:
            self._table.epoll.register(fd, EPOLLIN | EPOLLEXCLUSIVE)

    def accept(self, fd: int) -> None:
        if (listener := self._listeners.get(fd)) is not None:
            self._accept(listener, ACCEPT_MOST)

    def after_handshake(self, conn: Connection, usable: bool) -> None:
        """Take a connection back from the handshake thread."""
        if not usable:
            self._counters.add(Cell.TLS_FAILURES)
            self._table.close(conn)
            return
        self._counters.add(Cell.TLS_HANDSHAKES)
        self._begin(conn)

    def recover(self) -> None:
        """Listen again where accepting was impossible a moment ago."""
        for fd in self._paused:
            self._table.epoll.register(fd, EPOLLIN | EPOLLEXCLUSIVE)
        self._paused = []

    def close(self) -> None:
        """Take what the kernel has already accepted, and listen no more in this process."""
        for fd, listener in self._listeners.items():
            self._accept(listener, LAST_ACCEPT_MOST)
            with suppress(OSError):  # paused
                self._table.epoll.unregister(fd)
            listener.sock.close()
        self._listeners = {}
        self._paused = []
        self._reserve.close()

    def _accept(self, listener: Listener, most: int) -> None:
        for _ in range(most):
            try:
                fd, address = listener.sock._accept()  # type: ignore[attr-defined]  # accept() adds 3 µs, for enums
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._shed(listener)
                    return
                continue  # accept(2): the error of a connection that is gone already
            sock = socket.socket(listener.family, socket.SOCK_STREAM, 0, fd)
            self._admit(sock, _peer(address, listener))

    def _admit(self, sock: socket.socket, peer: Peer) -> None:
        addresses = self._table.addresses
        if not addresses.enter(peer):
            self._refuse(sock, peer, Cell.REFUSED_ADDRESS_CAP)
            return
        if len(self._table.open) >= self._most and not self._table.close_oldest_idle():
            addresses.leave(peer)
            self._refuse(sock, peer, Cell.OVERLOADED)
            return
        sock.setblocking(False)
        conn = Connection(sock, peer, self._mailbox)
        self._table.add(conn)
        if self._tls is not None and peer.secure:
            conn.phase = HANDSHAKE
            self._tls.submit(conn)
        else:
            self._begin(conn)

    def _begin(self, conn: Connection) -> None:
        """Read at once: with TCP_DEFER_ACCEPT the first request is usually there, and a wait is saved."""
        conn.phase = IDLE
        conn.deadline = self._exchange.now + self._http.header_seconds
        self._exchange.receive(conn)
        last = conn.phase == BUSY and not conn.keep  # answered and closed without waiting for it once
        if conn.phase != CLOSED and conn.interest == UNREGISTERED and not last:
            self._table.watch(conn, EPOLLIN)

    def _refuse(self, sock: socket.socket, peer: Peer, cell: Cell) -> None:
        self._counters.add(cell)
        with sock, suppress(OSError):
            sock.setblocking(False)
            if not peer.secure:
                sock.send(encode(OVERLOADED, keep_alive=False, head=False, date=self._exchange.date))
                sock.shutdown(socket.SHUT_WR)
                sock.recv(HEAD_READ_BYTES)  # closing with unread input would take the answer with it

    def _shed(self, listener: Listener) -> None:
        self._counters.add(Cell.OUT_OF_DESCRIPTORS)
        if (left_out := self._throttle.passes()) is not None:
            log.error(
                "out of file descriptors, new connections are closed (%d more since the last such line); "
                "raise ulimit -n or LimitNOFILE=, or lower http.max_connections",
                left_out,
            )
        if not self._reserve.shed(listener.sock):
            fd = listener.sock.fileno()  # readable, but nothing can be done: without this the loop would spin
            if fd not in self._paused:  # accepting for the last time asks once more
                self._table.epoll.unregister(fd)
                self._paused.append(fd)


def _peer(address: Any, listener: Listener) -> Peer:  # noqa: ANN401  # as socket.accept types it
    if listener.unix:
        return Peer("", unix=True)
    host: str = address[0]
    if ":" in host:
        host = host.partition("%")[0]
        if host.startswith("::ffff:") and "." in host:  # IPv4 on a dual-stack socket
            host = host[7:]
    return Peer(host, secure=listener.secure)
