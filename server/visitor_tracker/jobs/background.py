"""The work nobody waits for, each kind in a thread of its own. The store's tables are brought up to date first.

keeper    visitor keys, sites, snapshot file       every second
drainer   journal ──▶ inbox                        as soon as there is something, and the workers have time to spare
folder    inbox ──▶ events, sessions, rollups      the same
extracts  visits of past days ──▶ day_extracts   every five minutes, as slowly as it takes
judge     events of past days ──▶ verdicts       every minute, where something is to be judged
alerts    rules ──▶ messages                       every minute
reports   schedules ──▶ mails                        every half minute, where the settings name a mail server
house     what is old or being erased                now and then
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from visitor_tracker.config import Config
from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.jobs.courtesy import Breaks
from visitor_tracker.jobs.extracting import Extracting
from visitor_tracker.jobs.housekeeping import keep_house
from visitor_tracker.jobs.judging import Judging
from visitor_tracker.jobs.others import Work
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_NONE: Mapping[str, Work] = {}
_KEEPER_SECONDS = 1.0
_MIGRATE_SECONDS = 0.5
_JOIN_SECONDS = 6.0  # the drainer takes five to empty the journal, the folder as long to empty the inbox


class Background:
    """Threads from `start` to `stop`; `keep` is one step of the keeper.

    `migrate` brings the tables up to date, for the store may have been away when the server started; it returns the
    names of what it applied. `are_short` says whether the workers have no time to spare.
    """

    def __init__(  # noqa: PLR0913 - the rest by keyword
        self,
        store: SqlStore,
        drainer: Drainer,
        folder: Folder,
        *,
        migrate: Callable[[], Sequence[str]],
        keep: Callable[[], object],
        ids_days: int,
        config: Config | None = None,
        extracting: Extracting | None = None,
        judging: Judging | None = None,
        others: Mapping[str, Work] = _NONE,
        are_short: Callable[[], bool] = bool,
    ) -> None:
        self._are_short = are_short
        self._migrate = migrate
        self._keep = keep
        self._extracting = extracting
        self._judging = judging
        self._drainer = drainer
        self._folder = folder
        self._stop = threading.Event()
        self._migrated = threading.Event()  # or stopped
        self._drained = threading.Event()  # nothing more comes into the inbox
        self._threads = [
            threading.Thread(target=self._drain, name="drainer", daemon=True),
            threading.Thread(target=self._fold, name="folder", daemon=True),
            threading.Thread(target=self._keep_on, name="keeper", daemon=True),
            threading.Thread(target=self._keep_house, args=(store, ids_days, config), name="house", daemon=True),
            threading.Thread(target=self._extract, name="extracts", daemon=True),
            threading.Thread(target=self._judge, name="judge", daemon=True),
            *(threading.Thread(target=self._do, args=(work,), name=name, daemon=True) for name, work in others.items()),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all of it; what is journaled by now is drained and folded first, if the store is there."""
        self._stop.set()
        until = time.monotonic() + _JOIN_SECONDS  # for all of them: a store that hangs may hold each
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _drain(self) -> None:
        try:
            self._bring_up_to_date()
        finally:
            self._migrated.set()
        try:
            # With old tables it would set aside what only they refuse.
            if not self._stop.is_set():
                self._drainer.run(Breaks(self._stop, self._are_short))
        finally:
            self._drained.set()

    def _fold(self) -> None:
        self._migrated.wait()
        if not self._stop.is_set():
            self._folder.run(Breaks(self._stop, self._are_short), self._drained)

    def _bring_up_to_date(self) -> None:
        problem = ""
        while not self._stop.is_set():
            try:
                for name in self._migrate():
                    log.info("applied %s", name)
            except Exception as error:
                if type(error).__name__ != problem:
                    log.warning("the journal is drained when the store has its tables: %s", error)
                    log.debug("", exc_info=True)
                problem = type(error).__name__
                self._stop.wait(_MIGRATE_SECONDS)
            else:
                return

    def _keep_house(self, store: SqlStore, ids_days: int, config: Config | None) -> None:
        self._migrated.wait()
        if not self._stop.is_set():
            keep_house(store, ids_days, self._stop, config=config)

    def _extract(self) -> None:
        self._migrated.wait()
        if self._extracting is not None and not self._stop.is_set():
            self._extracting.run(self._stop.wait)

    def _judge(self) -> None:
        self._migrated.wait()
        if self._judging is not None and not self._stop.is_set():
            self._judging.run(self._stop.wait)

    def _do(self, work: Work) -> None:
        self._migrated.wait()
        if not self._stop.is_set():
            work(self._stop.wait)

    def _keep_on(self) -> None:
        told = ""
        while not self._stop.is_set():
            problem = ""
            try:
                self._keep()
            except TrackerError as error:
                problem = type(error).__name__
                if problem != told:
                    log.warning("the keys of visitors and the sites are not renewed: %s", error)
            except Exception as error:
                problem = repr(error)
                if problem != told:  # the same one again and again is told once
                    log.exception("the keeper failed and is tried again")
            told = problem
            self._stop.wait(_KEEPER_SECONDS)
