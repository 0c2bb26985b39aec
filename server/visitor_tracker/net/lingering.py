"""The end of a connection whose client may still be sending.

Closing with unread input would reset the connection and could take the answer with it (RFC 9112, 9.6): so it is shut
down, and what still comes is read and dropped.
"""

import socket
from select import EPOLLIN

from visitor_tracker.net.connection import LINGER, Connection, ConnectionTable

LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
READ_BYTES = 64 * 1024


def begin(table: ConnectionTable, conn: Connection, now: float) -> None:
    """Send nothing more, and wait for the client to do the same."""
    conn.parser = None
    conn.phase = LINGER
    conn.started = 0.0
    conn.deadline = now + LINGER_SECONDS
    try:
        conn.transport.shutdown(socket.SHUT_WR)
    except OSError:
        table.close(conn)
        return
    table.watch(conn, EPOLLIN)


def read(table: ConnectionTable, conn: Connection) -> None:
    """Drop what came; close at its end, or when it is too much."""
    try:
        piece = conn.transport.recv(READ_BYTES)
    except BlockingIOError:
        return
    except OSError:
        piece = b""
    conn.started += len(piece)
    if not piece or conn.started > LINGER_BYTES:
        table.close(conn)
