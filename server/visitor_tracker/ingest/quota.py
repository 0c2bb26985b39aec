"""When the journal takes no events: for a moment after a failure, and while it is too large."""

import logging
import os
import threading
import time
from pathlib import Path

from visitor_tracker.metrics import Cell, Counters

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
PAUSE_SECONDS = 0.2  # after a failure, so that a full disk is not hammered
DISK_SHARE = 5  # at most one part in so many of the disk that is free or the journal's own
MIB = 1 << 20


def used_bytes(folder: Path) -> int:
    """Return the size of everything in the journal's folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name), follow_symlinks=False).st_size
            except FileNotFoundError:  # just drained
                continue
    return total


def most_bytes(folder: Path, max_bytes: int, used: int) -> int:
    """Return how large the journal may be on this disk, when it has `used` bytes now."""
    disk = os.statvfs(folder)
    return min(max_bytes, (disk.f_bavail * disk.f_frsize + used) // DISK_SHARE)


class Valve:
    """Open while the journal takes events. Who commits turns it, any thread may look."""

    def __init__(self, folder: Path, counters: Counters, max_bytes: int) -> None:
        self._folder = folder
        self._counters = counters
        self._max_bytes = max_bytes
        self._shut_until = 0.0  # monotonic; 0.0 is open
        self._failing_since: float | None = None
        self._full_since: float | None = None
        self._check_at = 0.0
        self._looking = threading.Lock()

    @property
    def is_open(self) -> bool:
        """False: refuse. While the journal is too large one caller a second looks whether it still is."""
        if not self._shut_until:
            return True
        if time.monotonic() < self._shut_until or not self._looking.acquire(blocking=False):
            return False
        try:
            if self._full_since is None or not self.is_full():
                self._shut_until = 0.0
        finally:
            self._looking.release()
        return not self._shut_until

    def failed(self, error: Exception) -> None:
        """Note that events could not be stored."""
        self._counters.add(Cell.JOURNAL_FAILURES)
        now = time.monotonic()
        self._shut_until = now + PAUSE_SECONDS
        if self._failing_since is None:  # one line for a disk that stays full for hours
            self._failing_since = now
            log.error("%s: events cannot be stored and are refused with 503: %s", self._folder, error)

    def stored(self) -> None:
        """Note that events could be stored."""
        if self._failing_since is not None:
            log.info("%s: events are stored again after %.1f s", self._folder, time.monotonic() - self._failing_since)
            self._failing_since = None

    def is_full(self) -> bool:
        """Look, at most once a second, whether the journal is too large; shut if it is."""
        now = time.monotonic()
        if now < self._check_at:
            return self._full_since is not None
        self._check_at = now + CHECK_SECONDS
        try:
            used = used_bytes(self._folder)
            most = most_bytes(self._folder, self._max_bytes, used)
        except OSError as error:  # the next commit meets it too, and says so to those who wait
            log.debug("the size of %s cannot be read: %s", self._folder, error)
            return self._full_since is not None
        if used >= most:
            self._shut_until = now + CHECK_SECONDS
        self._note_full(now, used, most)
        return used >= most

    def _note_full(self, now: float, used: int, most: int) -> None:
        if used >= most and self._full_since is None:
            self._full_since = now
            log.warning(
                "%s has %d MiB and may have %d (journal.max_bytes, a fifth of the free disk): events are refused "
                "with 503 until the store has taken some",
                *(self._folder, used // MIB, most // MIB),
            )
        elif used < most and self._full_since is not None:
            log.info("%s has room again after %.1f s", self._folder, now - self._full_since)
            self._full_since = None
