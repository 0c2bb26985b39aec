"""Where CPU time goes in this thread: which function runs, looked at every millisecond of it."""

import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_EVERY_SECONDS = 0.001


@contextmanager
def sampled() -> Iterator[dict[str, float]]:
    """Collect seconds by function; what C code takes counts for the function that called it. Main thread only."""
    found: defaultdict[str, float] = defaultdict(float)
    last = time.thread_time()

    def look(_number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.thread_time()
        if frame is not None:
            code = frame.f_code
            found[f"{Path(code.co_filename).name}:{code.co_qualname}"] += now - last
        last = now

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
