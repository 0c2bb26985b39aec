"""User agents: what a text says, remembered; the first sight of one costs some 50 µs, every other 0.1.

reading(text, ready) ─ known ─────────────────────────▶ ready, at once
                     ─ new, few in this gather ─ read ▶ ready, at once
                     ─ new, many ─▶ Classifier's queue ─▶ ready, in its thread ─▶ after (when none waits)
                                          └ full ─────▶ ready(UNKNOWN), at once
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import msgspec

from visitor_tracker.event import Agent, Signal
from visitor_tracker.ingest.crawlers import crawler_name, is_headless, published_list
from visitor_tracker.ingest.families import device_of, family_reader
from visitor_tracker.metrics import Cell, Counters

log = logging.getLogger(__name__)

TEXT_MOST = 512  # characters of a user agent that are looked at
_REMEMBERED = 16_384  # texts
_ALIKE_MOST = 4_096  # different readings that are shared by all texts with the same one
_INLINE = 8  # new texts that are read on the loop in one gather
_QUEUED_MOST = 1_024
_ROUND = 64  # texts after which the classifier calls `after`, even if more wait

_USER_AGENT = int(Signal.USER_AGENT)
_HEADLESS = int(Signal.HEADLESS)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a user agent's text says; `signals` are of Signal."""

    agent: Agent
    signals: int


Ready = Callable[[Reading], None]

UNKNOWN = Reading(Agent(), 0)
NOT_SENT = Reading(Agent(), _USER_AGENT)


class AgentReader:
    """Reads user agents and remembers the last ones; safe in any thread.

    The first one of a process loads the lists: some 150 ms and 15 MB, and 4 MB more for each thread that reads.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._crawlers = published_list()
        self._families = family_reader()
        # Two generations instead of one order of use: a look-up takes no lock. When the young one is full it
        # becomes the old one; what is found in the old one is young again. So the last 8,192 texts are held for
        # sure, and never more than 16,384.
        self._young: dict[str, Reading] = {}
        self._old: dict[str, Reading] = {}
        self._alike: dict[Reading, Reading] = {}
        self._lock = threading.Lock()

    def known(self, text: str) -> Reading | None:
        """Return what was read from this text before, None for a new one; about 0.1 µs."""
        if len(text) > TEXT_MOST:
            text = text[:TEXT_MOST]
        reading = self._young.get(text)
        if reading is not None:
            return reading
        if not text:
            return NOT_SENT
        reading = self._old.get(text)
        if reading is not None:
            self._remember(text, reading)
        return reading

    def read(self, text: str) -> Reading:
        """Return what the text says: some 50 µs for a browser that was not seen before, at most 1 ms for anything."""
        text = text[:TEXT_MOST]
        reading = self.known(text)
        if reading is None:
            reading = self._remember(text, self._classified(text))
            self._counters.add(Cell.AGENTS_READ)
        return reading

    def _remember(self, text: str, reading: Reading) -> Reading:
        with self._lock:
            if len(self._young) >= _REMEMBERED // 2:
                self._young, self._old = {}, self._young
            if len(self._alike) >= _ALIKE_MOST:
                self._alike = {}
            self._young[text] = shared = self._alike.setdefault(reading, reading)
        return shared

    def _classified(self, text: str) -> Reading:
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # half a surrogate pair, which the parser cannot take
        lower = text.lower()
        signals = (_USER_AGENT if self._crawlers.has(text) else 0) | (_HEADLESS if is_headless(lower) else 0)
        (browser, browser_version), (system, system_version) = self._families(text)
        name = crawler_name(text) if signals else ""
        device = "bot" if signals else device_of(lower, system)
        return Reading(Agent(browser, browser_version, system, system_version, device, name), signals)


class Classifier:
    """A thread that reads user agents, each text once for all that wait for it."""

    def __init__(self, reader: AgentReader, after: Callable[[], None]) -> None:
        """Start the thread; it calls `after` when nothing waits any more, and now and then while more does."""
        self._reader = reader
        self._after = after
        self._turn = threading.Condition()
        self._texts: deque[str] = deque()
        self._waiting: dict[str, list[Ready]] = {}
        self._queued = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="classifier", daemon=True)
        self._thread.start()

    def submit(self, text: str, ready: Ready) -> bool:
        """Have the text read and `ready` called in this thread; False: too many wait, it will not be called."""
        text = text[:TEXT_MOST]
        with self._turn:
            if self._queued >= _QUEUED_MOST or self._closing:
                return False
            self._queued += 1
            others = self._waiting.get(text)
            if others is not None:
                others.append(ready)
                return True
            self._waiting[text] = [ready]
            self._texts.append(text)
            self._turn.notify()
            return True

    def close(self) -> None:
        """Read what is queued, then end the thread."""
        with self._turn:
            self._closing = True
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        since = 0  # texts since the last call of `after`
        while (taken := self._take()) is not None:
            text, waiting = taken
            reading = self._read(text)
            for ready in waiting:
                _run_safely(partial(ready, reading))
            since += 1
            if since >= _ROUND or not self._texts:
                since = 0
                _run_safely(self._after)

    def _take(self) -> tuple[str, list[Ready]] | None:
        """Wait for a text and return it with those who wait for it; None means the end."""
        with self._turn:
            while not self._texts:
                if self._closing:
                    return None
                self._turn.wait()
            text = self._texts.popleft()
            waiting = self._waiting.pop(text)
            self._queued -= len(waiting)
            return text, waiting

    def _read(self, text: str) -> Reading:
        try:
            return self._reader.read(text)
        except Exception:
            log.exception("a user agent could not be read")
            return UNKNOWN


def _run_safely(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # whoever else waits is still answered
        log.exception("what waited for a user agent failed")


class Agents:
    """Reads user agents for the loop, which must not wait: the few new ones at once, more of them elsewhere."""

    def __init__(self, reader: AgentReader, classifier: Classifier, counters: Counters) -> None:
        self._reader = reader
        self.known = reader.known
        self._classifier = classifier
        self._counters = counters
        self._left = _INLINE

    def reading(self, text: str, ready: Ready) -> None:
        """Call `ready` once: at once, or from the classifier's thread. For the loop."""
        reading = self._reader.known(text)
        if reading is None:
            if self._left > 0:
                self._left -= 1
                reading = self._reader.read(text)
            elif self._classifier.submit(text, ready):
                return
            else:
                self._counters.add(Cell.AGENTS_UNREAD)
                reading = UNKNOWN
        ready(reading)

    def read(self, text: str) -> Reading:
        """Return what the text says, for threads that may wait for it."""
        return self._reader.read(text)

    def new_gather(self) -> None:
        """Let the loop read new texts by itself again; called by every flush."""
        self._left = _INLINE

    def close(self) -> None:
        """Read what is queued; afterwards nothing more is queued."""
        self._classifier.close()
