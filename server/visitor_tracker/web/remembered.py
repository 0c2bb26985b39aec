"""Answers that were made a moment ago, for those who ask the same."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

A = TypeVar("A")

KEPT_SECONDS = 60.0
_KEPT_MOST = 512


class Remembered(Generic[A]):
    """Any thread. Nobody waits for another one's answer here: who makes one holds the turn for long questions."""

    def __init__(self, seconds: float = KEPT_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, A]] = OrderedDict()

    def answer(self, key: Hashable, make: Callable[[], A]) -> A:
        """Return what is kept for a key, else what `make` returns, whose errors pass."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds:
            return kept[1]
        made = make()
        with self._lock:
            self._kept[key] = (self._now(), made)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_MOST:
                self._kept.popitem(last=False)
        return made
