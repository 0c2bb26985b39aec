"""The work nobody waits for begins when the store has its tables, and no error ends it."""

import logging
import threading
from pathlib import Path

import pytest

from tests.folded import folded_events
from tests.ingest.draining import batch, event, ids_of, write
from tests.running import until
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.jobs.background import Background
from visitor_tracker.metrics import Metrics
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


class Work:
    """A store without tables, a journal, and what `Background` calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        self.folder.mkdir()
        self.store: SqlStore = open_store(f"sqlite:///{folder / 'v.db'}")
        self.problems: list[Exception] = []
        self.kept = threading.Semaphore(0)
        counters = Metrics().counters()
        drainer = Drainer(self.folder, self.store, counters)
        folder_ = Folder(self.store, counters, lambda site_id: Rule())
        self.background = Background(self.store, drainer, folder_, migrate=self._migrate, keep=self._keep, ids_days=7)

    def folded(self) -> list[bytes]:
        """Return the ids of the events in the tables."""
        return sorted(one.id for one in folded_events(self.store))

    def _migrate(self) -> list[str]:
        self._fail()
        return migrate(self.store)

    def _keep(self) -> None:
        self.kept.release()
        raise ZeroDivisionError("a bug")

    def _fail(self) -> None:
        if self.problems:
            raise self.problems.pop(0)


def test_what_waits_is_drained_when_the_tables_are_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    work = Work(tmp_path)
    one = batch(event())
    write(work.folder, one)
    work.problems = [StoreUnavailable("away"), StoreUnavailable("away"), OutcomeUnknown("broke"), StoreError("wrong")]
    work.background.start()
    until(lambda: not work.problems)
    until(lambda: "raw_days" in str(work.store.execute("select name from sqlite_schema")))
    until(lambda: work.folded() == ids_of(one))
    assert work.store.execute("select count(*) from dead_letters") == [(0,)]
    work.background.stop()
    work.store.close()
    told = [line.getMessage() for line in caplog.records if "drained when the store" in line.getMessage()]
    assert len(told) == 3, "each kind of problem once"


def test_a_bug_ends_no_keeper_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    work = Work(tmp_path)
    work.background.start()
    for _ in range(3):
        assert work.kept.acquire(timeout=20)
    work.background.stop()
    work.store.close()
    assert [line.getMessage() for line in caplog.records].count("the keeper failed and is tried again") == 1


def test_it_stops_while_the_store_is_away(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.problems = [StoreUnavailable("away")] * 1_000
    work.background.start()
    work.background.stop()
    assert work.problems
    assert not [thread for thread in threading.enumerate() if thread.name in ("drainer", "folder", "keeper", "house")]
    work.store.close()
