"""How long a loop had no time to spare: for what gives way to it."""

import time
from collections.abc import Callable

# A loop that works all the time has at least so much of a core, where others want it too. One that has less waits for
# a disk: more visitors make its batches larger, and nobody need give way.
_CORE_LEAST = 0.25


class Effort:
    """Belongs to the loop's thread, from the first look on."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, core_seconds: Callable[[], float] = time.thread_time
    ) -> None:
        self._now = now
        self._core_seconds = core_seconds
        self._before: tuple[float, float] | None = None
        self._seconds = 0.0

    def milliseconds(self, waited: float) -> int:
        """Return how long it was at work, ever; `waited` seconds, ever, were for something to do."""
        worked, had = self._now() - waited, self._core_seconds()
        if self._before is not None:
            worked_before, had_before = self._before
            self._seconds += max(0.0, min(worked - worked_before, (had - had_before) / _CORE_LEAST))
        self._before = worked, had
        return int(self._seconds * 1000)
