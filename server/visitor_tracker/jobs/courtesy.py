"""Visitors come first: while the workers have no time to spare, the work that nobody waits for mostly rests.

A low priority alone does not do it where cores are few. The fold then runs on the core that the kernel needs for the
sockets, empties the caches that the worker needs, and holds the turn to write while visits of the counter wait for it.
"""

import threading
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.5
_SHORT = 0.8  # of the workers' time spent on requests; above it they have none to spare
_REST = 3.0  # times as long as the work before it: a quarter of the time is left to drain and fold, so both go on
_REST_MOST_SECONDS = 2.0


class Workers:
    """Tells whether the workers are short of time; asked by the threads of one process."""

    def __init__(self, busy_ms: Callable[[], int], number: int, *, now: Callable[[], float] = time.monotonic) -> None:
        """`busy_ms` is how long the loops of the `number` workers were at work, all together, ever."""
        self._lock = threading.Lock()  # of the last three
        self._busy_ms = busy_ms
        self._number = max(1, number)
        self._now = now
        self._looked_at = now()
        self._before = busy_ms()
        self._are_short = False

    def are_short(self) -> bool:
        """Say whether they had hardly any time to spare of late."""
        with self._lock:
            now = self._now()
            passed = now - self._looked_at
            if passed >= _LOOK_SECONDS:
                busy = self._busy_ms()
                self._are_short = busy - self._before >= _SHORT * 1000 * passed * self._number
                self._looked_at, self._before = now, busy
            return self._are_short


class Breaks(threading.Event):
    """`stop`, as a thread sees it that asks before each step of its work: who asks too often waits a while."""

    def __init__(self, stop: threading.Event, are_short: Callable[[], bool]) -> None:
        super().__init__()
        self._stop = stop
        self._are_short = are_short
        self._since = time.monotonic()

    def is_set(self) -> bool:
        if not self._stop.is_set() and self._are_short():
            worked = time.monotonic() - self._since
            self._stop.wait(min(_REST * worked, _REST_MOST_SECONDS))
        self._since = time.monotonic()
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        self._stop.wait(timeout)
        self._since = time.monotonic()
        return self._stop.is_set()
