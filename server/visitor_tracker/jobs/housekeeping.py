"""Delete what is no longer needed: old ledger rows and ids of visits, recordings that were kept long enough, tabs."""

import logging
import threading
import time
from datetime import UTC, datetime

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.ingest.parcel import LEDGER_DAYS
from visitor_tracker.ingest.tabs import ADDED_UP_MS
from visitor_tracker.store.heat import HeatTable
from visitor_tracker.store.quality import QualityTable
from visitor_tracker.store.replay import ReplayTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0
_ROWS = 2_000  # per transaction: visits wait for no more than that
_DAY_MS = 86_400_000
_LINK_DAYS = 2  # of a visitor around midnight to the one of the day before, where no visit went on
REPLAY_DAYS = 30  # unless the settings say otherwise
HEAT_YEARS = 1  # what was on a page longer ago is elsewhere by now
_CURSOR_DAYS = 366  # of journals that are no more; a copy that turned up later would be drained again


def keep_house(
    store: SqlStore,
    ids_days: int,
    stop: threading.Event,
    every_seconds: float = _EVERY_SECONDS,
    replay_days: int = REPLAY_DAYS,
) -> None:
    """Clean up now and then until `stop`; a store that is away is tried again the next time."""
    while True:
        try:
            removed = purge_all(store, ids_days, stop)
            if removed:
                log.info("removed %d ledger rows and visit ids that are no longer needed", removed)
            removed = purge_recordings(store, replay_days, stop)
            if removed:
                log.info("removed %d recordings, page snapshots and old heatmaps", removed)
            add_up_tabs(store, stop)
        except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
            log.warning("housekeeping waits for the store: %s", error)
        except Exception:
            log.exception("housekeeping failed and is tried again")
        if stop.wait(every_seconds):
            return


def purge_all(store: SqlStore, ids_days: int, stop: threading.Event) -> int:
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


def purge_recordings(store: SqlStore, days: int, stop: threading.Event) -> int:
    """Delete recordings and page snapshots older than `days`, and old heat, in small steps; return how many."""
    now = time.time_ns() // 1_000_000
    replays, heat = ReplayTable(store.database), HeatTable(store.database)
    today = datetime.fromtimestamp(now / 1000, UTC)
    first = datetime(today.year - HEAT_YEARS, today.month, 1, tzinfo=UTC)
    removed = 0
    while not stop.is_set() and (step := replays.purge(now - days * _DAY_MS)):
        removed += step
    while not stop.is_set() and (step := heat.purge(int(first.timestamp()) * 1000, first.year * 100 + first.month)):
        removed += step
    return removed


def add_up_tabs(store: SqlStore, stop: threading.Event) -> int:
    """Make numbers by the hour of tabs of which nothing more can come, in small steps; return of how many."""
    before = time.time_ns() // 1_000_000 - ADDED_UP_MS
    quality = QualityTable(store.database)
    added = 0
    for site_id in quality.old_sites(before):
        while not stop.is_set() and (step := quality.add_up(site_id, before)):
            added += step
    return added
