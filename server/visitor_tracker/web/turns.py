"""Long questions one at a time: each may keep a core busy that visits need too.

Readers without an account have a turn of their own, so that nobody who has one waits for them.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from visitor_tracker.errors import HttpError
from visitor_tracker.web import strangers

WAIT_SECONDS = 5.0  # for the answer to another question
RETRY_SECONDS = 5

_turn, _turn_of_strangers = threading.Lock(), threading.Lock()  # of the process: routes that read much share them


@contextmanager
def long_turn() -> Iterator[None]:
    """Hold the turn of this process; raises HttpError 503 where another question goes on for too long."""
    turn = _turn_of_strangers if strangers.asks.get() else _turn
    if not turn.acquire(timeout=WAIT_SECONDS):
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
        turn.release()
