"""Long questions one at a time: each may keep a core busy that visits need too."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from visitor_tracker.errors import HttpError

WAIT_SECONDS = 5.0  # for the answer to another question
RETRY_SECONDS = 5

_turn = threading.Lock()  # of the process: routes that read much share it


@contextmanager
def long_turn() -> Iterator[None]:
    """Hold the one turn of this process; raises HttpError 503 where another question goes on for too long."""
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise HttpError(
            503,
            "busy",
            "another question that reads visits one by one is being answered",
            "try again, or ask of fewer days",
            retry_after=RETRY_SECONDS,
        )
    try:
        yield
    finally:
        _turn.release()
