"""Somebody is erased beside a running server that goes on counting, and comes back by nothing that was on its way."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.everything import places_of
from tests.folded import waiting_events
from tests.running import SECONDS, Server, until
from visitor_tracker.store.open import open_store

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language": "de",
}
SETTINGS = {"VISITOR_TRACKER_IDENTITY_VISITOR": "cookie", "VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false"}


class Person:
    """A browser with a cookie jar of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(BROWSER)

    def view(self, page: str) -> None:
        sent = [{"type": "pageview", "url": f"https://example.com/{page}"}]
        response = self._session.post(f"{self._server.url}/api/v1/events", json=sent, timeout=SECONDS)
        assert response.json()["accepted"] == 1

    @property
    def cookie(self) -> str:
        return str(self._session.cookies["vt_visitor"])


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    made = Server(tmp_path, store_url, SETTINGS)
    made.start()
    try:
        yield made
    finally:
        made.kill9()


def test_erasing_beside_a_running_server(server: Server, store_url: str) -> None:
    anna, others = Person(server), [Person(server) for _ in range(5)]
    for page in range(20):
        for person in (anna, *others):
            person.view(f"{page}")
    store = open_store(store_url)
    until(lambda: store.execute("select count(*) from events") == [(120,)])
    found = json.loads(run(server, "export", "--cookie", anna.cookie))["visitors"][0]["id"]
    anna.view("just-before")  # in the journal, or on its way into the tables
    erased = json.loads(run(server, "erase", "--cookie", anna.cookie, "--yes", "--json"))
    assert erased["done"]
    for person in others:
        person.view("after")
    server.kill9()  # and what its journal still had is drained by the next one
    server.start()
    until(lambda: store.execute("select count(*) from events where visitor <> %s", (bytes(16),)) == [(105,)])
    until(lambda: waiting_events(store_url) == 0)
    assert places_of(store, [bytes.fromhex(found)]) == set()
    anna.view("again")
    until(lambda: store.execute("select count(*) from events") == [(106,)])
    view = json.loads(run(server, "export", "--cookie", anna.cookie))
    assert [event["url"] for event in view["events"]] == ["https://example.com/again"]
    store.close()


def run(server: Server, *arguments: str) -> bytes:
    """Return what a command prints beside the server."""
    command = [sys.executable, "-m", "visitor_tracker", *arguments, "--data-dir", str(server.folder / "data")]
    command += ["--store", server.store_url] if server.store_url else []
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, cwd=server.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
