"""Answers that go on: each piece is sent when there is one, in between a connection costs no thread and no time.

    feeder thread ─push─▶ Stream ─mailbox, once until it is taken─▶ loop ─▶ send, chunk by chunk
                             ▲ newer pieces take the place of the one that waits

Nothing more is read from the client of a stream. That it goes away is told by epoll, also when it only says that it
sends no more; one that does not read is closed after `http.send_seconds`.
"""

import logging
from collections.abc import Callable
from select import EPOLLERR, EPOLLHUP, EPOLLOUT, EPOLLRDHUP

from visitor_tracker.http.message import Stream
from visitor_tracker.http.wire import LAST_CHUNK, chunk, encode_stream
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.net.connection import NEVER, STREAM, Connection, ConnectionTable

log = logging.getLogger(__name__)

_GONE = EPOLLRDHUP | EPOLLHUP | EPOLLERR


class Streams:
    """The streams of one loop; only the loop thread calls it."""

    def __init__(self, table: ConnectionTable, counters: Counters, finish: Callable[[Connection], None]) -> None:
        """`finish` closes a connection whose answer is sent, slowly where `linger` says so."""
        self._table = table
        self._counters = counters
        self._finish = finish
        self.send_seconds = 0.0

    def begin(self, conn: Connection, stream: Stream, date: bytes, now: float, *, is_last: bool) -> bool:
        """Send headers and first piece, and go on unless that `is_last`; False: the headers cannot be written."""
        try:
            out = encode_stream(stream.headers, chunked=stream.chunked, date=date)
        except Exception:  # no answer of the application's may end the loop
            log.exception("a stream cannot begin")
            stream.close()
            return False
        conn.phase = STREAM
        conn.keep = False
        conn.linger = conn.parser is not None and conn.parser.buffered > 0
        conn.parser = None
        self._table.charge(conn, 0)
        self._counters.add(Cell.RESPONSES_2XX)
        if conn.head:
            stream.close()
        else:
            conn.stream = stream
            out += chunk(stream.first) if stream.chunked else stream.first
            if is_last:
                stream.end()
        conn.out = memoryview(out)
        self._send(conn, now)
        return True

    def go_on(self, conn: Connection, stream: Stream, now: float) -> None:
        """Send what a stream has; one whose connection is gone learns that."""
        if conn.stream is not stream:
            stream.close()
        elif conn.out is None:
            self._send(conn, now)

    def look(self, conn: Connection, event: int, now: float) -> None:
        """Act on what epoll says of a stream's connection."""
        if event & _GONE:
            self._table.close(conn)
        elif event & EPOLLOUT:
            self._send(conn, now)

    def end(self, now: float) -> None:
        """End all of them at once; who has not read up to now is not waited for."""
        for conn in [conn for conn in self._table.open.values() if conn.phase == STREAM]:
            if conn.out is not None:
                self._table.abort(conn)
            elif conn.stream is not None:
                conn.stream.end()
                self._send(conn, now)

    def _send(self, conn: Connection, now: float) -> None:
        """Send until nothing waits, or the client takes no more for now."""
        while out := conn.out or self._next(conn):
            try:
                sent = conn.send(out)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._table.close(conn)
                return
            if sent < len(out):
                if conn.deadline == NEVER:  # of the whole piece
                    conn.deadline = now + self.send_seconds
                conn.out = memoryview(out)[sent:]
                self._table.watch(conn, EPOLLOUT | EPOLLRDHUP)
                return
            conn.out = None
            conn.deadline = NEVER
        if conn.stream is None:
            self._end(conn)
        else:
            self._table.watch(conn, EPOLLRDHUP)

    def _next(self, conn: Connection) -> bytes:
        """Return the bytes of what waits; the stream is let go of with its last ones."""
        stream = conn.stream
        if stream is None:
            return b""
        piece, is_last = stream.take()
        if is_last:
            conn.stream = None
            stream.close()
        if not stream.chunked:
            return piece
        return chunk(piece) + LAST_CHUNK if is_last else chunk(piece)

    def _end(self, conn: Connection) -> None:
        """Close; where something came that nobody reads, so that the client sees the end of the answer first."""
        try:
            conn.linger = bool(conn.recv(1)) or conn.linger
        except BlockingIOError:
            pass
        except OSError:
            self._table.close(conn)
            return
        self._finish(conn)
