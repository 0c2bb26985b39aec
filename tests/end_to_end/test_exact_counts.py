"""Every acknowledged visit is counted exactly once, whatever dies in the middle."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.crowd import Crowd, Told
from tests.mariadb import MariaDB
from tests.running import Server, until

PAGES = [f"https://example.com/page/{number}" for number in range(20)]
SETTINGS = {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false", "VISITOR_TRACKER_HTTP_MAX_PER_ADDRESS": "0"}
CLIENTS, VISITS = 200, 50


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    running = Server(tmp_path, store_url, SETTINGS, ["--workers", "2"])
    running.start()
    yield running
    running.kill9()


def check(server: Server, told: Told) -> int:
    """Compare what the clients were told with what is stored; return the number of visits stored."""
    assert told.wrong == []
    total = 0
    for page in PAGES:
        numbers, unanswered = told.numbers.get(page, []), told.unanswered[page]
        counted = server.count(page)
        total += counted
        assert len(set(numbers)) == len(numbers), f"{page}: a number was given twice"
        assert len(numbers) <= counted <= len(numbers) + unanswered, page
        assert not numbers or 1 <= min(numbers) <= max(numbers) <= counted
    return total


def test_every_visit_has_a_number_of_its_own(server: Server) -> None:
    crowd = Crowd(server.port, PAGES, clients=CLIENTS, visits=VISITS)
    crowd.start()
    told = crowd.join()
    assert check(server, told) == CLIENTS * VISITS
    for page in PAGES:
        assert sorted(told.numbers[page]) == list(range(1, told.accepted(page) + 1))
    assert server.metric("accepted_total") == CLIENTS * VISITS
    assert server.stop() == 0


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


def test_a_killed_worker_loses_nothing(server: Server) -> None:
    def kill_a_worker() -> None:
        before = server.children()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(server.children()) == len(before) and before[0] not in server.children())

    told = interrupted(server, kill_a_worker, 3)
    assert check(server, told) >= sum(map(len, told.numbers.values())) > 0
    assert server.stop() == 0


def test_a_killed_server_loses_nothing(server: Server) -> None:
    def kill_all() -> None:
        server.kill9()
        server.start()

    told = interrupted(server, kill_all, 2)
    assert check(server, told) > 0


def test_a_terminated_server_answers_everything_it_received(server: Server) -> None:
    def restart() -> None:
        assert server.stop() == 0
        server.start()

    told = interrupted(server, restart, 2)
    assert check(server, told) > 0


def test_a_killed_database_loses_nothing(tmp_path: Path, mariadb: MariaDB) -> None:
    server = Server(tmp_path, mariadb.url(mariadb.fresh_database()), SETTINGS, ["--workers", "2"])
    server.start()

    def kill_database() -> None:
        mariadb.kill9()
        time.sleep(0.3)  # long enough that visits meet a database that is away
        mariadb.start()

    try:
        told = interrupted(server, kill_database, 2)
        until(lambda: server.metric("breaker_open") == 0)
        assert check(server, told) > 0
        assert told.refused > 0
    finally:
        server.kill9()


def test_a_worker_started_while_the_database_is_away_says_so(tmp_path: Path, mariadb: MariaDB) -> None:
    server = Server(tmp_path, mariadb.url(mariadb.fresh_database()), SETTINGS, ["--workers", "1"])
    server.start()
    try:
        mariadb.kill9()
        os.kill(server.children()[0], signal.SIGKILL)
        until(lambda: "is started again" in server.log)
        target = f"{server.url}/update?url={PAGES[0]}"
        away = server.session.get(target, timeout=30)
        assert (away.status_code, away.headers["X-Tracker"]) == (503, "dropped: unavailable")
        mariadb.start()
        until(lambda: server.session.get(f"{server.url}/readyz", timeout=30).status_code == 200)
        assert (
            server.session.get(f"{server.url}/update", params={"url": PAGES[0]}, timeout=30).json()["visit_count"] == 1
        )
    finally:
        if not mariadb.is_running:
            mariadb.start()
        server.kill9()
