"""The database of a single site: opened late, never made anew, and no reason to wait for who asks of others."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import SECONDS, until
from visitor_tracker.errors import StoreError, StoreUnavailable
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.own import WAITERS_MOST, Own
from visitor_tracker.store.session import Database
from visitor_tracker.store.sql import SqlStore

ONE = "select 1"


class Part:
    """A file, its database, and what opens it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stores" / "blog.db"
        self.marker = folder / "blog.place"
        self.own = Own("blog", self.opened, dialect="sqlite", file=self.file, marker=self.marker, is_bounded=True)
        self.opened_so_far = 0

    def opened(self) -> Database:
        self.opened_so_far += 1
        return open_store(f"sqlite:///{self.file}").database

    def ask(self) -> Any:  # noqa: ANN401
        return self.own.read(lambda session: session.run(ONE, ()))


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    made = Part(tmp_path)
    yield made
    made.own.close()


def test_it_is_opened_once_when_it_is_needed(part: Part) -> None:
    assert not part.file.exists()
    assert [part.ask(), part.ask()] == [[(1,)], [(1,)]]
    assert part.opened_so_far == 1


def test_a_file_that_is_gone_is_waited_for_and_not_made_anew(part: Part, tmp_path: Path) -> None:
    migrate(SqlStore(part.own))
    part.marker.touch()
    part.file.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="is gone: put it back"):
        part.ask()
    with pytest.raises(StoreUnavailable, match="the site blog does not answer"):
        part.ask()
    assert not part.file.exists()
    (tmp_path / "elsewhere").rename(part.file.parent)
    until(lambda: _answers(part.ask))
    assert part.own.read(lambda session: session.run("select count(*) from schema_migrations", ()))[0][0] > 0


def test_one_that_cannot_be_opened_is_away(part: Part) -> None:
    part.file.parent.write_text("no folder")
    with pytest.raises(StoreUnavailable, match="the database of the site blog: "):
        part.ask()


def test_few_wait_for_one_that_hangs(part: Part) -> None:
    part.ask()
    hangs, began = threading.Event(), threading.Semaphore(0)

    def hang(_: object) -> None:
        began.release()
        hangs.wait()

    threads = [threading.Thread(target=part.own.read, args=(hang,)) for _ in range(WAITERS_MOST)]
    for thread in threads:
        thread.start()
    for _ in threads:
        began.acquire()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        part.ask()
    hangs.set()
    for thread in threads:
        thread.join()
    assert part.ask() == [(1,)]


def test_others_wait_for_their_turn_while_it_answers(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visitor_tracker.store.own._LONG_SECONDS", SECONDS)
    part.ask()
    goes_on, began, told = threading.Event(), threading.Semaphore(0), threading.Event()

    def answer_late(_: object) -> None:
        began.release()
        goes_on.wait()

    def ask() -> None:
        part.ask()
        told.set()

    threads = [threading.Thread(target=part.own.read, args=(answer_late,)) for _ in range(WAITERS_MOST)]
    for thread in threads:
        thread.start()
    for _ in threads:
        began.acquire()
    threads.append(threading.Thread(target=ask))
    threads[-1].start()
    assert not told.is_set()
    goes_on.set()
    for thread in threads:
        thread.join()
    assert told.is_set()


def test_what_is_wrong_with_a_statement_is_no_outage(part: Part) -> None:
    with pytest.raises(StoreError, match="no such table"):
        part.own.read(lambda session: session.run("select 1 from nowhere", ()))
    assert part.ask() == [(1,)]


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except StoreUnavailable:
        return False
    return True
