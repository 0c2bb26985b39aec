"""What those who wait are told when the store fails in each way it can."""

import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import Counted, InboxRow, Visit
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest import counter as module
from visitor_tracker.ingest.counter import Counter, Outcome, Unnumbered
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.store.base import Store
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
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
        if self.after:
            raise self.after.pop(0)
        return results

    def ping(self) -> None:
        if self.away:
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


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    url = f"sqlite:///{tmp_path / 'v.db'}"
    store = open_store(url)
    migrate(store)
    made = Bench(store, tmp_path / "journal")
    yield made
    made.close()
    store.close()


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


def test_everybody_gets_a_number_of_their_own(bench: Bench) -> None:
    pages = [f"https://example.com/{number % 7}" for number in range(700)]
    assert bench.send(*map(visit, pages)) == 700
    got = bench.outcomes.wait(700)
    expected = Tally(pages)
    assert sorted(numbers(got)) == sorted(n for page in expected for n in range(1, expected[page] + 1))
    assert bench.metrics.total(Cell.ACCEPTED) == 700


def test_those_who_wait_together_share_a_transaction(bench: Bench) -> None:
    bench.failing.hold = threading.Event()
    bench.send(visit())
    until(lambda: bench.failing.calls == 1)
    bench.send(*[visit()] * 300)
    bench.failing.hold.set()
    assert sorted(numbers(bench.outcomes.wait(301))) == list(range(1, 302))
    assert bench.failing.calls == 2


def test_a_stale_connection_is_not_noticed(bench: Bench) -> None:
    bench.failing.before = [StoreUnavailable("gone"), StoreUnavailable("gone")]
    bench.send(visit())
    assert numbers(bench.outcomes.wait(1)) == [1]
    assert bench.counter.available


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_unknown_outcome_is_settled_by_the_drainer(bench: Bench, moment: str) -> None:
    setattr(bench.failing, moment, [OutcomeUnknown("lost in commit")])  # after: stored, but the answer was lost
    bench.send(visit(), visit())
    assert bench.outcomes.wait(2) == [Unnumbered.PENDING] * 2
    for _ in range(2):
        bench.drain()
        assert bench.stored() == 2
    assert bench.metrics.total(Cell.PENDING) == bench.metrics.total(Cell.ACCEPTED) == 2


def test_nobody_is_refused_whose_visit_may_be_stored(bench: Bench) -> None:
    bench.journal.close()
    bench.failing.after = [OutcomeUnknown("lost in commit")]
    bench.send(visit())
    assert bench.outcomes.wait(1) == [Unnumbered.UNKNOWN]
    assert bench.metrics.total(Cell.ACCEPTED) == 0


def test_who_can_be_stored_nowhere_is_refused(bench: Bench) -> None:
    bench.journal.close()
    bench.failing.away = True
    bench.send(visit())
    assert bench.outcomes.wait(1) == [Unnumbered.REFUSED]
    assert bench.metrics.total(Cell.DROPPED_UNAVAILABLE) == 1


def test_visits_go_to_the_journal_while_the_store_is_away(bench: Bench) -> None:
    bench.failing.away = True
    bench.send(visit())
    assert bench.outcomes.wait(1) == [Unnumbered.PENDING]
    assert not bench.counter.available
    calls = bench.failing.calls
    assert bench.send(*[visit()] * 700) == 700  # the store is not asked again for these
    assert bench.outcomes.wait(701) == [Unnumbered.PENDING] * 701
    assert (bench.failing.calls, bench.stored()) == (calls, 0)
    bench.failing.away = False
    until(lambda: bench.counter.available)
    bench.drain()
    bench.send(visit())
    assert numbers(bench.outcomes.wait(702)) == [702]
    assert bench.metrics.total(Cell.BREAKER_OPEN) == 0


def test_waiting_is_bounded(bench: Bench) -> None:
    bench.failing.hold = threading.Event()
    bench.send(visit())
    until(lambda: bench.failing.calls == 1)
    assert bench.send(*[visit()] * 1_500) == 1_000
    bench.failing.hold.set()
    assert len(numbers(bench.outcomes.wait(1_001))) == 1_001


def test_a_broken_batch_does_not_end_the_committer(bench: Bench) -> None:
    bench.failing.before = [RuntimeError("a bug")]
    bench.send(visit())
    assert bench.outcomes.wait(1) == [Unnumbered.UNKNOWN]
    bench.send(visit())
    assert numbers(bench.outcomes.wait(2)) == [1]


def test_an_id_counts_once(bench: Bench) -> None:
    one = b"0123456789abcdef"
    bench.send(visit(visit_id=one), visit(visit_id=one), visit())
    bench.send(visit(visit_id=one))
    bench.outcomes.wait(4)
    assert bench.stored() == 2
    assert bench.metrics.total(Cell.DROPPED_DUPLICATE) == 2


def test_a_quick_store_needs_no_thread(bench: Bench) -> None:
    bench.failing.at_once = "quick"
    bench.send(*[visit()] * 700)
    assert numbers(bench.outcomes.wait(700)) == list(range(1, 701))
    assert bench.failing.calls_at_once == 1
    assert bench.metrics.total(Cell.ACCEPTED) == 700


def test_a_slow_sync_sends_the_next_batches_to_a_committer(bench: Bench) -> None:
    bench.failing.at_once = "slow"
    for number in range(1, 4):
        bench.send(visit())
        bench.outcomes.wait(number)
    assert (bench.failing.calls_at_once, bench.failing.calls) == (1, 2)


def test_what_the_loop_could_not_begin_a_committer_tries(bench: Bench) -> None:
    bench.failing.at_once = "quick"
    bench.failing.before = [StoreUnavailable("gone")]
    bench.send(visit(), visit())
    assert sorted(numbers(bench.outcomes.wait(2))) == [1, 2]
    assert bench.stored() == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_unknown_outcome_on_the_loop_is_journaled(bench: Bench, moment: str) -> None:
    bench.failing.at_once = "quick"
    setattr(bench.failing, moment, [OutcomeUnknown("in commit")])
    bench.send(visit(), visit())
    assert bench.outcomes.wait(2) == [Unnumbered.PENDING] * 2
    bench.drain()
    assert bench.stored() == 2


def test_closing_stores_what_waits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'v.db'}"
    store = open_store(url)
    migrate(store)
    bench = Bench(store, tmp_path / "journal")
    bench.send(*[visit()] * 600)
    bench.close()
    assert bench.stored() == 600
    assert bench.send(visit()) == 0
    bench.store.close()


def test_a_bug_on_the_loop_leaves_nobody_waiting(bench: Bench) -> None:
    bench.failing.at_once = "quick"
    bench.failing.before = [RuntimeError("a bug")]
    bench.send(visit())
    assert bench.outcomes.wait(1) == [Unnumbered.UNKNOWN]
    bench.send(visit())
    assert numbers(bench.outcomes.wait(2)) == [1]


def test_an_answer_that_cannot_be_made_harms_nobody_else(bench: Bench) -> None:
    def broken(outcome: Outcome) -> None:
        bench.outcomes(outcome)
        if isinstance(outcome, Counted):
            raise OverflowError("no such year")

    assert bench.counter.add(visit(), broken)
    bench.send(visit())
    got = bench.outcomes.wait(3)
    assert numbers(got) == [1, 2]
    assert Unnumbered.UNKNOWN in got
    assert bench.metrics.total(Cell.ACCEPTED) == 2


def test_a_store_that_answers_but_takes_nothing_is_asked_less_and_less(bench: Bench) -> None:
    """Ping works and every write fails, as on a full disk."""
    opened = 0
    started = time.monotonic()
    while opened < 4:
        bench.failing.before = [StoreUnavailable("full")] * 20
        if bench.send(visit()):
            bench.outcomes.wait(opened + 1)
            opened += 1
        until(lambda: bench.counter.available)
    assert time.monotonic() - started > 0.1 + 0.2 + 0.4 + 0.8
