"""Seed 001 again: what the text says of routes, file and script, of a server with a store."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.cli.conftest import command
from tests.running import SECONDS, Server, until
from tests.seeds.conftest import FIREFOX, Json, Start, eventually, read, visit
from tests.seeds.test_seed_001 import HOME, OTHER, RECORD, TABLE, WORK, script
from visitor_tracker.cli import main

__all__ = ["command"]

ROUTE = "/v1/monitoring/visitors"
PAGE = {"type": "pageview", "url": "https://example.com/docs"}


@pytest.fixture(scope="module")
def server(start: Start, geolite: Path) -> Server:
    """A server that keeps addresses, with visits from one of them."""
    server = start(GEO_DATABASE=str(geolite), IDENTITY_IP="full", IDENTITY_USER_AGENT="full")
    for _ in range(2):
        assert visit(server, "POST", "/api/v1/events", HOME, FIREFOX, json=[PAGE]).status_code == 202
    eventually(server, ROUTE, lambda said: said["count"] and said["visitors"][0]["visit_count"] == 2)
    return server


@pytest.fixture(scope="module")
def key(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What lets a program elsewhere read."""
    words = [sys.executable, "-m", "visitor_tracker", "token", "--data-dir", str(server.folder / "data")]
    folder = tmp_path_factory.mktemp("key")
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.strip()


def test_all_visitors(server: Server) -> None:
    said = read(server, ROUTE).json()
    [record] = said["visitors"]
    assert said["count"] == 1
    assert record == {
        "ip": HOME,
        "country": "United States",
        "country_code": "US",
        "region": "California",
        "city": "San Francisco",
        "org": "Unknown",
        "isp": "Unknown",
        "first_seen": record["first_seen"],
        "last_seen": record["last_seen"],
        "visit_count": 2,
        "paths_visited": ["GET /docs"],
        "user_agents": [FIREFOX],
    }
    assert record["first_seen"].endswith("+00:00")


def test_statistics(server: Server) -> None:
    assert read(server, f"{ROUTE}/stats").json() == {
        "total_visitors": 1,
        "total_visits": 2,
        "countries": {"United States": 1},
        "top_ips": [{"ip": HOME, "country": "United States", "visit_count": 2}],
    }


def test_one_visitor_and_one_that_never_came(server: Server) -> None:
    assert read(server, f"{ROUTE}/{HOME}").json() == read(server, ROUTE).json()["visitors"][0]
    answer = read(server, f"{ROUTE}/1.2.3.4")
    assert (answer.status_code, answer.json()) == (200, {"error": "No data found for IP: 1.2.3.4", "ip": "1.2.3.4"})


@pytest.mark.parametrize("path", [ROUTE, f"{ROUTE}/stats", f"{ROUTE}/{HOME}"])
def test_who_is_elsewhere_needs_a_key(server: Server, key: str, path: str) -> None:
    headers = {"X-Forwarded-For": WORK}
    assert requests.get(f"{server.url}{path}", headers=headers, timeout=SECONDS).status_code == 401
    headers["Authorization"] = f"Bearer {key}"
    assert requests.get(f"{server.url}{path}", headers=headers, timeout=SECONDS).status_code == 200


@pytest.mark.parametrize("words", [[], ["--stats"], ["--json"], ["--ip", HOME], ["--ip", "1.2.3.4"]])
def test_the_script_shows_the_same_of_a_server_and_of_its_store(
    server: Server, key: str, tmp_path: Path, words: list[str]
) -> None:
    asked = script(tmp_path, *words, VISITOR_SERVER=server.url, VISITOR_READ_KEY=key)
    policy = {"VISITOR_TRACKER_IDENTITY_IP": "full", "VISITOR_TRACKER_IDENTITY_USER_AGENT": "full"}
    looked = script(tmp_path, *words, VISITOR_DATA_DIR=str(server.folder / "data"), **policy)
    assert (asked.returncode, asked.stdout, asked.stderr) == (looked.returncode, looked.stdout, looked.stderr)
    assert HOME in asked.stdout or "1.2.3.4" in asked.stderr or "--stats" in words


def test_the_script_says_what_is_wrong_with_a_key_or_a_server(server: Server, tmp_path: Path) -> None:
    refused = script(tmp_path, "--key", "wrong", VISITOR_SERVER=server.url.replace("127.0.0.1", "127.0.0.2"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "view_visitors" in refused.stderr or "visitor-tracker: http://127.0.0.2" in refused.stderr
    nobody = script(tmp_path, VISITOR_SERVER="http://127.0.0.1:9")
    assert (nobody.returncode, "not answered by a Visitor Tracker" in nobody.stderr) == (1, True)


@pytest.fixture(scope="module")
def guarded(start: Start) -> Server:
    """A server with an account."""
    server = start(IDENTITY_IP="full")
    server.set_up("ada", "a long and unusual passphrase")
    return server


def test_with_accounts_even_the_own_machine_needs_a_right_or_a_key(
    guarded: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    until(lambda: read(guarded, ROUTE).status_code == 401)
    assert read(guarded, f"{ROUTE}/stats").status_code == 401
    key = said(capsys, "key", "add", "reports", "--scope", "read", "--data-dir", str(guarded.folder / "data")).strip()
    until(lambda: read(guarded, ROUTE, key).status_code == 200)
    assert read(guarded, ROUTE, key).json() == {"visitors": [], "count": 0}
    done = script(tmp_path, "--stats", VISITOR_SERVER=guarded.url, VISITOR_READ_KEY=key)
    assert (done.returncode, "Total Unique Visitors: 0" in done.stdout) == (0, True)
    refused = script(tmp_path, "--stats", VISITOR_SERVER=guarded.url)
    assert (refused.returncode, "VISITOR_READ_KEY" in refused.stderr) == (1, True)


# visitors.json comes in, and goes out.


@pytest.fixture
def old_file(tmp_path: Path, command: object, store_url: str) -> Path:
    """visitors.json of the text, beside an empty store."""
    path = tmp_path / "visitors.json"
    path.write_text(json.dumps({HOME: RECORD, WORK: OTHER}))
    assert main(["migrate", "--store", store_url]) == 0
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(words) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_a_file_of_old_comes_in_and_goes_out_unchanged(
    old_file: Path, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "site", "set", "default", "--ip", "full", "--user-agent", "full", "--store", store_url)
    assert "2 with their addresses" in said(capsys, "import", str(old_file), "--store", store_url)
    assert TABLE in said(capsys, "visitors", "--store", store_url)
    out = old_file.with_name("out.json")
    said(capsys, "visitors", "--export", str(out), "--store", store_url)
    assert json.loads(out.read_text()) == json.loads(old_file.read_text())
    totals = json.loads(said(capsys, "stats", "--period", "2025-01-15", "--json", "--store", store_url))
    assert totals["totals"]["views"] == 23


def test_a_file_comes_in_once(old_file: Path, store_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "site", "set", "default", "--ip", "full", "--store", store_url)
    for wanted in ({"visitors": 2, "views": 23, "known": 0}, {"visitors": 0, "views": 0, "known": 23}):
        [found] = json.loads(said(capsys, "import", "--json", str(old_file), "--store", store_url))
        assert {name: found[name] for name in wanted} == wanted
    stats = json.loads(said(capsys, "visitors", "--stats", "--json", "--store", store_url))
    assert (stats["total_visitors"], stats["total_visits"]) == (2, 23)


def test_a_later_copy_is_refused(old_file: Path, store_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "import", str(old_file), "--store", store_url)
    old_file.write_text(json.dumps({HOME: RECORD | {"visit_count": 16}, WORK: OTHER}))
    assert main(["import", str(old_file), "--store", store_url]) == 1
    assert "another copy of this file was imported before" in capsys.readouterr().err


def test_a_site_without_addresses_gets_the_counts_only(
    old_file: Path, store_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["import", str(old_file), "--store", store_url]) == 0
    told = capsys.readouterr()
    assert "2  0 with their addresses" in told.out
    assert "the site default keeps no addresses: the visits are counted, who came is not kept" in told.err
    totals = json.loads(
        said(capsys, "stats", "--period", "2025-01-15", "--by", "country", "--json", "--store", store_url)
    )
    assert totals["totals"]["views"] == 23
    assert not any(HOME.encode() in path.read_bytes() for path in tmp_path.rglob("*.db*"))


def test_a_dry_run_stores_nothing(old_file: Path, store_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    [found] = json.loads(said(capsys, "import", "--dry-run", "--json", str(old_file), "--store", store_url))
    assert (found["visitors"], found["views"]) == (2, 23)
    [found] = json.loads(said(capsys, "import", "--json", str(old_file), "--store", store_url))
    assert found["known"] == 0


BAD: dict[str, Json] = {
    "no address": {"somewhere": RECORD | {"ip": "somewhere"}},
    "no visits": {HOME: RECORD | {"visit_count": 0}},
    "no time": {HOME: RECORD | {"first_seen": "yesterday"}},
    "a time to come": {HOME: RECORD | {"last_seen": "2999-01-01T00:00:00+00:00"}},
    "an end before the beginning": {HOME: RECORD | {"last_seen": "2024-01-01T00:00:00+00:00"}},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_record_that_cannot_be_is_told_and_the_others_come_in(
    tmp_path: Path, command: object, bad: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "visitors.json"
    path.write_text(json.dumps({WORK: OTHER} | bad))
    [found] = json.loads(said(capsys, "import", "--json", str(path)))
    assert (found["visitors"], found["unreadable"], len(found["problems"])) == (1, 1, 1)


def test_logs_and_records_do_not_mix(old_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "access.log").write_text('127.0.0.1 - - [10/Oct/2026:13:55:36 +0200] "GET / HTTP/1.1" 200 1\n')
    assert main(["import", str(old_file), str(tmp_path / "access.log")]) == 1
    assert "by a command each" in capsys.readouterr().err
