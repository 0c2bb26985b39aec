"""Let the server fold what an import has stored before there is more of it."""

import time
from collections.abc import Callable

_MOST_WAITING = 20_000  # events in the inbox: the visits of this moment come after them, a second or two later
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0  # without any progress; then the inbox may as well have it all


class Pace:
    """Waits in the place of folding; of one thread."""

    def __init__(self, pending: Callable[[], tuple[int, int]]) -> None:
        """`pending` returns (rows, events) of the inbox."""
        self._pending = pending
        self._least = 0
        self._since: float | None = None
        self._gave_up = False

    def step(self) -> bool:
        """Wait a moment if much waits to be folded; False: go on."""
        if self._gave_up:
            return False
        _, events = self._pending()
        if events <= _MOST_WAITING:
            self._since = None
            return False
        now = time.monotonic()
        if self._since is None or events < self._least:
            self._since, self._least = now, events
        self._gave_up = now - self._since > _PATIENCE_SECONDS
        time.sleep(_PAUSE_SECONDS)
        return True
