"""Delete what is no longer needed: old ledger rows and ids of visits."""

import logging
import threading
import time

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.ingest.parcel import LEDGER_DAYS
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0
_ROWS = 2_000  # per transaction: visits wait for no more than that
_DAY_MS = 86_400_000
_LINK_DAYS = 2  # of a visitor around midnight to the one of the day before, where no visit went on
_CURSOR_DAYS = 366  # of journals that are no more; a copy that turned up later would be drained again


def keep_house(store: Store, ids_days: int, stop: threading.Event, every_seconds: float = _EVERY_SECONDS) -> None:
    """Clean up now and then until `stop`; a store that is away is tried again the next time."""
    while True:
        try:
            removed = purge_all(store, ids_days, stop)
            if removed:
                log.info("removed %d ledger rows and visit ids that are no longer needed", removed)
        except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
            log.warning("housekeeping waits for the store: %s", error)
        except Exception:
            log.exception("housekeeping failed and is tried again")
        if stop.wait(every_seconds):
            return


def purge_all(store: Store, ids_days: int, stop: threading.Event) -> int:
    """Delete ledger rows of last week, ids older than `ids_days`, old cursors, in small steps; return how many."""
    now = time.time_ns() // 1_000_000
    removed = 0
    while not stop.is_set():
        batch = store.purge(
            ledger_before=now - LEDGER_DAYS * _DAY_MS,
            ids_before=now - ids_days * _DAY_MS,
            cursors_before=now - _CURSOR_DAYS * _DAY_MS,
            links_before=now - _LINK_DAYS * _DAY_MS,
            most=_ROWS,
        )
        removed += batch
        if batch < _ROWS:
            break
    return removed
