"""Room on the disk: delete segments that the store has, and keep what no store takes."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.ingest.quota import CHECK_SECONDS, most_bytes, used_bytes
from visitor_tracker.ingest.segments import Segment

log = logging.getLogger(__name__)

DEAD = "dead"  # subfolder of records that not even dead_letters takes
_SPARE_SHARE = 8  # one part in so many of the quota is kept free: the journal refuses events where it is used up


class Reclaimer:
    """Belongs to the drainer's thread."""

    def __init__(self, folder: Path, config: JournalConfig) -> None:
        self._folder = folder
        self._config = config
        self._check_at = 0.0
        self._told = False

    def make_room(self, drained: Sequence[Segment]) -> None:
        """Delete those of the drained segments, the oldest first, that are old or whose room new events need.

        The store keeps their cursors: a copy of a segment may lie on another node, or come back from a backup.
        """
        try:
            for segment in self._due(drained):
                segment.remove()
        except OSError as error:
            if not self._told:
                log.warning("%s: drained segments cannot be deleted: %s", self._folder, error)
            self._told = True

    def _due(self, drained: Sequence[Segment]) -> Iterator[Segment]:
        if not drained:
            return
        oldest = time.time() - self._config.keep_minutes * 60
        excess = self._excess()
        for segment in drained:
            if excess > 0 or segment.written_at < oldest:
                excess -= segment.size
                yield segment

    def _excess(self) -> int:
        """Return how many bytes there are too many, looking at most once a second."""
        now = time.monotonic()
        if now < self._check_at:
            return 0
        self._check_at = now + CHECK_SECONDS
        used = used_bytes(self._folder)
        most = most_bytes(self._folder, self._config.max_bytes, used)
        return used - (most - most // _SPARE_SHARE)


def keep_dead(folder: Path, name: str, body: bytes) -> Path:
    """Keep a record in a file of its own, synced; raises StoreUnavailable where that cannot be done now."""
    path = folder / DEAD / f"{name}.record"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
        _sync_folder(folder)
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    return path


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
