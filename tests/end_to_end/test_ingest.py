"""An acknowledged event is stored exactly once, whatever dies in the middle, and visitors do not notice an outage."""

import os
import signal
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.end_to_end import hits
from tests.end_to_end.checking import SOME, check_events, check_totals, is_folded, wait_for_some
from tests.end_to_end.hits import Senders, slowest_of_each_second
from tests.folded import events_of_store
from tests.mariadb import MariaDB
from tests.running import Server, until

SETTINGS = {
    "VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false",
    "VISITOR_TRACKER_HTTP_MAX_PER_ADDRESS": "0",
    "VISITOR_TRACKER_TRUSTED_PROXIES": "127.0.0.0/8",
}
CONNECTIONS = 64
REST_SECONDS = 0.06  # of a connection: together they send about a thousand events a second
CALM_SECONDS, AWAY_SECONDS, FAULTS_SECONDS = 6.0, 14.0, 10.0  # of the long run
ALLOWED_SECONDS = 0.05  # what a busy machine may add to the slowest hundredth

Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    running = Server(tmp_path, store_url, SETTINGS, ["--workers", "2"])
    running.start()
    yield running
    running.kill9()


@pytest.fixture
def outage(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> Iterator[Outage]:
    """What lets the database be away for the length of a block."""
    if store_url.startswith("sqlite"):
        yield lambda: locked(tmp_path / "visitors.db")
        return
    mariadb: MariaDB = request.getfixturevalue("mariadb")
    yield lambda: killed(mariadb)
    if not mariadb.is_running:
        mariadb.start()


@contextmanager
def killed(mariadb: MariaDB) -> Iterator[None]:
    """Kill the database server and start it again."""
    mariadb.kill9()
    yield
    mariadb.start()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold SQLite's own lock, as a backup or a shell of another program would."""
    with closing(sqlite3.connect(path, 30, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


def wait_seconds(senders: Senders, seconds: float) -> float:
    """Let the crowd send for so long; return the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        wait_for_some(senders, 10)
    return time.monotonic()


def kill_each_process(server: Server, senders: Senders) -> None:
    """Kill the workers and the process of the drainer, one after the other."""
    for pid in server.children():
        kill_process(server, pid)
        wait_for_some(senders)


def kill_process(server: Server, pid: int) -> None:
    """Kill a child of the supervisor and wait until there is another one for it."""
    number = len(server.children())
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in server.children() and len(server.children()) == number)


def kill_all(server: Server, senders: Senders, number: int = SOME) -> None:
    server.kill9()
    server.start()
    wait_for_some(senders, number)


def test_no_fault_loses_or_doubles_an_event(server: Server, store_url: str, outage: Outage) -> None:
    with Senders(server.port, hits.event, connections=CONNECTIONS, rest_seconds=REST_SECONDS) as senders:
        wait_for_some(senders)
        kill_each_process(server, senders)
        with outage():
            wait_for_some(senders)
            kill_all(server, senders)
        wait_for_some(senders)
        kill_all(server, senders)
    until(lambda: is_folded(server, store_url))
    check_events(senders.told, events_of_store(store_url))
    check_totals(store_url, events_of_store(store_url))
    assert server.stop() == 0


def test_a_stopped_server_leaves_nothing_in_the_journal(server: Server, store_url: str) -> None:
    with Senders(server.port, hits.event, connections=CONNECTIONS) as senders:
        wait_for_some(senders, 2_000)
        assert server.stop() == 0
        accepted = set(senders.told.accepted)
        assert accepted <= {event.id for event in events_of_store(store_url)}
        assert is_folded(server, store_url)
        server.start()
    until(lambda: is_folded(server, store_url))
    check_events(senders.told, events_of_store(store_url))


@pytest.mark.slow
def test_half_a_minute_of_faults_loses_or_doubles_no_event(server: Server, store_url: str, outage: Outage) -> None:
    with Senders(server.port, hits.event, connections=CONNECTIONS, rest_seconds=REST_SECONDS) as senders:
        wait_for_some(senders)
        calm = time.monotonic()
        calm_end = wait_seconds(senders, CALM_SECONDS)
        with outage():
            away = wait_seconds(senders, 1.0)  # it takes a moment to be noticed
            away_end = wait_seconds(senders, AWAY_SECONDS / 2)
            kill_each_process(server, senders)
            kill_all(server, senders)
            wait_seconds(senders, away + AWAY_SECONDS - time.monotonic())
        end = time.monotonic() + FAULTS_SECONDS
        while time.monotonic() < end:
            kill_each_process(server, senders)
            with outage():
                wait_for_some(senders)
            kill_all(server, senders)
    until(lambda: is_folded(server, store_url))
    told = senders.told
    check_events(told, events_of_store(store_url))
    check_totals(store_url, events_of_store(store_url))
    before = statistics.median(slowest_of_each_second(told, calm, calm_end))
    during = statistics.median(slowest_of_each_second(told, away, away_end))
    assert during <= 2 * before + ALLOWED_SECONDS


def test_an_outage_only_delays_the_counter(server: Server, store_url: str, outage: Outage) -> None:
    connections = 8
    with Senders(server.port, hits.visit, connections=connections, rest_seconds=0.01) as senders:
        wait_for_some(senders)
        with outage():
            until(lambda: senders.pending >= connections)
            kill_all(server, senders, connections)
        until(lambda: server.metric("breaker_open") == 0)
        wait_for_some(senders)
    until(lambda: is_folded(server, store_url))
    told = senders.told
    assert told.wrong == []
    accepted, unanswered = (Counter(map(hits.page_of, ids)) for ids in (told.accepted, told.unanswered))
    total = 0
    for page in {*accepted, *unanswered}:
        counted = server.count(page)
        total += counted
        assert accepted[page] <= counted <= accepted[page] + unanswered[page], page
    events = events_of_store(store_url)
    assert len({event.id for event in events}) == len(events) == total
    assert all(event.counted for event in events)


def test_nobody_waits_for_a_database_that_hangs(tmp_path: Path, mariadb: MariaDB) -> None:
    store_url = mariadb.url(mariadb.fresh_database())
    server = Server(tmp_path, store_url, SETTINGS | {"VISITOR_TRACKER_STORE_ANSWER_SECONDS": "60"}, ["--workers", "1"])
    server.start()
    try:
        with mariadb.frozen():
            for _ in range(20):
                answer = server.session.get(f"{server.url}/update", params={"url": "https://example.com/"}, timeout=30)
                assert (answer.status_code, answer.json()["pending"]) == (202, True)
            assert server.stop() == 0, "it does not wait for the answer either"
        server.start()
        until(lambda: server.count("https://example.com/") == 20)
        until(lambda: is_folded(server, store_url))
        assert server.count("https://example.com/") == 20
    finally:
        server.kill9()


def test_a_visit_during_an_outage_is_pending(server: Server, store_url: str, outage: Outage) -> None:
    page = "https://example.com/pending"
    with outage():
        answer = server.session.get(f"{server.url}/update", params={"url": page}, timeout=30)
        assert (answer.status_code, answer.headers["X-Tracker"]) == (202, "accepted")
        assert (answer.json()["visit_count"], answer.json()["pending"]) == (None, True)
    until(lambda: is_folded(server, store_url))
    until(lambda: server.count(page) == 1)
