"""How the server serves the client's files."""

import gzip
import json
import re
from pathlib import Path

import pytest
import requests

from tests.running import SECONDS, Server

FILES = ["visitor-tracker.js", "visitor-tracker.iife.js", "demo.js", "demo.css", "icon.svg", "visitor-tracker.d.ts"]
PLAIN = {"Accept-Encoding": "identity"}


def get(server: Server, path: str, **headers: str) -> requests.Response:
    sent = PLAIN | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(server.url + path, headers=sent, timeout=SECONDS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_whole_packed_and_not_again(server: Server, client_files: Path, name: str) -> None:
    content = (client_files / name).read_bytes()
    plain = get(server, f"/client/{name}")
    assert (plain.status_code, plain.content) == (200, content)
    assert "Content-Encoding" not in plain.headers
    with requests.get(f"{server.url}/client/{name}", stream=True, timeout=SECONDS) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.raw.read()) == content
    again = get(server, f"/client/{name}", If_None_Match=plain.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    changed = get(server, f"/client/{name}", If_None_Match='"other"')
    assert (changed.status_code, changed.content) == (200, content)


def test_pages_of_any_origin_may_load_the_client(server: Server) -> None:
    answer = get(server, "/client/visitor-tracker.js", Origin="https://example.com")
    wanted = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": "text/javascript; charset=utf-8",
        "Vary": "Accept-Encoding",
    }
    assert {name: answer.headers.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("name", FILES)
def test_the_version_with_its_hash_stays_for_ever(server: Server, client_files: Path, name: str) -> None:
    digest = json.loads((client_files / "manifest.json").read_text("utf-8"))[name]["hash"]
    stem, _, end = name.partition(".")
    answer = get(server, f"/client/{stem}.{digest}.{end}")
    assert (answer.status_code, answer.content) == (200, (client_files / name).read_bytes())
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    other = re.sub("[0-9a-f]", lambda digit: "1" if digit[0] == "0" else "0", digest)
    older = get(server, f"/client/{stem}.{other}.{end}")  # pages may still have a script of before an upgrade
    assert (older.status_code, older.content, older.headers["Cache-Control"]) == (200, answer.content, "no-cache")


@pytest.mark.parametrize("path", ["/demo", "/counters", "/", "/admin/users"])
def test_pages_allow_nothing_from_elsewhere(server: Server, path: str) -> None:
    answer = get(server, path, Accept="text/html")
    assert answer.status_code == 200
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] in ("'self'", "'none'")
    assert policy["frame-ancestors"] == "'none'"
    assert not any("unsafe" in sources or "*" in sources for sources in policy.values())
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Referrer-Policy" in answer.headers
