"""TLS: the context from certificate and key, the handshakes beside the loop, and TLS sockets in it.

loop ─submit─▶ handshake thread (own epoll, all handshakes at once, non-blocking) ─take─▶ loop
"""

import logging
import os
import select
import socket
import ssl
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from visitor_tracker.config import TlsConfig
from visitor_tracker.errors import ListenError
from visitor_tracker.net.connection import Connection
from visitor_tracker.net.mailbox import Mailbox

log = logging.getLogger(__name__)

MOST_HANDSHAKES = 1000  # under way at once; beyond it the oldest is closed
POLL_SECONDS = 0.25
JOIN_SECONDS = 1.0
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(tls: TlsConfig) -> ssl.SSLContext:
    """Read certificate and key; raise ListenError that says which file to change and how."""
    _check_key_mode(tls.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.minimum_version]
    context.options |= ssl.OP_NO_RENEGOTIATION  # so that sending never waits for reading
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")  # never ask on the terminal
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ListenError(f"tls.key {tls.key} does not belong to tls.certificate {tls.certificate}") from error
        raise ListenError(
            f"tls.certificate {tls.certificate} or tls.key {tls.key} is no PEM file without password ({error.reason})"
        ) from error
    except OSError as error:
        raise ListenError(f"tls.certificate {tls.certificate} cannot be read: {error.strerror}") from error
    return context


def _check_key_mode(key: str) -> None:
    try:
        mode = stat.S_IMODE(os.stat(key).st_mode)
        with open(key, "rb"):
            pass
    except OSError as error:
        raise ListenError(f"tls.key {key} cannot be read: {error.strerror}") from error
    if mode & 0o007:
        raise ListenError(f"tls.key {key} is open to every user of this machine (mode {mode:04o}); run chmod 600 on it")
    if mode & 0o070:
        log.warning("tls.key %s is open to its group (mode %04o); chmod 600 would be safer", key, mode)


class TlsTransport:
    """A TLS socket that behaves like a plain non-blocking one."""

    __slots__ = ("_sock", "setsockopt")

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self.setsockopt = sock.setsockopt

    def recv(self, size: int, /) -> bytes:
        """Read all of a record, at times more than `size`: epoll does not see what OpenSSL holds back."""
        sock = self._sock
        try:
            piece = sock.recv(size)
            while pending := sock.pending():
                piece += sock.recv(pending)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        return piece

    def send(self, piece: bytes | memoryview, /) -> int:
        sent = 0
        try:
            while sent < len(piece):  # OpenSSL takes one record at a time
                sent += self._sock.send(piece[sent:])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not sent:
                raise BlockingIOError from None
        return sent

    def shutdown(self, how: int, /) -> None:
        self._say_goodbye()
        self._sock.shutdown(how)  # from here on recv reads bytes of the wire, only to be dropped

    def close(self) -> None:
        self._say_goodbye()
        self._sock.close()

    def _say_goodbye(self) -> None:
        with suppress(OSError, ValueError):
            self._sock.unwrap()  # sends close_notify; the client's own is not waited for


@dataclass(frozen=True, slots=True)
class _Handshake:
    conn: Connection
    sock: ssl.SSLSocket
    deadline: float


class TlsAcceptor:
    """Does all handshakes of a loop in one thread; `submit`, `take` and `stop` are the loop's side."""

    def __init__(self, tls: TlsConfig) -> None:
        self._tls = tls
        self._context = server_context(tls)
        self._new: Mailbox[Connection] = Mailbox()
        self._done: deque[tuple[Connection, bool]] = deque()
        self._epoll = select.epoll()
        self._running: dict[int, _Handshake] = {}  # in the order of their deadlines
        self._stopping = False
        self._wake: Callable[[], None] = _nothing
        self._thread = threading.Thread(target=self._run, name="tls", daemon=True)

    def reload(self, tls: TlsConfig) -> None:
        """Use the files as they are now for new connections; on ListenError the old ones stay in use."""
        self._context = server_context(tls)
        self._tls = tls

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is called when `take` has something."""
        self._wake = wake
        self._epoll.register(self._new.fd, select.EPOLLIN | select.EPOLLET)
        self._thread.start()

    def submit(self, conn: Connection) -> None:
        """Take a new connection over, until `take` returns it."""
        self._new.put(conn)

    def take(self) -> tuple[Connection, bool] | None:
        """Return a connection and whether its handshake succeeded; None: nothing more."""
        return self._done.popleft() if self._done else None

    def stop(self) -> None:
        """Give up what is under way; those connections are returned by `take`."""
        self._stopping = True
        self._new.wake()
        self._thread.join(JOIN_SECONDS)

    # The handshake thread.

    def _run(self) -> None:
        while not self._stopping:
            events = self._epoll.poll(POLL_SECONDS if self._new.about_to_wait() else 0)
            self._new.awake()
            try:
                self._proceed(events)
            except Exception:
                log.exception("a handshake failed")
        while conn := self._new.take():
            self._finish(conn, usable=False)
        for fd in list(self._running):
            self._give_up(fd)
        self._epoll.close()

    def _proceed(self, events: list[tuple[int, int]]) -> None:
        for fd, _ in events:
            if (handshake := self._running.get(fd)) is not None:
                self._step(handshake)
        while conn := self._new.take():
            self._begin(conn)
        now = time.monotonic()
        while self._running:
            fd, oldest = next(iter(self._running.items()))
            if oldest.deadline > now and len(self._running) <= MOST_HANDSHAKES:
                return
            self._give_up(fd)

    def _begin(self, conn: Connection) -> None:
        plain = conn.transport
        if not isinstance(plain, socket.socket):
            return
        try:
            sock = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        except (OSError, ValueError):  # gone already
            self._finish(conn, usable=False)
            return
        conn.use(TlsTransport(sock))
        handshake = _Handshake(conn, sock, time.monotonic() + self._tls.handshake_seconds)
        self._running[conn.fd] = handshake
        self._epoll.register(conn.fd, select.EPOLLIN)
        self._step(handshake)

    def _step(self, handshake: _Handshake) -> None:
        fd = handshake.conn.fd
        try:
            handshake.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._epoll.modify(fd, select.EPOLLIN)
        except ssl.SSLWantWriteError:
            self._epoll.modify(fd, select.EPOLLOUT)
        except (OSError, ValueError):
            self._give_up(fd)
        else:
            del self._running[fd]
            self._epoll.unregister(fd)
            self._finish(handshake.conn, usable=True)

    def _give_up(self, fd: int) -> None:
        handshake = self._running.pop(fd)
        with suppress(OSError):  # it may not have been registered: the kernel bounds that, too
            self._epoll.unregister(fd)
        self._finish(handshake.conn, usable=False)

    def _finish(self, conn: Connection, *, usable: bool) -> None:
        self._done.append((conn, usable))
        self._wake()


def _nothing() -> None:
    """Stand in for `wake` until the loop runs."""
