"""Accounts of a running server: set up, log in, and what ends is ended in every process at once."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.running import SECONDS, Server, until

PASSWORD, NEW = "a horse, a battery", "another horse, a staple"
CONNECTIONS = 30  # each new: both workers take some of them


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    """A server of two workers, asked by people from elsewhere through a proxy."""
    settings = {"VISITOR_TRACKER_TRUSTED_PROXIES": "[127.0.0.1]"}
    server = Server(tmp_path, store_url, settings, ["--workers", "2"])
    server.start()
    yield server
    server.kill9()


def ask(server: Server, method: str, path: str, body: object = None, token: str = "") -> requests.Response:
    """Ask on a connection of its own."""
    headers = {"X-Forwarded-For": "192.0.2.7"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"{server.url}{path}", json=body, headers=headers, timeout=SECONDS)


def log_in(server: Server, password: str) -> dict[str, str]:
    answer = ask(server, "POST", "/api/v1/login", {"username": "ada", "password": password, "tokens": True})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, str] = answer.json()
    return tokens


def test_a_changed_password_ends_tokens_in_every_worker_at_once(server: Server) -> None:
    found = re.search(r"make the first one at  http://127\.0\.0\.1:\d+/setup#(\S+)", server.log)
    assert found
    asked = {"username": "ada", "password": PASSWORD}
    assert ask(server, "POST", "/api/v1/setup", asked).status_code == 403
    assert ask(server, "POST", "/api/v1/setup", asked | {"token": found[1]}).status_code == 201
    assert ask(server, "POST", "/api/v1/setup", asked | {"token": found[1]}).status_code == 403
    # Without a proxy's headers this is the server's own machine, which reads nothing any more within seconds.
    until(lambda: server.session.get(f"{server.url}/api/v1/sites", timeout=SECONDS).status_code == 401)

    mine, other = log_in(server, PASSWORD), log_in(server, PASSWORD)
    users = [ask(server, "GET", "/api/v1/users", token=other["access_token"]) for _ in range(CONNECTIONS)]
    assert {answer.status_code for answer in users} == {200}
    changed = ask(server, "POST", "/api/v1/me/password", {"old": PASSWORD, "new": NEW}, mine["access_token"])
    assert changed.status_code == 200
    for tokens in (mine, other):
        answers = [ask(server, "GET", "/api/v1/users", token=tokens["access_token"]) for _ in range(CONNECTIONS)]
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(401, "invalid_token")}
        refreshed = ask(server, "POST", "/api/v1/refresh", {"refresh_token": tokens["refresh_token"]})
        assert refreshed.status_code == 401
    assert ask(server, "POST", "/api/v1/login", {"username": "ada", "password": PASSWORD}).status_code == 401
    again = log_in(server, NEW)

    server.stop()
    server.start()
    assert "make the first one" not in server.log
    assert ask(server, "GET", "/api/v1/me", token=again["access_token"]).status_code == 200
    for secret in (PASSWORD, NEW, found[1], again["refresh_token"]):
        assert secret not in server.log


def test_on_a_terminal_the_link_to_the_first_account_stands_by_itself(tmp_path: Path) -> None:
    """What `make run` shows; and the link works, where the same request without it does not."""
    command = [sys.executable, "-m", "visitor_tracker", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    screen, terminal = pty.openpty()
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path) as process:
        os.close(terminal)
        try:
            shown = ""
            while "Ctrl-C" not in shown:
                shown += os.read(screen, 65_536).decode()
            found = re.search(r"account    make the first one at  (http://127\.0\.0\.1:\d+)/setup#(\S+)\r?\n", shown)
            assert found, shown
            asked = {"username": "ada", "password": PASSWORD}
            with requests.Session() as session:
                session.trust_env = False
                refused = session.post(f"{found[1]}/api/v1/setup", json=asked, timeout=SECONDS)
                assert (refused.status_code, refused.json()["error"]["code"]) == (403, "link_needed")
                made = session.post(f"{found[1]}/api/v1/setup", json=asked | {"token": found[2]}, timeout=SECONDS)
                assert made.status_code == 201
        finally:
            process.terminate()
            os.close(screen)
