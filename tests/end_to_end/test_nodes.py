"""Several servers on one database: each drains its own journal, one folds a site, and nobody counts twice."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end import hits
from tests.end_to_end.checking import check_events, check_totals, is_folded, wait_for_some
from tests.end_to_end.hits import Senders, Told
from tests.folded import events_of_store
from tests.mariadb import MariaDB
from tests.running import Server, until
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.store import open_store

SETTINGS = {
    "VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false",
    "VISITOR_TRACKER_HTTP_MAX_PER_ADDRESS": "0",
    "VISITOR_TRACKER_TRUSTED_PROXIES": "127.0.0.0/8",
}
NODES = 3
KILLS = 3  # of who folds
CONNECTIONS = 8  # to each node
REST_SECONDS = 0.05


@pytest.fixture
def nodes(tmp_path: Path, mariadb: MariaDB) -> Iterator[list[Server]]:
    url = mariadb.url(mariadb.fresh_database())
    started: list[Server] = []
    shared = {"VISITOR_TRACKER_IDENTITY_KEY_FILE": str(tmp_path / "node-0" / "data" / "visitor-keys.key")}
    for number in range(NODES):
        folder = tmp_path / f"node-{number}"
        folder.mkdir()
        started.append(Server(folder, url, SETTINGS | (shared if number else {}), ["--workers", "1"]))
        started[-1].start()
    yield started
    for node in started:
        node.kill9()


def lease(store_url: str) -> tuple[int, int]:
    """Return which process folds the site, 0 for none, and how often that has changed."""
    store = open_store(store_url)
    found = store.execute("select holder, epoch from site_lease where site_id = %s", (DEFAULT_SITE,))
    store.close()
    return (int(found[0][0].partition("-")[0] or 0), found[0][1]) if found else (0, 0)


def has_changed(store_url: str, epoch: int) -> bool:
    return lease(store_url)[1] > epoch


def test_who_folds_may_die(nodes: list[Server]) -> None:
    url = nodes[0].store_url
    with ExitStack() as stack:
        crowds = [
            stack.enter_context(Senders(node.port, hits.event, connections=CONNECTIONS, rest_seconds=REST_SECONDS))
            for node in nodes
        ]
        for _ in range(KILLS):
            for crowd in crowds:
                wait_for_some(crowd)
            until(lambda: lease(url)[0] != 0)
            holder, epoch = lease(url)
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGKILL)
            until(partial(has_changed, url, epoch), lambda: "nobody else folds")
        owner = next(node for node in nodes if lease(url)[0] in node.children())
        owner.kill9()
        owner.start()
        for crowd in crowds:
            wait_for_some(crowd)
    until(lambda: all(is_folded(node, url) for node in nodes))
    told = [crowd.told for crowd in crowds]
    both = Told(
        accepted=set().union(*(one.accepted for one in told)),
        unanswered=set().union(*(one.unanswered for one in told)),
        wrong=[wrong for one in told for wrong in one.wrong],
    )
    events = events_of_store(url)
    check_events(both, events)
    check_totals(url, events)
    assert [node.stop() for node in nodes] == [0] * NODES
