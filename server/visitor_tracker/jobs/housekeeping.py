"""Delete what is no longer needed: old ledger rows and ids of visits."""

import logging
import threading
import time

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0
_ROWS = 2_000  # per transaction: visits wait for no more than that
_DAY_MS = 86_400_000


def keep_house(store: Store, keep_days: int, stop: threading.Event, every_seconds: float = _EVERY_SECONDS) -> None:
    """Clean up now and then until `stop`; a store that is away is tried again the next time."""
    while True:
        try:
            removed = purge_all(store, keep_days, stop)
            if removed:
                log.info("removed %d ledger rows and visit ids older than %d days", removed, keep_days)
        except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
            log.warning("housekeeping waits for the store: %s", error)
        if stop.wait(every_seconds):
            return


def purge_all(store: Store, keep_days: int, stop: threading.Event) -> int:
    """Delete everything older than `keep_days`, in small transactions; return the number of rows."""
    before = time.time_ns() // 1_000_000 - keep_days * _DAY_MS
    removed = 0
    while not stop.is_set():
        batch = store.purge(before, _ROWS)
        removed += batch
        if batch < _ROWS:
            break
    return removed
