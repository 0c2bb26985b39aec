"""The work nobody waits for, each kind in a thread of its own.

keeper    visitor keys, sites, snapshot file       every second
drainer   journal ──▶ inbox                        as soon as there is something
house     old ledger rows, ids                     every ten minutes
"""

import logging
import threading
from collections.abc import Callable

from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.jobs.housekeeping import keep_house
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

_KEEPER_SECONDS = 1.0
_JOIN_SECONDS = 8.0  # the drainer takes five to empty the journal


class Background:
    """Threads from `start` to `stop`; `keep` is one step of the keeper."""

    def __init__(self, store: Store, drainer: Drainer, keep: Callable[[], object], ids_days: int) -> None:
        self._stop = threading.Event()
        self._stop_drainer = threading.Event()
        self._keep = keep
        self._threads = [
            threading.Thread(target=self._keep_on, name="keeper", daemon=True),
            threading.Thread(target=keep_house, args=(store, ids_days, self._stop), name="house", daemon=True),
        ]
        self._drainer = threading.Thread(target=drainer.run, args=(self._stop_drainer,), name="drainer", daemon=True)

    def start(self) -> None:
        for thread in (*self._threads, self._drainer):
            thread.start()

    def stop(self) -> None:
        """End all of it; what is journaled by now is drained first, if the store is there."""
        self._stop.set()
        self._stop_drainer.set()
        for thread in (self._drainer, *self._threads):
            thread.join(_JOIN_SECONDS)

    def _keep_on(self) -> None:
        told = False
        while not self._stop.is_set():
            try:
                self._keep()
                told = False
            except TrackerError as error:
                if not told:
                    log.warning("the keys of visitors and the sites are not renewed: %s", error)
                told = True
            except Exception:
                log.exception("the keeper failed")
            self._stop.wait(_KEEPER_SECONDS)
