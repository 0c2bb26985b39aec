"""The examples of docs/authentication.md, run as they stand there against a real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.running import SECONDS, Server, until
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.signing_keys import SigningKeys
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store

PAGE = (Path(__file__).parents[1] / "docs" / "authentication.md").read_text("utf-8")
EXAMPLES = re.findall(r"### ([^\n]+)\n(?:(?!\n#).)*?```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server that has accounts, so that nobody is believed without proof; and a pair of keys for its first site."""
    url = f"sqlite:///{tmp_path / 'v.db'}"
    store = open_store(url)
    try:
        migrate(store)
        Accounts(store).create("root", is_admin=True, password_hash="x")
        key, private = SigningKeys(store).pair(Audit(store), OPERATOR, Site(DEFAULT_SITE, "default"))
    finally:
        store.close()
    running = Server(tmp_path, url)
    try:
        running.start()
        until(lambda: running.session.get(f"{running.url}/stats", timeout=SECONDS).status_code == 401)
        pair = {"base_url": running.url, "site_id": "default", "private_key": private.hex(), "key_id": key.id}
        yield running, pair
    finally:
        running.kill9()


def run(code: str, pair: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PAIR": json.dumps(pair), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_there_is_an_example_of_each_way_to_sign() -> None:
    assert [name for name, _ in EXAMPLES] == ["Version 1", "Version 2", "HTTP Message Signatures"]


def test_the_examples_work(server: tuple[Server, dict[str, str]]) -> None:
    _, pair = server
    for name, code in EXAMPLES:
        done = run(code, pair)
        assert (done.returncode, done.stdout) == (0, "0\n"), f"{name}: {done.stderr}"


def test_the_examples_fail_with_another_key(server: tuple[Server, dict[str, str]]) -> None:
    _, pair = server
    for name, code in EXAMPLES:
        done = run(code, pair | {"private_key": "17" * 32})
        assert "401 Client Error" in done.stderr, f"{name}: {done.stdout}"


def test_the_text_of_version_2_is_that_of_the_program() -> None:
    lines = re.findall(r"```text\n(VT2\n.*?)\n```", PAGE, re.DOTALL)[0].split("\n")
    assert len(lines) == 6
    assert (lines[1], lines[2], lines[3]) == ("GET", "/stats?site=blog", sha256(b"").hexdigest())
