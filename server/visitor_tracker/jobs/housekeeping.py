"""Delete what is no longer needed, and what was kept long enough; go on with what was being erased.

every few seconds    erasures that are not done: of a process that was killed, or whose time was too short
every ten minutes    ledger rows, ids of visits, cursors, links, tabs, old heat, marks of erasures, nonces of signatures
every hour           what retention says: events, visits, recordings, records of addresses, profiles, audit log; log-ins
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from visitor_tracker.access.leftovers import purge_logins
from visitor_tracker.access.signatures import WINDOW_SECONDS
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.ingest.parcel import LEDGER_DAYS
from visitor_tracker.ingest.tabs import ADDED_UP_MS
from visitor_tracker.jobs.retention import Retainer
from visitor_tracker.store import erasing
from visitor_tracker.store.heat import HeatTable
from visitor_tracker.store.quality import QualityTable
from visitor_tracker.store.signing import NonceTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0
_RETENTION_SECONDS = 3600.0
_ERASING_SECONDS = 5.0
_ROWS = 2_000  # per transaction: visits wait for no more than that
_REST_MOST_SECONDS = 0.1  # after a step that took as long
_DAY_MS = 86_400_000
_LINK_DAYS = 2  # of a visitor around midnight to the one of the day before, where no visit went on
HEAT_YEARS = 1  # what was on a page longer ago is elsewhere by now
_CURSOR_DAYS = 366  # of journals that are no more; a copy that turned up later would be drained again
MARK_DAYS = 366  # of the erased, whose events such a copy might bring back

Task = Callable[[], None]


def keep_house(
    store: SqlStore,
    ids_days: int,
    stop: threading.Event,
    every_seconds: float = _EVERY_SECONDS,
    config: Config | None = None,
) -> None:
    """Clean up now and then until `stop`; a store that is away is tried again the next time."""
    pace = _Pace(stop)
    tasks: tuple[tuple[float, Task], ...] = (
        (min(_ERASING_SECONDS, every_seconds), partial(_go_on_erasing, store, pace)),
        (every_seconds, partial(_clean_up, store, ids_days, stop)),
        (max(_RETENTION_SECONDS, every_seconds), partial(_retain, store, config or Config(), pace)),
    )
    due = [0.0 for _ in tasks]
    while True:
        for place, (seconds, task) in enumerate(tasks):
            if time.monotonic() >= due[place] and not stop.is_set():
                _try(task)
                due[place] = time.monotonic() + seconds
        if stop.wait(max(0.0, min(due) - time.monotonic())):
            return


def _try(task: Task) -> None:
    try:
        task()
    except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
        log.warning("housekeeping waits for the store: %s", error)
    except Exception:
        log.exception("housekeeping failed and is tried again")


class _Pace:
    """Lets the fold and the visits go first: between two steps is a rest as long as the step before it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._since = time.monotonic()

    def is_over(self) -> bool:
        self._stop.wait(min(time.monotonic() - self._since, _REST_MOST_SECONDS))
        self._since = time.monotonic()
        return self._stop.is_set()


def _go_on_erasing(store: SqlStore, pace: _Pace) -> None:
    Eraser(store).go_on(pace.is_over)


def _clean_up(store: SqlStore, ids_days: int, stop: threading.Event) -> None:
    removed = purge_all(store, ids_days, stop)
    if removed:
        log.info("removed %d ledger rows and visit ids that are no longer needed", removed)
    removed = purge_heat(store, stop)
    if removed:
        log.info("removed old heatmaps of %d pages", removed)
    add_up_tabs(store, stop)
    purge_nonces(store, stop)


def _retain(store: SqlStore, config: Config, pace: _Pace) -> None:
    if removed := purge_logins(store, config.auth.login_days, pace.is_over):
        log.info("removed %d log-ins that were idle for too long", removed)
    for gone in Retainer(store, config).run(pace.is_over):
        log.info("removed %d %s of %s, kept for %d days", gone.rows, gone.kind, gone.site or "all sites", gone.days)


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
    forget = partial(erasing.purge_marks, before=now - MARK_DAYS * _DAY_MS, most=_ROWS)
    return removed + (0 if stop.is_set() else store.database.write(forget))


def purge_heat(store: SqlStore, stop: threading.Event) -> int:
    """Delete heat of more than a year ago, in small steps; return of how many pages."""
    heat = HeatTable(store.database)
    today = datetime.now(UTC)
    first = datetime(today.year - HEAT_YEARS, today.month, 1, tzinfo=UTC)
    removed = 0
    while not stop.is_set() and (step := heat.purge(int(first.timestamp()) * 1000, first.year * 100 + first.month)):
        removed += step
    return removed


def purge_nonces(store: SqlStore, stop: threading.Event) -> int:
    """Delete nonces of signatures that are too old to be taken, whatever a node's clock says; return how many."""
    before = time.time_ns() // 1_000_000 - 2 * WINDOW_SECONDS * 1000
    nonces = NonceTable(store.database)
    removed = 0
    while not stop.is_set() and (step := nonces.purge(before)):
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
