"""A small pool: bounded, long-lived connections, replaced when anything went wrong on them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from visitor_tracker.errors import StoreUnavailable


class Closable(Protocol):
    def close(self) -> None:
        """Release the connection; never raises, never waits."""


C = TypeVar("C", bound=Closable)


class Pool(Generic[C]):
    """Lends out at most `size` connections, the most recently used first."""

    def __init__(self, connect: Callable[[], C], size: int, wait_seconds: float) -> None:
        self._connect = connect
        self._size = size
        self._wait_seconds = wait_seconds
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[C] = []
        self._closed = False

    @contextmanager
    def borrow(self) -> Iterator[C]:
        """Lend a connection; an exception that leaves the block closes it.

        Raises StoreUnavailable when none is free for `wait_seconds`, and what `connect` raises.
        """
        started = time.monotonic()
        if not self._free.acquire(timeout=self._wait_seconds):
            waited = time.monotonic() - started
            raise StoreUnavailable(f"all {self._size} database connections were busy for {waited:.2f} s")
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)
        finally:
            self._free.release()

    def forget_idle(self) -> None:
        """Close the connections that nobody has: what broke one has mostly broken all."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the idle connections now and each lent one when it comes back."""
        self._closed = True
        self.forget_idle()

    def _take(self) -> C | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: C) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
