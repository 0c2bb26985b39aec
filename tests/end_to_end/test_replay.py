"""A server that is killed while recordings come in: what was acknowledged is there, once, and whole."""

import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.running import SECONDS, Server, until
from visitor_tracker.store.open import open_store

SETTINGS = {
    "VISITOR_TRACKER_TRACKER_MODULES": "replay",
    "VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false",
    "VISITOR_TRACKER_SERVER_WORKERS": "1",
}
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language": "de",
    "Content-Type": "text/plain",
}
PAGE = "https://example.com/"
PIECES = 60


def piece(number: int) -> dict[str, Any]:
    """Return a piece of as many events as its number has units."""
    move = {"type": 3, "data": {"source": 3, "id": 1, "x": 0, "y": number}, "timestamp": 1_774_000_800_000 + number}
    return {"session": f"tab {number % 3}", "sequence": number, "url": PAGE, "events": [move] * (1 + number % 10)}


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    made = Server(tmp_path, store_url, SETTINGS)
    made.start()
    yield made
    made.kill9()


def send(session: requests.Session, url: str, number: int) -> bool:
    """Say whether the piece was acknowledged."""
    try:
        body = json.dumps(piece(number)).encode()
        answer = session.post(f"{url}/api/v1/replay", data=body, headers=BROWSER, timeout=SECONDS)
    except requests.RequestException:
        return False
    return answer.status_code == 202 and answer.headers["X-Tracker"] == "accepted"


def found(store_url: str) -> tuple[list[int], int, int, int]:
    """Return the sequences that are stored, their events, and what sessions and sites say of these."""
    store = open_store(store_url)
    try:
        rows = store.execute("select sequence, body from replay_chunks order by sequence")
        events = sum(len(json.loads(zlib.decompress(bytes(body)))) for _, body in rows)
        [(of_sessions,)] = store.execute("select coalesce(sum(events), 0) from replays")
        [(of_sites,)] = store.execute("select coalesce(sum(events), 0) from replay_sites")
        return [sequence for sequence, _ in rows], events, int(of_sessions), int(of_sites)
    finally:
        store.close()


def test_a_server_killed_among_recordings_loses_and_doubles_none(server: Server, store_url: str) -> None:
    acknowledged: list[int] = []

    def send_all() -> None:
        with requests.Session() as session:
            session.trust_env = False
            for number in range(PIECES):
                if send(session, server.url, number):
                    acknowledged.append(number)

    thread = threading.Thread(target=send_all)
    thread.start()
    until(lambda: len(acknowledged) >= PIECES // 3 or not thread.is_alive())
    server.kill9()
    thread.join(SECONDS)
    assert not thread.is_alive()
    sequences, events, of_sessions, of_sites = found(store_url)
    assert set(acknowledged) <= set(sequences)
    assert len(sequences) <= len(acknowledged) + 1
    assert events == of_sessions == of_sites == sum(1 + number % 10 for number in sequences)

    server.start()  # pages send again what was not acknowledged, and some of what was
    with requests.Session() as session:
        session.trust_env = False
        assert all(send(session, server.url, number) for number in range(PIECES))
    sequences, events, of_sessions, of_sites = found(store_url)
    assert sequences == list(range(PIECES))
    assert events == of_sessions == of_sites == sum(1 + number % 10 for number in range(PIECES))
