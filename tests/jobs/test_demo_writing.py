"""Invented visits on their way into the store: once each, whoever is interrupted, and never among real ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.jobs.invented import DAY_MS, NOW, SITE, SMALL, events_of
from visitor_tracker.event import Event, InboxRow, decode_events, encode_events
from visitor_tracker.ingest.bots import judge
from visitor_tracker.jobs.demo.plan import Order
from visitor_tracker.jobs.demo.writing import DemoError, Start, Written, find_start, segment_of, write
from visitor_tracker.sites import Policy
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

TOP = Path(__file__).parents[2]


@contextmanager
def migrated(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    try:
        migrate(store)
        yield store
    finally:
        store.close()


@pytest.fixture
def any_store(store_url: str) -> Iterator[SqlStore]:
    """An empty store, on SQLite and on MariaDB."""
    with migrated(store_url) as store:
        yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty SQLite store."""
    with migrated(f"sqlite:///{tmp_path / 'visitors.db'}") as store:
        yield store


def nothing_to_fold() -> bool:
    return False


def quiet(done: int, days: int, events: int) -> None:
    pass


def run(store: SqlStore, order: Order = SMALL, progress: Callable[[int, int, int], None] = quiet) -> Written:
    inbox = Inbox(store.database)
    return write(inbox, find_start(inbox, order), Policy(), fold=nothing_to_fold, progress=progress)


def waiting(store: SqlStore) -> list[InboxRow]:
    return Inbox(store.database).rows(SITE.id, 100_000)


def stored(store: SqlStore) -> list[Event]:
    return [event for row in waiting(store) for event in decode_events(row.body)]


def test_all_of_it_waits_to_be_folded(any_store: SqlStore) -> None:
    written = run(any_store)
    expected = events_of(SMALL.plan())
    assert stored(any_store) == expected
    robots = [event for event in expected if judge(event.signals)]
    views = [event for event in expected if event.kind == "pageview" and not judge(event.signals)]
    assert written == Written(6, len(expected), len(views), len(robots))
    rows = waiting(any_store)
    assert sum(row.events for row in rows) == len(expected)
    assert max(row.events for row in rows) <= 250
    someone = views[0]
    assert Inbox(any_store.database).known(SITE.id, someone.visitor, someone.day) == (True, True)


def test_no_key_is_stored(store: SqlStore) -> None:
    run(store)
    assert int(store.execute("select count(*) from visitor_keys")[0][0]) == 0
    assert int(store.execute("select count(*) from key_log")[0][0]) == 0


def test_each_day_is_folded_before_the_next_is_written(store: SqlStore) -> None:
    inbox = Inbox(store.database)
    told: list[tuple[int, int, int]] = []

    def fold() -> bool:
        rows = inbox.rows(SITE.id, 1)
        inbox.remove(SITE.id, [row.id for row in rows])
        return bool(rows)

    def progress(done: int, days: int, events: int) -> None:
        assert inbox.pending() == (0, 0)
        told.append((done, days, events))

    written = write(inbox, find_start(inbox, SMALL), Policy(), fold=fold, progress=progress)
    assert [(done, days) for done, days, _ in told] == [(number, 6) for number in range(1, 7)]
    assert told[-1][2] == written.events > told[0][2] > 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seed": 2},
        {"now": NOW + DAY_MS},
        {"now": NOW + 30 * DAY_MS},
    ],
)
def test_a_second_run_adds_nothing(store: SqlStore, changes: dict[str, int]) -> None:
    run(store)
    before = stored(store)
    with pytest.raises(DemoError, match=r"the site demo has visits already.* --site demo2"):
        run(store, msgspec.structs.replace(SMALL, **changes))
    assert stored(store) == before


def test_real_visits_are_left_alone(store: SqlStore) -> None:
    event = events_of(SMALL.plan())[0]
    row = InboxRow(SITE.id, event.id, event.at, 1, encode_events([event]))
    Inbox(store.database).drain([row], [], segment_id=b"s" * 16, old=0, new=1, at=NOW)
    with pytest.raises(DemoError, match="has visits already"):
        run(store)
    assert stored(store) == [event]


def test_numbers_that_were_folded_are_visits_too(any_store: SqlStore) -> None:
    run(any_store)
    inbox = Inbox(any_store.database)
    inbox.remove(SITE.id, [row.id for row in waiting(any_store)])
    assert inbox.holds(SITE.id), "days of visitors are left"
    assert not inbox.holds(SITE.id + 1)


class Killed(Exception):
    pass


def kill_after(day: int) -> Callable[[int, int, int], None]:
    def progress(done: int, days: int, events: int) -> None:
        if done == day:
            raise Killed

    return progress


def test_a_run_that_was_interrupted_goes_on_where_it_was(any_store: SqlStore) -> None:
    with pytest.raises(Killed):
        run(any_store, progress=kill_after(2))
    start = find_start(Inbox(any_store.database), SMALL)
    assert start == Start(SMALL.plan(), 2)
    assert run(any_store).days == 4
    assert stored(any_store) == events_of(SMALL.plan())


def test_it_goes_on_tomorrow_with_what_was_planned_today(store: SqlStore) -> None:
    with pytest.raises(Killed):
        run(store, progress=kill_after(2))
    tomorrow = msgspec.structs.replace(SMALL, now=NOW + DAY_MS)
    run(store, tomorrow)
    assert stored(store) == events_of(tomorrow.plan(1))
    assert max(event.day for event in stored(store)) == 20261122


@pytest.mark.parametrize("changes", [{"seed": 2}, {"days": 5}, {"visits": 24}, {"now": NOW + 9 * DAY_MS}])
def test_it_does_not_go_on_as_something_else(store: SqlStore, changes: dict[str, int]) -> None:
    with pytest.raises(Killed):
        run(store, progress=kill_after(2))
    before = stored(store)
    with pytest.raises(DemoError, match="goes on with the same options"):
        run(store, msgspec.structs.replace(SMALL, **changes))
    assert stored(store) == before


def test_of_two_runs_at_once_one_ends(any_store: SqlStore) -> None:
    def meanwhile(done: int, days: int, events: int) -> None:
        if done == 1:
            run(any_store)

    with pytest.raises(DemoError, match="another  visitor-tracker demo  is writing"):
        run(any_store, progress=meanwhile)
    assert stored(any_store) == events_of(SMALL.plan())


def test_a_killed_process_leaves_whole_days(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'visitors.db'}"
    code = (
        "import os, signal\n"
        "from tests.jobs.invented import SMALL\n"
        "from visitor_tracker.jobs.demo.writing import find_start, write\n"
        "from visitor_tracker.sites import Policy\n"
        "from visitor_tracker.store.inbox import Inbox\n"
        "from visitor_tracker.store.migrate import migrate\n"
        "from visitor_tracker.store.open import open_store\n"
        f"store = open_store({url!r})\n"
        "migrate(store)\n"
        "inbox = Inbox(store.database)\n"
        "kill = lambda done, *_: done == 3 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "write(inbox, find_start(inbox, SMALL), Policy(), fold=lambda: False, progress=kill)\n"
    )
    path = os.pathsep.join((str(TOP / "server"), str(TOP)))
    done = subprocess.run([sys.executable, "-c", code], check=False, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL
    with migrated(url) as store:
        assert find_start(Inbox(store.database), SMALL).step == 3
        run(store)
        assert stored(store) == events_of(SMALL.plan())


def test_no_journal_has_the_cursor_of_a_site() -> None:
    assert len(segment_of(SITE)) == 16
    assert segment_of(SITE) != segment_of(msgspec.structs.replace(SITE, id=7))


def test_a_site_that_takes_no_such_pages_is_told() -> None:
    plan = msgspec.structs.replace(SMALL.plan(), host="elsewhere.example")
    with pytest.raises(DemoError, match=r"takes no page https://elsewhere\.example/.* for the site demo: hostname"):
        events_of(plan)
