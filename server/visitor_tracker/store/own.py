"""The database of a single site: opened when it is first needed, and never a reason to wait for who asks of others.

A file that was there once and is gone now (moved, or on a disk that is not mounted) is not made anew: its site is away
until it is back. Where several threads of a process answer requests, only some may ask such a database at once. Others
wait for their turn while it has answers for these, and while it is known to be away nobody waits.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.store.base import Finding
from visitor_tracker.store.session import Database, Session, T
from visitor_tracker.store.statements import Dialect

log = logging.getLogger(__name__)

WAITERS_MOST = 4  # threads of a process that answer requests
_LONG_SECONDS = 3.0  # that one of them waits for an answer: until then others wait for their turn, then nobody does
_PROBE_SECONDS = (0.1, 2.0)  # first and longest pause between two probes while it is away

Identity = tuple[int, int]


class _Gate:
    """Open while a database answers; once it has not, shut until a thread finds that it does."""

    def __init__(self, site: str, probe: Callable[[], None]) -> None:
        self._site = site
        self._probe = probe
        self._lock = threading.Lock()
        self._closed = threading.Event()  # the program ends
        self.is_shut = False

    def shut(self) -> None:
        with self._lock:
            if self.is_shut or self._closed.is_set():
                return
            self.is_shut = True
        try:
            threading.Thread(target=self._run, name=f"prober {self._site}", daemon=True).start()
        except RuntimeError:  # no thread to be had: who asks finds out
            self.is_shut = False

    def close(self) -> None:
        """End the prober."""
        self._closed.set()

    def _run(self) -> None:
        pause, longest = _PROBE_SECONDS
        while not self._closed.wait(pause):
            pause = min(2 * pause, longest)
            try:
                self._probe()
            except Exception as error:  # noqa: BLE001 - without a prober the site would stay away for ever
                log.debug("the database of the site %s is still away: %s", self._site, error)
                continue
            break
        self.is_shut = False


class Own:
    """Fulfils `Database`; any thread."""

    def __init__(  # noqa: PLR0913 - the rest by keyword
        self,
        site: str,
        open_it: Callable[[], Database],
        *,
        dialect: Dialect,
        file: Path | None,
        marker: Path,
        is_bounded: bool,
    ) -> None:
        """`site` is its name, for messages; `file` is None on a server; a `marker` says that the file was made."""
        self.dialect = dialect
        self._site = site
        self._open_it = open_it
        self._file = file
        self._marker = marker
        self._lock = threading.Lock()  # of the next two
        self._database: Database | None = None
        self._identity: Identity | None = None
        self._is_bounded = is_bounded
        self._turn = threading.Condition()  # of the next
        self._asking: dict[object, float] = {}  # since when (monotonic), the longest first
        # One that another program has locked can be read.
        self._reads = _Gate(site, lambda: self._opened().ping())
        self._writes = _Gate(site, lambda: self._opened().probe())

    def read(self, work: Callable[[Session], T]) -> T:
        return self._ask(lambda database: database.read(work), self._reads)

    def write(self, work: Callable[[Session], T]) -> T:
        return self._ask(lambda database: database.write(work), self._writes)

    def write_at_once(self, work: Callable[[Session], T]) -> T | None:
        return self._ask(lambda database: database.write_at_once(work), self._writes)

    def alone(self) -> AbstractContextManager[Session]:
        return self._opened().alone()

    def writing(self) -> AbstractContextManager[None]:
        return self._opened().writing()

    def is_wanted(self) -> bool:
        return self._opened().is_wanted()

    def ping(self) -> None:
        self._ask(lambda database: database.ping(), self._reads)

    def probe(self) -> None:
        self._ask(lambda database: database.probe(), self._writes)

    def describe(self) -> str:
        return self._opened().describe()

    def check(self) -> list[Finding]:
        return self._opened().check()

    def close(self) -> None:
        for gate in (self._reads, self._writes):
            gate.close()
        with self._lock:
            database, self._database = self._database, None
        if database is not None:
            database.close()

    def _ask(self, ask: Callable[[Database], T], gate: _Gate) -> T:
        if not self._is_bounded:
            return ask(self._opened())
        with self._place(gate):
            try:
                return ask(self._opened())
            except (StoreUnavailable, OutcomeUnknown):
                gate.shut()
                raise

    @contextmanager
    def _place(self, gate: _Gate) -> Iterator[None]:
        """Be one of those who ask; raises StoreUnavailable where one of them has waited for long, or it is away."""
        mine = object()
        with self._turn:
            while True:
                left = _LONG_SECONDS
                if len(self._asking) >= WAITERS_MOST:
                    left += next(iter(self._asking.values())) - time.monotonic()
                if self._reads.is_shut or gate.is_shut or left <= 0.0:
                    raise StoreUnavailable(f"the database of the site {self._site} does not answer")
                if len(self._asking) < WAITERS_MOST:
                    break
                self._turn.wait(left)
            self._asking[mine] = time.monotonic()
        try:
            yield
        finally:
            with self._turn:
                del self._asking[mine]
                self._turn.notify_all()

    def _opened(self) -> Database:
        """Return the database; raises StoreUnavailable where it cannot be opened, or its file is gone."""
        with self._lock:
            found = self._look()
            old = self._database
            if old is not None and found == self._identity:
                return old
            self._database = None
            if old is not None:
                old.close()
            if self._file is not None and found is None and self._marker.exists():
                raise StoreUnavailable(f"{self._file} is gone: put it back, it has what was counted of {self._site}")
            try:
                self._database = self._open_it()
            except StoreError as error:
                raise StoreUnavailable(f"the database of the site {self._site}: {error}") from error
            self._identity = self._look()
            return self._database

    def _look(self) -> Identity | None:
        """Return which file is there now, None for no file."""
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_dev, found.st_ino
