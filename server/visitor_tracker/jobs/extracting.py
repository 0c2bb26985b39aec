"""Keep extracts of past days, from which questions under filters are answered."""

import logging
import time
from collections.abc import Callable

from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.errors import TrackerError
from visitor_tracker.reports.extracts.keeping import renew
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

EVERY_SECONDS = 300.0
_REST_MOST_SECONDS = 5.0  # after a step that took as long: the fold is in the same process


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Extracting:
    """For sites of which visitors live for a day: of others extracts cannot tell who came again. One thread."""

    def __init__(self, store: SqlStore, snapshot: SnapshotReader, clock: Callable[[], int] = now_ms) -> None:
        """`clock` is epoch ms."""
        self._table = ReportTable(store.database)
        self._snapshot = snapshot
        self._clock = clock

    def run(self, rest: Callable[[float], bool]) -> None:
        """Work until `rest`, which waits for so many seconds, says that it is over."""
        while not rest(0):
            try:
                self.step(rest)
            except TrackerError as error:
                log.warning("extracts of past days wait for the store: %s", error)
            except Exception:
                log.exception("extracts of past days cannot be made, and are tried again")
            if rest(EVERY_SECONDS):
                return

    def step(self, rest: Callable[[float], bool]) -> None:
        """Bring every site up to date once."""
        since = time.monotonic()

        def is_over() -> bool:
            nonlocal since
            over = rest(min(time.monotonic() - since, _REST_MOST_SECONDS))
            since = time.monotonic()
            return over

        self._snapshot.refresh()
        now = self._snapshot.now
        for site in now.sites:
            if now.policy_of(site.id).visitor != "daily":
                continue
            if renewed := renew(self._table, site, self._clock(), is_over):
                log.info("made extracts of %d past days of %s", renewed, site.name)
