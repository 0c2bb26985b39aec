"""File descriptors: how many there may be, and one kept in reserve for when there are none left."""

import errno
import logging
import os
import resource
import socket
from contextlib import suppress

log = logging.getLogger(__name__)

OTHER_DESCRIPTORS = 100  # log, database connections, epoll, the interpreter's own files

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def connections_allowed(wanted: int) -> int:
    """Raise the soft limit of open files as far as needed and return how many of the wanted connections it holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = max(1, soft - OTHER_DESCRIPTORS)
    log.warning(
        "http.max_connections lowered from %d to %d: only %d files may be open; raise ulimit -n or LimitNOFILE=",
        wanted,
        allowed,
        soft,
    )
    return allowed


class ReserveDescriptor:
    """One descriptor given up for a moment, so that a connection can be accepted only to be closed.

    Without it the connection stays in the backlog and the listening socket stays readable: a busy loop.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        self._open()

    def shed(self, listener: socket.socket) -> bool:
        """Close one waiting connection; False when even that is impossible just now."""
        if self._fd is None:
            self._open()
        if self._fd is None:
            return False
        os.close(self._fd)
        self._fd = None
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._open()
        return True

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> None:
        with suppress(OSError):
            self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
