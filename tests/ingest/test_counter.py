"""What those who wait are told when the store fails in each way it can."""

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.counter_bench import Bench, numbers, until, visit
from tests.ingest.draining import event
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import Counted, decode_batch
from visitor_tracker.ingest import counter as module
from visitor_tracker.ingest.counter import Outcome, Unnumbered
from visitor_tracker.ingest.parcel import is_forgotten
from visitor_tracker.ingest.segments import scan
from visitor_tracker.metrics import Cell
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    url = f"sqlite:///{tmp_path / 'v.db'}"
    store = open_store(url)
    migrate(store)
    made = Bench(store, tmp_path / "journal")
    yield made
    made.close()
    store.close()


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


def wait_for(bench: Bench, number: int) -> list[Outcome]:
    """Let the loop turn until so many have their answers."""

    def is_there() -> bool:
        bench.counter.flush()
        return len(bench.outcomes.got) >= number

    until(is_there)
    return bench.outcomes.got


@pytest.mark.parametrize("moment", ["hold", "hangs"])
def test_nobody_waits_for_a_store_that_hangs(bench: Bench, moment: str) -> None:
    """It hangs before it has done its work, or after that; either way the drainer counts what it has not."""
    setattr(bench.failing, moment, threading.Event())
    bench.send(visit())
    until(lambda: bench.failing.calls == 1)
    bench.send(*[visit()] * 700)
    assert wait_for(bench, 701) == [Unnumbered.PENDING] * 701
    assert not bench.counter.available
    bench.send(visit())
    assert bench.outcomes.wait(702)[-1] is Unnumbered.PENDING, "later visits do not wait at all"
    bench.drain()
    assert bench.stored() == 702
    getattr(bench.failing, moment).set()
    setattr(bench.failing, moment, None)
    until(lambda: bench.counter.available)
    bench.send(visit())
    assert numbers(bench.outcomes.wait(703)) == [703]
    assert bench.metrics.total(Cell.ACCEPTED) == 703
    assert bench.metrics.total(Cell.PENDING) == 702


def test_a_store_that_answers_after_all_gives_the_number(bench: Bench) -> None:
    """Where the journal takes nothing, those who wait for a slow store go on waiting."""
    bench.journal.close()
    bench.failing.hold = threading.Event()
    bench.send(visit())
    until(lambda: bench.failing.calls == 1)
    while bench.counter.available:
        bench.counter.flush()
    assert bench.outcomes.got == []
    bench.failing.hold.set()
    assert numbers(bench.outcomes.wait(1)) == [1]


def test_closing_does_not_wait_for_a_store_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.1)
    bench.failing.hold = threading.Event()
    bench.send(visit())
    until(lambda: bench.failing.calls == 1)
    bench.send(visit())
    bench.close()
    assert bench.outcomes.got == [Unnumbered.PENDING] * 2
    bench.drain()
    bench.failing.hold.set()
    assert bench.stored() == 2


def test_an_event_that_cannot_be_encoded_harms_no_visit(bench: Bench) -> None:
    bench.failing.hold = threading.Event()
    assert bench.counter.add(visit(), bench.outcomes, event(title="\ud800"))
    assert bench.counter.add(visit(), bench.outcomes, event())
    bench.counter.flush()
    bench.failing.hold.set()
    assert sorted(numbers(bench.outcomes.wait(2))) == [1, 2]
    bench.send(visit())
    assert numbers(bench.outcomes.wait(3)) == [1, 2, 3]


def test_only_a_batch_that_the_store_may_know_says_so(bench: Bench) -> None:
    bench.failing.away = True
    bench.send(visit())
    bench.outcomes.wait(1)
    bench.send(visit())
    bench.outcomes.wait(2)
    bench.journal.close()
    [segment] = scan(bench.folder)
    tried, untried = (decode_batch(record.payload) for record in segment.read().batches)
    week = 7 * 86_400_000
    assert [is_forgotten(one, one.at + week) for one in (tried, untried)] == [True, False]
    assert [is_forgotten(one, one.at) for one in (tried, untried)] == [False, False]


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
