"""Every acknowledged visit is counted exactly once, whatever dies in the middle."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.crowd import Crowd, Told
from tests.mariadb import MariaDB
from tests.running import Server, until
from visitor_tracker.ingest.inspection import status
from visitor_tracker.store import open_store

PAGES = [f"https://example.com/page/{number}" for number in range(20)]
SETTINGS = {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false", "VISITOR_TRACKER_HTTP_MAX_PER_ADDRESS": "0"}
CLIENTS, VISITS = 200, 50


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    running = Server(tmp_path, store_url, SETTINGS, ["--workers", "2"])
    running.start()
    yield running
    running.kill9()


def check(server: Server, store_url: str, told: Told) -> int:
    """Compare what the clients were told with what is stored; return the number of visits stored."""
    assert told.wrong == []
    assert told.refused == 0, "the journal takes what the store cannot"
    until(lambda: waiting_bytes(server, store_url) == 0)
    total = 0
    for page in PAGES:
        numbers, accepted, unanswered = told.numbers.get(page, []), told.accepted(page), told.unanswered[page]
        counted = server.count(page)
        total += counted
        assert len(set(numbers)) == len(numbers), f"{page}: a number was given twice"
        assert accepted <= counted <= accepted + unanswered, page
        assert not numbers or 1 <= min(numbers) <= max(numbers) <= counted
    return total


def test_every_visit_has_a_number_of_its_own(server: Server, store_url: str) -> None:
    crowd = Crowd(server.port, PAGES, clients=CLIENTS, visits=VISITS)
    crowd.start()
    told = crowd.join()
    assert check(server, store_url, told) == CLIENTS * VISITS
    for page in PAGES:
        assert sorted(told.numbers[page]) == list(range(1, told.accepted(page) + 1))
    assert server.metric("accepted_total") == CLIENTS * VISITS
    assert server.stop() == 0


def waiting_bytes(server: Server, store_url: str) -> int:
    """Return how much of the journal is not in the store."""
    with closing(open_store(store_url)) as store:
        return status(server.folder / "data" / "journal", store).waiting_bytes


def interrupted(server: Server, interrupt: Callable[[], None], times: int) -> Told:
    """Let the crowd visit while `interrupt` strikes, each time after some more visits were answered."""
    crowd = Crowd(server.port, PAGES, clients=CLIENTS // 2, seed=os.getpid())
    crowd.start()
    chance = random.Random(os.getpid())
    for _ in range(times):
        wait_for_answers(crowd, chance.randint(100, 600))
        interrupt()
    wait_for_answers(crowd, 300)
    return crowd.finish()


def wait_for_answers(crowd: Crowd, number: int) -> None:
    """Wait until so many more visits were answered."""
    mark = crowd.answered + number
    until(lambda: crowd.answered >= mark)


def test_a_killed_worker_loses_nothing(server: Server, store_url: str) -> None:
    def kill_a_worker() -> None:
        before = server.children()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(server.children()) == len(before) and before[0] not in server.children())

    told = interrupted(server, kill_a_worker, 3)
    assert check(server, store_url, told) >= sum(map(len, told.numbers.values())) > 0
    assert server.stop() == 0


def test_a_killed_server_loses_nothing(server: Server, store_url: str) -> None:
    def kill_all() -> None:
        server.kill9()
        server.start()

    told = interrupted(server, kill_all, 2)
    assert check(server, store_url, told) > 0


def test_a_terminated_server_answers_everything_it_received(server: Server, store_url: str) -> None:
    def restart() -> None:
        assert server.stop() == 0
        server.start()

    told = interrupted(server, restart, 2)
    assert check(server, store_url, told) > 0


def test_a_killed_database_loses_nothing(tmp_path: Path, mariadb: MariaDB) -> None:
    store_url = mariadb.url(mariadb.fresh_database())
    server = Server(tmp_path, store_url, SETTINGS, ["--workers", "2"])
    server.start()

    def kill_database() -> None:
        mariadb.kill9()
        time.sleep(0.3)  # long enough that visits meet a database that is away
        mariadb.start()

    try:
        told = interrupted(server, kill_database, 2)
        until(lambda: server.metric("breaker_open") == 0)
        assert check(server, store_url, told) > 0
        assert told.pending.total() > 0
    finally:
        server.kill9()


def test_a_worker_started_while_the_database_is_away_takes_visits(tmp_path: Path, mariadb: MariaDB) -> None:
    server = Server(tmp_path, mariadb.url(mariadb.fresh_database()), SETTINGS, ["--workers", "1"])
    server.start()
    try:
        mariadb.kill9()
        os.kill(server.children()[0], signal.SIGKILL)
        until(lambda: "is started again" in server.log)
        target = f"{server.url}/update?url={PAGES[0]}"
        away = server.session.get(target, timeout=30)
        assert (away.status_code, away.headers["X-Tracker"]) == (202, "accepted")
        assert (away.json()["visit_count"], away.json()["pending"]) == (None, True)
        mariadb.start()
        until(lambda: server.metric("drained_total") == 1 and server.metric("breaker_open") == 0)
        assert server.session.get(target, timeout=30).json()["visit_count"] == 2
    finally:
        if not mariadb.is_running:
            mariadb.start()
        server.kill9()
