"""A small pool: bounded, long-lived connections, replaced when anything went wrong on them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, Protocol, TypeVar

from visitor_tracker.errors import StoreUnavailable


class Closable(Protocol):
    def close(self) -> None:
        """Release the connection; never raises, never waits."""


C = TypeVar("C", bound=Closable)


class _Places:
    """A semaphore that is fair: with threading's own, a thread that comes back at once overtakes those who wait."""

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._free = number
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, until: float) -> bool:
        """Take a place; False: there was none until that time of the monotonic clock."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(max(0.0, until - time.monotonic())):
            return True
        with self._lock:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
        return False

    def release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Pool(Generic[C]):
    """Lends out at most `size` connections, the most recently used first.

    `reserved` of them go only to those who borrow with `first`: however many read, whoever writes finds one.
    """

    def __init__(self, connect: Callable[[], C], size: int, wait_seconds: float, *, reserved: int = 0) -> None:
        self._connect = connect
        self._size = size
        self._wait_seconds = wait_seconds
        self._free = _Places(size)
        self._others = _Places(max(1, size - reserved))
        self._lock = threading.Lock()
        self._idle: list[C] = []
        self._closed = False

    @contextmanager
    def borrow(self, *, first: bool = False) -> Iterator[C]:
        """Lend a connection; an exception that leaves the block closes it.

        Raises StoreUnavailable when none is free for `wait_seconds`, and what `connect` raises.
        """
        with self._place(first):
            connection = self._take() or self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

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

    @contextmanager
    def _place(self, first: bool) -> Iterator[None]:
        """Wait for a place among those who have a connection."""
        until = time.monotonic() + self._wait_seconds
        with ExitStack() as held:
            for places in (self._free,) if first else (self._others, self._free):
                if not places.acquire(until):
                    raise StoreUnavailable(
                        f"all {self._size} database connections were busy for {self._wait_seconds:g} s"
                    )
                held.callback(places.release)
            yield

    def _take(self) -> C | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: C) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
