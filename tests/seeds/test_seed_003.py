"""Seed 003, "Visitor Tracking API documentation", from top to bottom: class, table, routes and JavaScript."""

import http.client
import inspect
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.origins import Relay, Site, served
from tests.mariadb import PASSWORD, USER, MariaDB
from tests.running import SECONDS, Server, until
from tests.seeds.conftest import Json, Start, read
from visitor_tracker import VisitorTrackingServer

PAGE = "https://example.com/"
ROW = {"page_url", "visit_count", "last_visited", "created_at"}


@pytest.fixture
def db_config(mariadb: MariaDB) -> Json:
    """What the text configures, on a real server."""
    database = mariadb.fresh_database()
    return {"host": "localhost", "port": mariadb.port, "user": USER, "password": PASSWORD, "database": database}


@pytest.fixture
def server(db_config: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VisitorTrackingServer]:
    monkeypatch.chdir(tmp_path)
    made = VisitorTrackingServer(host="localhost", port=0, db_config=db_config)
    yield made
    made.close()


@contextmanager
def started(server: VisitorTrackingServer) -> Iterator[str]:
    thread = threading.Thread(target=server.start_server)
    thread.start()
    try:
        assert server.started.wait(SECONDS)
        yield server.address
    finally:
        server.stop_server()
        thread.join(SECONDS)
    assert not thread.is_alive()


def ask(address: str, path: str, **params: str) -> requests.Response:
    return requests.get(f"{address}{path}", params=params, timeout=SECONDS)


# The class.


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("__init__", {"host": "localhost", "port": 8000, "db_config": None, "secret_key": None}),
        ("create_database_table", {}),
        ("execute_query", {"query": ..., "params": (), "fetch_one": False, "fetch_all": False}),
        ("validate_request", {"page_url": ...}),
        ("generate_token", {"page_url": ...}),
        ("update_visitor_count", {"page_url": ...}),
        ("get_visitor_count", {"page_url": None}),
        ("setup_ssl", {"certificate": "server.crt", "key": "server.key"}),
        ("handle_request", {"client_socket": ...}),
        ("start_server", {}),
    ],
)
def test_every_method_takes_what_it_took(name: str, parameters: dict[str, object]) -> None:
    signature = inspect.signature(getattr(VisitorTrackingServer, name))
    found = {
        each.name: ... if each.default is inspect.Parameter.empty else each.default
        for each in list(signature.parameters.values())[1:]
    }
    assert found == parameters


def test_visits_are_counted_through_the_methods(server: VisitorTrackingServer) -> None:
    server.create_database_table()
    assert server.validate_request(PAGE)
    assert not server.validate_request("ftp://example.com/")
    assert [server.update_visitor_count(PAGE)["visit_count"] for _ in range(3)] == [1, 2, 3]
    row = server.get_visitor_count(PAGE)
    assert isinstance(row, dict)
    assert (set(row), row["page_url"], row["visit_count"]) == (ROW, PAGE, 3)
    assert server.get_visitor_count() == [row]


def test_the_table_has_its_fields(server: VisitorTrackingServer) -> None:
    server.create_database_table()
    server.update_visitor_count(PAGE)
    query = "SELECT page_url, visit_count, last_visited, created_at FROM visitors WHERE page_url = %s"
    page_url, visit_count, last_visited, created_at = server.execute_query(query, (PAGE,), fetch_one=True)
    assert (page_url, visit_count) == (PAGE, 1)
    assert 0 < created_at <= last_visited
    assert server.execute_query("SELECT COUNT(*) FROM users", fetch_all=True) == [(0,)]


def test_a_pool_may_be_configured(db_config: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = VisitorTrackingServer(port=0, db_config=db_config | {"pool_name": "visitor_pool", "pool_size": 5})
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: server.update_visitor_count(PAGE)["visit_count"], range(40)))
    server.close()
    assert sorted(counts) == list(range(1, 41))


def test_a_token_proves_a_count(server: VisitorTrackingServer) -> None:
    with started(server) as address:
        row = ask(address, "/update", url=PAGE).json()
        proved = ask(address, "/verify", url=PAGE, token=row["security_token"]).json()
    assert (proved["valid"], proved["visit_count"]) == (True, 1)
    assert len(server.generate_token(PAGE)) == 64


def test_it_serves_over_tls(server: VisitorTrackingServer, tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.crt"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    assert isinstance(server.setup_ssl(), ssl.SSLContext)
    with started(server) as address:
        where = f"https://localhost:{address.rpartition(':')[2]}/update"
        answer = requests.get(where, params={"url": PAGE}, verify="server.crt", timeout=SECONDS)
    assert answer.json()["visit_count"] == 1


def test_it_handles_a_connection_of_the_programs_own(server: VisitorTrackingServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=SECONDS)
        client.connect()
        accepted, _ = listener.accept()
        thread = threading.Thread(target=server.handle_request, args=(accepted,))
        thread.start()
        client.request("GET", f"/update?url={PAGE}")
        assert json.loads(client.getresponse().read())["visit_count"] == 1
        client.close()
        thread.join(SECONDS)
        assert not thread.is_alive()


# The routes.


def test_the_routes(server: VisitorTrackingServer) -> None:
    with started(server) as address:
        counted = ask(address, "/update", url=PAGE)
        assert (counted.status_code, set(counted.json())) == (200, ROW | {"security_token"})
        one = ask(address, "/count", url=PAGE).json()
        assert (set(one), one["visit_count"]) == (ROW, 1)
        assert ask(address, "/count").json() == [one]
        for route in ("/update", "/count"):
            refused = ask(address, route, url="ftp://example.com/")
            assert (refused.status_code, refused.text) == (400, "Invalid URL")


def test_pages_of_any_origin_may_call(server: VisitorTrackingServer) -> None:
    with started(server) as address:
        answer = requests.get(
            f"{address}/update", params={"url": PAGE}, headers={"Origin": "https://a.example"}, timeout=SECONDS
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        # What its own sample sent and its server never answered.
        asked = {"Origin": "https://a.example", "Access-Control-Request-Headers": "content-type"}
        preflight = requests.options(f"{address}/update", headers=asked, timeout=SECONDS)
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_many_requests_at_once_count_each(server: VisitorTrackingServer) -> None:
    with started(server) as address, ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _: ask(address, "/update", url=PAGE).json()["visit_count"], range(80)))
    assert sorted(counts) == list(range(1, 81))


# The JavaScript, in a browser, on a page of another origin.


@pytest.fixture(scope="module")
def running(start: Start) -> Server:
    return start()


@pytest.fixture
def relay(running: Server) -> Iterator[Relay]:
    with served(Relay(lambda: running.port)) as relay:
        yield relay


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as site:
        yield site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def tag(relay: Relay) -> str:
    return f'<b data-visitor-count></b><script src="{relay.url}/client/visitor-tracker.iife.js"></script>'


def test_the_script_counts_the_page_when_it_is_there(page: Page, site: Site, relay: Relay, running: Server) -> None:
    url = site.put("page", tag(relay))
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    assert running.count(url) == 1


def test_the_sample_of_the_text(page: Page, site: Site, relay: Relay, running: Server) -> None:
    sample = """<script>
        const tracker = new VisitorTracker();
        tracker.updateVisitorCount(window.location.href).then((row) => { document.title = row.visit_count; });
    </script>"""
    url = site.put("page", tag(relay).replace("<script ", '<script data-auto="false" ') + sample)
    page.goto(url)
    until(lambda: page.title() == "1")
    assert running.count(url) == 1


CALLS: dict[str, tuple[str, Any]] = {
    "a count": ("getVisitorCount(location.href)", 1),
    "a request of one's own": ("sendGetRequest('/count', {url: location.href})", 1),
    "a visit by request": ("sendGetRequest('/update', {url: location.href})", 2),
}


@pytest.mark.parametrize(("call", "count"), CALLS.values(), ids=CALLS)
def test_the_calls_of_the_class(page: Page, site: Site, relay: Relay, call: str, count: int) -> None:
    page.goto(site.put("page", tag(relay)))
    expect(page.locator("b")).to_have_text("1")
    options = "{headers: {'Content-Type': 'application/json'}}"
    row = page.evaluate(f"() => new VisitorTracker('{relay.url}', {options}).{call}")
    assert row["visit_count"] == count
    assert "OPTIONS" not in {seen.method for seen in relay.seen}


def test_what_goes_wrong_gives_null(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", tag(relay)))
    assert page.evaluate("() => new VisitorTracker('http://127.0.0.1:9').getVisitorCount(location.href)") is None
    assert page.evaluate("() => new VisitorTracker().updateVisitorCount('ftp://example.com/')") is None


def test_all_counts_are_for_the_servers_own_machine(running: Server) -> None:
    assert isinstance(read(running, "/count").json(), list)
    assert read(running, "/count", allow_redirects=False).status_code == 200
    forwarded = requests.get(f"{running.url}/count", headers={"X-Forwarded-For": "203.0.113.1"}, timeout=SECONDS)
    assert forwarded.status_code == 401
