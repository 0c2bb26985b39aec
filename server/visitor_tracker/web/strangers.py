"""Places for those who read without an account: what they ask must leave threads to log-ins, owners and monitors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError

MOST = 4  # at once, where nobody says how many; the dashboard asks no more at once either
RETRY_SECONDS = 2

asks: Final[ContextVar[bool]] = ContextVar("asks", default=False)  # whether it is a stranger who is answered here


class Strangers:
    """Readers of a public site and of share links, one place for each question; any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def place(self, who: Who) -> Iterator[None]:
        """Hold a place if `who` needs one; raises HttpError 503 where all are taken."""
        needs_one = who.kind in ("nobody", "share")
        if needs_one and not self._free.acquire(blocking=False):  # one that waits would keep a thread as well
            raise HttpError(
                503,
                "busy",
                "as many questions of readers without an account are answered as this server lets",
                "try again, or log in",
                retry_after=RETRY_SECONDS,
            )
        before = asks.set(needs_one)
        try:
            yield
        finally:
            asks.reset(before)
            if needs_one:
                self._free.release()
