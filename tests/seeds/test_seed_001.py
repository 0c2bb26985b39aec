"""Seed 001, "Visitor Tracking System", from top to bottom: routes of a server, functions, file and script."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import requests

from tests.running import SECONDS, until
from tests.seeds.conftest import Json
from visitor_tracker import visitor_file
from visitor_tracker.middleware import visitors_json
from visitor_tracker.middleware.visitors_json import FileError

COMPAT = Path(__file__).parents[2] / "deploy" / "compat"
HOME, WORK = "203.0.113.42", "198.51.100.10"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
RECORD: Json = {
    "ip": HOME, "country": "United States", "country_code": "US", "region": "California", "city": "San Francisco",
    "org": "Example ISP", "isp": "Example ISP", "first_seen": "2025-01-15T10:30:00+00:00",
    "last_seen": "2025-01-15T14:22:00+00:00", "visit_count": 15,
    "paths_visited": ["GET /docs", "GET /v1/health", "POST /v1/chat"], "user_agents": [AGENT],
}  # fmt: skip
OTHER: Json = RECORD | {
    "ip": WORK, "country": "Canada", "country_code": "CA", "region": "Ontario", "city": "Toronto",
    "org": "Another ISP", "isp": "Another ISP", "first_seen": "2025-01-15T11:00:00+00:00",
    "last_seen": "2025-01-15T13:45:00+00:00", "visit_count": 8,
}  # fmt: skip
# The two examples of the text, to the letter.
TABLE = """\
IP Address         Country              City                  Organization                    Visits  First Seen            Last Seen
------------------------------------------------------------------------------------------------------------------------------------------------
203.0.113.42       United States        San Francisco         Example ISP                     15      2025-01-15T10:30:00   2025-01-15T14:22:00
198.51.100.10      Canada               Toronto               Another ISP                     8       2025-01-15T11:00:00   2025-01-15T13:45:00
"""  # noqa: E501
STATISTICS = """\
================================================================================
VISITOR STATISTICS
================================================================================
Total Unique Visitors: 42
Total Visits: 156

Visitors by Country:
  United States: 25
  Canada: 8
  United Kingdom: 5
  Germany: 4

Top 10 IPs by Visit Count:
  1. 203.0.113.42      United States        (15 visits)
  2. 198.51.100.10     Canada               (8 visits)
"""
PROGRAM = '''\
"""A program with the middleware of old, and the router with which it shows its visitors."""

from fastapi import FastAPI

from services.api.middleware.visitor_tracker import VisitorTrackingMiddleware, get_all_visitors, get_visitor_stats

app = FastAPI()
app.add_middleware(VisitorTrackingMiddleware)


@app.get("/v1/monitoring/visitors")
def visitors() -> dict[str, object]:
    found = get_all_visitors()
    return {"visitors": found, "count": len(found)}


@app.get("/v1/monitoring/visitors/stats")
def stats() -> dict[str, object]:
    return get_visitor_stats()


@app.post("/v1/chat")
def chat() -> dict[str, str]:
    return {"said": "hello"}
'''


def script(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python view_visitors.py` in a folder where it was put."""
    shutil.copy(COMPAT / "view_visitors.py", folder)
    own = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
    environment = {**own, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables}
    return subprocess.run(
        [sys.executable, "view_visitors.py", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the file of the text, and VISITOR_DATA_DIR says so."""
    monkeypatch.setenv("VISITOR_DATA_DIR", str(tmp_path))
    visitor_file.save_visitor_data({HOME: RECORD, WORK: OTHER})
    return tmp_path


# The script.


def test_all_visitors_as_a_table(folder: Path) -> None:
    done = script(folder, VISITOR_DATA_DIR=str(folder))
    frame = "=" * 80
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{frame}\nALL VISITORS\n{frame}\n{TABLE}{frame}\n"


def test_statistics(folder: Path) -> None:
    """The text has 42 visitors and 156 visits."""
    places = ["United States"] * 24 + ["Canada"] * 7 + ["United Kingdom"] * 5 + ["Germany"] * 4
    others = {
        f"192.0.2.{number}": RECORD
        | {"ip": f"192.0.2.{number}", "country": place, "visit_count": 4 if number < 13 else 3}
        for number, place in enumerate(places)
    }
    visitor_file.save_visitor_data({WORK: OTHER, **others, HOME: RECORD})
    done = script(folder, "--stats", VISITOR_DATA_DIR=str(folder))
    assert done.stdout.startswith(STATISTICS)
    rest = done.stdout.removeprefix(STATISTICS).splitlines()
    assert ([line[:5] for line in rest[:-1]], rest[-1]) == ([f"  {n}. "[:5] for n in range(3, 11)], "=" * 80)


def test_as_json(folder: Path) -> None:
    assert json.loads(script(folder, "--json", VISITOR_DATA_DIR=str(folder)).stdout) == [RECORD, OTHER]


def test_one_visitor(folder: Path) -> None:
    done = script(folder, "--ip", HOME, VISITOR_DATA_DIR=str(folder))
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[1]) == (0, f"VISITOR DETAILS: {HOME}")
    for line in ("Country: United States (US)", "Visit Count: 15", "Paths Visited (3):", "User Agents (1):"):
        assert line in lines
    nobody = script(folder, "--ip", "1.2.3.4", VISITOR_DATA_DIR=str(folder))
    assert (nobody.returncode, nobody.stdout, nobody.stderr) == (
        1, "", "visitor-tracker: No data found for IP: 1.2.3.4\n",
    )  # fmt: skip


def test_a_script_that_finds_nothing_says_where_it_looked(tmp_path: Path) -> None:
    done = script(tmp_path, VISITOR_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")
    assert str(tmp_path / "visitors.json") in done.stderr


@pytest.mark.parametrize("content", ["{", "[1]", '{"1.2.3.4": 5}', '{"1.2.3.4": {"visit_count": "many"}}'])
def test_a_broken_file_is_told_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / "visitors.json").write_text(content)
    done = script(tmp_path, VISITOR_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "visitors.json" in done.stderr
    assert (tmp_path / "visitors.json").read_text() == content


# The functions and the file.


def test_every_name_of_old_can_be_imported() -> None:
    file = {name for name in dir(visitor_file) if not name.startswith("_")}
    assert {
        "VisitorTrackingMiddleware", "get_client_ip", "get_ip_geolocation", "load_visitor_data", "save_visitor_data",
        "track_visitor", "get_all_visitors", "get_visitor_stats",
    } <= file  # fmt: skip


def test_a_visitor_is_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISITOR_DATA_DIR", str(tmp_path / "new"))
    for path, method in (("/v1/health", "GET"), ("/v1/chat", "POST"), ("/v1/health", "GET")):
        visitor_file.track_visitor("192.168.1.7", path, method, AGENT)
    [record] = visitor_file.get_all_visitors()
    assert record["first_seen"] <= record["last_seen"]
    assert record["last_seen"].endswith("+00:00")
    assert record == {
        "ip": "192.168.1.7",
        "country": "Local",
        "country_code": "LOCAL",
        "region": "Local Network",
        "city": "Local",
        "org": "Local Network",
        "isp": "Local",
        "first_seen": record["first_seen"],
        "last_seen": record["last_seen"],
        "visit_count": 3,
        "paths_visited": ["GET /v1/health", "POST /v1/chat"],
        "user_agents": [AGENT],
    }
    stored = json.loads((tmp_path / "new" / "visitors.json").read_text())
    assert stored == {"192.168.1.7": record} == visitor_file.load_visitor_data()


def test_the_statistics_of_the_functions(folder: Path) -> None:
    assert visitor_file.get_visitor_stats() == {
        "total_visitors": 2,
        "total_visits": 23,
        "countries": {"Canada": 1, "United States": 1},
        "top_ips": [
            {"ip": HOME, "country": "United States", "visit_count": 15},
            {"ip": WORK, "country": "Canada", "visit_count": 8},
        ],
    }


def test_places(geolite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor_file._geo.cache_clear()
    monkeypatch.setenv("VISITOR_TRACKER_GEO_DATABASE", str(geolite))
    found = visitor_file.get_ip_geolocation(HOME)
    visitor_file._geo.cache_clear()
    names = ("country", "country_code", "region", "city")
    assert tuple(found[name] for name in names) == ("United States", "US", "California", "San Francisco")


def test_nobody_is_asked_for_a_place_unless_the_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    visitor_file._geo.cache_clear()
    found = visitor_file.get_ip_geolocation("8.8.8.8")
    assert (found["country"], found["country_code"], found["isp"]) == ("Unknown", "XX", "Unknown")


@pytest.mark.parametrize(
    ("headers", "ip"),
    [
        ({"X-Forwarded-For": f"{HOME}, 10.0.0.9"}, HOME),
        ({"X-Real-IP": WORK}, WORK),
        ({}, "10.0.0.1"),
    ],
)
def test_the_address_comes_from_a_proxy_that_is_trusted(headers: dict[str, str], ip: str) -> None:
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "client": ("10.0.0.1", 1234), "headers": sent}
    assert visitor_file.get_client_ip(scope, trusted_proxies=["10.0.0.0/8"]) == ip
    assert visitor_file.get_client_ip(scope) == "10.0.0.1"


def track_some(folder: str) -> None:
    os.environ["VISITOR_DATA_DIR"] = folder
    for _ in range(25):
        visitor_file.track_visitor(HOME, "/", "GET", AGENT)


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        for done in [pool.submit(track_some, str(tmp_path)) for _ in range(4)]:
            done.result()
    assert json.loads((tmp_path / "visitors.json").read_text())[HOME]["visit_count"] == 100


def test_without_a_folder_of_its_own_the_file_is_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VISITOR_DATA_DIR", raising=False)
    assert str(visitors_json.OLD_FOLDER) == "/root/WIP/data/visitors"
    monkeypatch.setattr(visitors_json, "OLD_FOLDER", tmp_path / "old")
    assert visitors_json.folder_of() == Path("data")
    (tmp_path / "old").mkdir()
    assert visitors_json.folder_of() == tmp_path / "old"


def test_a_folder_that_cannot_be_written_has_one_below_the_temporary_ones_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").write_text("")
    named = {"VISITOR_DATA_DIR": str(tmp_path / "file" / "below")}
    instead = visitors_json.folder_of(named)
    assert (instead.parent, instead.stat().st_mode & 0o777) == (tmp_path, 0o700)
    instead.rmdir()
    instead.symlink_to("/")
    with pytest.raises(FileError, match="not this user's alone"):
        visitors_json.folder_of(named)


# The middleware in a program.


@pytest.fixture
def program(tmp_path: Path) -> Iterator[str]:
    """The program of old with the new middleware file in the place of the old one, under uvicorn."""
    place = tmp_path / "services" / "api" / "middleware"
    place.mkdir(parents=True)
    shutil.copy(COMPAT / "visitor_tracker.py", place)
    (tmp_path / "services" / "api" / "main.py").write_text(PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        command = [sys.executable, "-m", "uvicorn", "services.api.main:app", "--fd", str(listener.fileno())]
        own = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
        path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
        environment = own | {"PYTHONPATH": path, "VISITOR_DATA_DIR": str(tmp_path / "visitors")}
        process = subprocess.Popen(
            [*command, "--log-level", "warning"], cwd=tmp_path, env=environment, pass_fds=[listener.fileno()]
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(SECONDS)


def test_the_middleware_counts_all_requests_of_a_program(program: str, tmp_path: Path) -> None:
    for _ in range(2):
        answer = requests.post(f"{program}/v1/chat", headers={"User-Agent": AGENT}, timeout=SECONDS)
        assert answer.json() == {"said": "hello"}

    def visitors() -> Json:
        found: Json = requests.get(f"{program}/v1/monitoring/visitors", timeout=SECONDS).json()
        return found

    until(lambda: "GET /v1/monitoring/visitors" in str(visitors()))
    [record] = visitors()["visitors"]
    assert (record["ip"], record["country"], record["paths_visited"][0]) == ("127.0.0.1", "Local", "POST /v1/chat")
    assert AGENT in record["user_agents"]
    stats = requests.get(f"{program}/v1/monitoring/visitors/stats", timeout=SECONDS).json()
    assert stats["total_visitors"] == 1
    assert (tmp_path / "visitors" / "visitors.json").is_file()
