"""A running server takes over what commands change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.running import Server, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill9()


def send(server: Server, event: dict[str, Any], key: str = "") -> str:
    """Return the status of an event and what became of it."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = server.session.post(f"{server.url}/api/v1/events", json=event, headers=headers, timeout=30)
    return f"{answer.status_code} {answer.headers.get('X-Tracker', '')}".strip()


def becomes(server: Server, event: dict[str, Any], wanted: str, key: str = "") -> None:
    until(lambda: send(server, event, key) == wanted, lambda: f"{event}: {send(server, event, key)}, not {wanted}")


def test_sites_and_keys_are_taken_over(server: Server, command: Command) -> None:
    made = {"site": "made-by-an-event", "url": "https://example.org/"}
    assert send(server, made) == "202 accepted"
    assert "made-by-an-event" in command("site", "list").out

    assert command("site", "add", "blog", "--hostname", "blog.example.com", "--alias", "17").code == 0
    becomes(server, {"site": "blog", "url": "https://example.com/"}, "202 dropped: hostname")
    assert send(server, {"site": "17", "url": "https://blog.example.com/"}) == "202 accepted"
    assert send(server, {"site": "another", "url": "https://example.org/"}) == "202 dropped: unknown_site"
    assert send(server, made) == "202 accepted"

    command("site", "set", "blog", "--any-hostname")
    becomes(server, {"site": "blog", "url": "https://example.com/"}, "202 accepted")

    key = command("key", "add", "backend").out.strip()
    vouched = {"site": "blog", "url": "https://example.com/", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
    becomes(server, vouched, "202 accepted", key)
    command("key", "revoke", "backend")
    becomes(server, vouched, "401", key)

    command("site", "add", "shop", "--hostname", "shop.example")
    command("site", "remove", "blog")
    becomes(server, {"site": "blog", "url": "https://example.com/"}, "202 dropped: unknown_site")


def test_the_snippet_s_addresses_are_served(server: Server, command: Command) -> None:
    snippet = command("site", "snippet", "default").out
    for path in ("/script.js", "/pixel.gif?url=https%3A%2F%2Fexample.com%2F"):
        assert path in snippet
        assert server.session.get(server.url + path, timeout=30).status_code == 200
    assert "/api/v1/events" in snippet
    assert send(server, {"type": "pageview", "site": "default", "url": "https://example.com/"}) == "202 accepted"


def test_the_journal_can_be_looked_into(server: Server, command: Command) -> None:
    assert send(server, {"url": "https://example.com/"}) == "202 accepted"
    assert command("journal", "status").code == 0
    assert command("journal", "verify").code == 0
    assert command("privacy", "verify").code == 0
