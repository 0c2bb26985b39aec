"""Let something through at most so often; a flood must not become a flood of log lines."""

import threading
import time


class Throttle:
    """Passes once every `seconds`; used by any thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next = 0.0
        self._left_out = 0

    def passes(self) -> int | None:
        """Return how many were held back since the last one that passed; None: hold this one back too."""
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                self._left_out += 1
                return None
            self._next = now + self._seconds
            left_out, self._left_out = self._left_out, 0
            return left_out
