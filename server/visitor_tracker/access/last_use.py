"""When keys and links were used last: noted at most once a minute each, and never while somebody waits for it."""

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from visitor_tracker.errors import TrackerError

log = logging.getLogger(__name__)

EVERY_MS = 60_000
_MOST = 10_000  # that are remembered; beyond it all are forgotten, and the store is asked once more

K = TypeVar("K", bound=Hashable)


class LastUse(Generic[K]):
    """Any thread. What is to be written is so by a thread that ends when it has nothing more to do."""

    def __init__(self, write: Callable[[K, int, int], None]) -> None:
        """`write` gets a key, when it was used (epoch ms), and the moment from which on that is no news."""
        self._write = write
        self._lock = threading.Lock()
        self._noted: dict[K, int] = {}
        self._waiting: dict[K, int] = {}
        self._thread: threading.Thread | None = None

    def note(self, key: K, now_ms: int) -> None:
        """Remember a use; costs next to nothing within a minute after another."""
        before = self._noted.get(key)
        if before is not None and abs(now_ms - before) < EVERY_MS:
            return
        with self._lock:
            if len(self._noted) >= _MOST:
                self._noted.clear()
            self._noted[key] = self._waiting[key] = now_ms
            if self._thread is not None:
                return
            thread = self._thread = threading.Thread(target=self._run, name="last use", daemon=True)
        thread.start()

    def wait(self) -> None:
        """Return when all that was noted before is written, or was given up."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                key, at = self._waiting.popitem()
            try:
                self._write(key, at, at - EVERY_MS)
            except TrackerError as error:  # the next use is noted again in a minute
                log.debug("when a key was used is not noted: %s", error)
            except Exception:
                log.exception("when a key was used is not noted")
