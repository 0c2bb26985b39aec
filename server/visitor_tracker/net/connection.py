"""The open connections of one loop: what is known of each, how many per address, which may be closed for room."""

import heapq
import select
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from visitor_tracker.http.message import Peer, Response, Stream
from visitor_tracker.http.parser import RequestParser
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.net.mailbox import Mailbox

# Phases; the loop reads a connection straight away while it is below BUSY.
IDLE = 0  # between two requests
HEAD = 1  # part of a request head is here
BODY = 2  # part of a request body is here
BUSY = 3  # a request is being handled
SEND = 4  # part of an answer waits for the socket
STREAM = 5  # an answer that goes on
LINGER = 6  # answered and shut down; what still comes is read and dropped, so that the client sees the answer
HANDSHAKE = 7  # the TLS handshake thread has it
CLOSED = 8

NEVER = float("inf")
UNREGISTERED = -1
_ABORT = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 seconds; close() then drops what was not sent
PIPELINE_BYTES = 64 * 1024
_OLDEST_AT_ONCE = 64  # a search through all connections is shared by this many closings


class Transport(Protocol):
    """What a connection reads and writes through: a socket, or TLS over one. Non-blocking, errors are OSError."""

    def recv(self, size: int, /) -> bytes: ...

    def send(self, piece: bytes | memoryview, /) -> int: ...

    def setsockopt(self, level: int, option: int, value: bytes, /) -> None: ...

    def shutdown(self, how: int, /) -> None: ...

    def close(self) -> None: ...


class Connection:
    """One client. Owned by its loop; other threads only call `deliver`."""

    __slots__ = (
        "_mailbox",
        "deadline",
        "eof",
        "fd",
        "head",
        "held",
        "interest",
        "keep",
        "linger",
        "out",
        "parser",
        "peer",
        "phase",
        "recv",
        "send",
        "started",
        "stream",
        "transport",
    )

    def __init__(self, sock: socket.socket, peer: Peer, mailbox: "Mailbox[Delivery]") -> None:
        self.fd = sock.fileno()
        self.peer = peer
        self._mailbox = mailbox
        self.phase = IDLE
        self.deadline = NEVER
        self.parser: RequestParser | None = None  # made with the first byte, given up when idle
        self.interest = UNREGISTERED
        self.out: memoryview | None = None
        self.stream: Stream | None = None
        self.keep = self.head = self.eof = self.linger = False
        self.held = 0  # bytes of requests that count against the budget
        self.started = 0.0  # when the body began, or bytes dropped while lingering
        self.use(sock)

    def use(self, transport: Transport) -> None:
        self.transport = transport
        self.recv = transport.recv
        self.send = transport.send

    @property
    def holds_enough(self) -> bool:
        """Whether whole requests enough wait in the parser; a head or body under way must go on being read."""
        parser = self.parser
        return parser is not None and parser.buffered > PIPELINE_BYTES and self.phase in (BUSY, IDLE)

    def deliver(self, response: Response | Stream | None) -> None:
        """Hand the answer to the loop, or a stream that has something to send; from any thread. None: close without."""
        self._mailbox.put((self, response))


Delivery = tuple[Connection, Response | Stream | None]


class AddressBook:
    """How many connections each client address has; an IPv6 client is its /64."""

    def __init__(self, cap: int, is_trusted: Callable[[str], bool]) -> None:
        self._cap = cap
        self._is_trusted = is_trusted
        self._open: dict[str | bytes, int] = {}

    def update(self, cap: int, is_trusted: Callable[[str], bool]) -> None:
        self._cap = cap
        self._is_trusted = is_trusted

    def enter(self, peer: Peer) -> bool:
        """Count one more connection; False: the address has its share already."""
        if peer.unix:
            return True
        key = _key(peer.address)
        number = self._open.get(key, 0)
        if 0 < self._cap <= number and not self._is_trusted(peer.address):
            return False
        self._open[key] = number + 1
        return True

    def leave(self, peer: Peer) -> None:
        if peer.unix:
            return
        key = _key(peer.address)
        number = self._open[key] - 1
        if number:
            self._open[key] = number
        else:
            del self._open[key]


def _key(address: str) -> str | bytes:
    return socket.inet_pton(socket.AF_INET6, address)[:8] if ":" in address else address


class ConnectionTable:
    """Every connection of a loop by its descriptor, the epoll they wait in, and the bytes they hold."""

    def __init__(self, counters: Counters, addresses: AddressBook) -> None:
        self.epoll = select.epoll()
        self.open: dict[int, Connection] = {}
        self.addresses = addresses
        self.held = 0
        self._counters = counters
        self._oldest: deque[tuple[float, Connection]] = deque()

    def add(self, conn: Connection) -> None:
        self.open[conn.fd] = conn
        self._counters.add(Cell.CONNECTIONS)
        self._counters.set(Cell.CONNECTIONS_OPEN, len(self.open))

    def watch(self, conn: Connection, interest: int) -> None:
        if conn.interest == interest:
            return
        if conn.interest == UNREGISTERED:
            self.epoll.register(conn.fd, interest)
        else:
            self.epoll.modify(conn.fd, interest)
        conn.interest = interest

    def close(self, conn: Connection) -> None:
        """Close and forget; closing takes the descriptor out of epoll, too."""
        if conn.phase == CLOSED:
            return
        conn.phase = CLOSED
        conn.parser = conn.out = None
        self.charge(conn, 0)
        if self.open.get(conn.fd) is conn:
            del self.open[conn.fd]
        self.addresses.leave(conn.peer)
        self._counters.set(Cell.CONNECTIONS_OPEN, len(self.open))
        conn.transport.close()
        if conn.stream is not None:
            stream, conn.stream = conn.stream, None
            stream.close()

    def abort(self, conn: Connection) -> None:
        """Close and have the kernel forget what the client did not take."""
        with suppress(OSError):
            conn.transport.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self.close(conn)

    def charge(self, conn: Connection, held: int) -> None:
        """Note how many bytes of requests this connection holds now."""
        self.held += held - conn.held
        conn.held = held

    def close_oldest_idle(self) -> bool:
        """Make room for one more; False when no connection is idle."""
        if not self._oldest:
            idle = ((conn.deadline, conn) for conn in self.open.values() if conn.phase == IDLE)
            self._oldest.extend(heapq.nsmallest(_OLDEST_AT_ONCE, idle, key=lambda pair: pair[0]))
        while self._oldest:
            deadline, conn = self._oldest.popleft()
            if conn.phase == IDLE and conn.deadline == deadline:  # not used since it was found
                self._counters.add(Cell.CLOSED_IDLE_CAP)
                self.close(conn)
                return True
        return False
