"""Reads attacked with sqlmap: no parameter reaches the database as SQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import SECONDS, Server, until

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 300  # of one target; each takes some seconds on two cores
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept": "*/*"}
# Each answers 200 and shows something of what is stored; * marks where a path is attacked.
TARGETS = (
    "/stats?site=default&period=7d&by=page&order=visits&limit=10&offset=0&filter=page+is+/a&timezone=UTC",
    "/api/v1/stats/query?site=default&metrics=views&dimensions=page&order_by=views:desc&filters=page+is+/a"
    "&date_range=7d&interval=day&timezone=UTC&compare=previous&limit=5",
    "/count?limit=10&order=visits",
    "/api/v1/visits?url=https://example.com/a",
    "/v1/monitoring/visitors?site_id=default&limit=10",
    "/v1/monitoring/visitors/192.0.2.1*",
    "/api/v1/live?site=default&feed=5",
    "/api/v1/replays?site=default&limit=5&before=1790000000000",
    "/api/v1/heatmap?url=https://example.com/a&site=default&viewport=desktop&kind=click",
    "/api/v1/vitals?site=default&from=2026-01-01&to=2026-01-31&by=page&limit=5",
)
BODY = '{"site": "default", "metrics": ["views"], "dimensions": ["page"], "filters": ["is", "page", ["/a"]]}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false"}
    server = Server(folder, f"sqlite:///{folder / 'visits.db'}", settings)
    server.start()
    try:
        for page in "aab":
            url = f"https://example.com/{page}"
            server.session.get(f"{server.url}/update", params={"url": url}, headers=FIREFOX, timeout=SECONDS)
        until(lambda: server.session.get(f"{server.url}/stats", timeout=SECONDS).json()["total_visits"] == 3)
        yield server
    finally:
        server.stop()


def attack(server: Server, target: str, folder: Path, *more: str) -> str:
    """Return what sqlmap says of a target; it asks nobody else, and leaves its files in the folder."""
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("sqlmap")), "--url", server.url + target, "--batch", *more),
            *("--level", "1", "--risk", "1", "--technique", "BEU", "--dbms", "SQLite", "--param-exclude", "user-agent"),
            *("--skip", "cookie,referer,host", "--output-dir", str(folder), "--flush-session", "--disable-coloring"),
            *("--timeout", str(SECONDS), "--retries", "0", "--ignore-proxy"),
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return run.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_no_parameter_is_sql(server: Server, tmp_path: Path, target: str) -> None:
    plain = target.replace("*", "")
    assert server.session.get(server.url + plain, timeout=SECONDS).status_code == 200
    check(server, attack(server, target, tmp_path))


def test_no_part_of_a_query_is_sql(server: Server, tmp_path: Path) -> None:
    path = "/api/v1/stats/query"
    answer = server.session.post(server.url + path, BODY, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    check(server, attack(server, path, tmp_path, "--data", BODY, "--method", "POST"))


def check(server: Server, said: str) -> None:
    assert "all tested parameters do not appear to be injectable" in said, said[-3000:]
    assert "is vulnerable" not in said
    assert "500 (Internal Server Error)" not in said
    assert "Traceback" not in server.log
