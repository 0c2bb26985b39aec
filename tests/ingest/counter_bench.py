"""A counter over a real store that fails as a network would make it, and those who wait for it."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.event import Counted, InboxRow, Visit
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest import counter as module
from visitor_tracker.ingest.counter import Counter, Outcome
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.metrics import Metrics
from visitor_tracker.store.base import Store
from visitor_tracker.store.sql import SqlStore

PAGE = "https://example.com/"
WAIT_SECONDS = 20.0


def visit(url: str = PAGE, visit_id: bytes | None = None) -> Visit:
    return Visit(page_hash(url), url, visit_id)


class Failing:
    """A real store whose next calls fail before or after their work is done, as a network would make them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.away = False
        self.calls = self.calls_at_once = 0
        self.at_once: str | None = None  # "slow" or "quick" where the store need not wait for others
        self.hold: threading.Event | None = None
        self.hangs: threading.Event | None = None  # until it is set, calls wait after their work

    def count(
        self,
        batch_id: bytes,
        visits: Sequence[Visit],
        at: int,
        *,
        retry: bool = False,
        events: Sequence[InboxRow] = (),
    ) -> list[Counted]:
        self.calls += 1
        return self._count(batch_id, visits, at, retry)

    def count_at_once(
        self, batch_id: bytes, visits: Sequence[Visit], at: int, *, events: Sequence[InboxRow] = ()
    ) -> list[Counted] | None:
        if self.at_once is None:
            return None
        if self.at_once == "slow":
            time.sleep(2 * module._SLOW_SECONDS / module._SMOOTHING)
        self.calls_at_once += 1
        return self._count(batch_id, visits, at, False)

    def _count(self, batch_id: bytes, visits: Sequence[Visit], at: int, retry: bool) -> list[Counted]:
        if self.hold is not None:
            assert self.hold.wait(WAIT_SECONDS)
        if self.away:
            raise StoreUnavailable("away")
        if self.before:
            raise self.before.pop(0)
        results = self._store.count(batch_id, visits, at, retry=retry)
        if self.hangs is not None:
            assert self.hangs.wait(WAIT_SECONDS)
        if self.after:
            raise self.after.pop(0)
        return results

    def probe(self) -> None:
        if self.away or self.hold is not None or self.hangs is not None:
            raise StoreUnavailable("away")


class Outcomes:
    """Collects what `done` is called with."""

    def __init__(self) -> None:
        self.got: list[Outcome] = []
        self._changed = threading.Condition()

    def __call__(self, outcome: Outcome) -> None:
        with self._changed:
            self.got.append(outcome)
            self._changed.notify_all()

    def wait(self, number: int) -> list[Outcome]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= number, WAIT_SECONDS), self.got
        return self.got


class Bench:
    def __init__(self, store: SqlStore, folder: Path) -> None:
        self.store = store
        self.failing = Failing(store)
        self.metrics = Metrics()
        self.folder = folder
        counters = self.metrics.counters()
        self.journal = Journal(folder, counters, config=JournalConfig(), durability="full", most_waiting=10_000)
        self.counter = Counter(self.failing, self.journal, counters, most_waiting=1_000)  # type: ignore[arg-type]
        self.outcomes = Outcomes()

    def drain(self) -> None:
        """Do what the jobs process does with what is journaled."""
        drainer = Drainer(self.folder, self.store, self.metrics.counters())
        while drainer.step():
            pass

    def close(self) -> None:
        self.counter.close()
        self.journal.close()

    def send(self, *visits: Visit) -> int:
        """Return how many were taken."""
        taken = sum(self.counter.add(one, self.outcomes) for one in visits)
        self.counter.flush()
        return taken

    def stored(self, url: str = PAGE) -> int:
        page = self.store.page(page_hash(url))
        return 0 if page is None else page.visit_count


def until(condition: Callable[[], bool]) -> None:
    """Wait for a state that no event announces."""
    pause = threading.Event()
    for _ in range(int(WAIT_SECONDS / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never happened")


def numbers(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.visit_count for outcome in outcomes if isinstance(outcome, Counted)]
