"""Who may read what, what monitors see, and the pages for people."""

import json
import re

import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from visitor_tracker.access.tokens import ReadToken
from visitor_tracker.config import TlsConfig
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.web.api.embeds import PATHS as EMBEDS
from visitor_tracker.web.dashboard import PATHS as DASHBOARD

READS = ("/count", "/api/v1/visits", "/metrics", "/stats", "/api/v1/live", "/v1/monitoring/visitors")


@pytest.mark.parametrize("target", READS)
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        (LOCAL, {}, 200),
        (Peer("127.8.9.10"), {"host": "127.0.0.1:8000"}, 200),
        (Peer("::1"), {"host": "[::1]:8000"}, 200),
        (Peer("::ffff:127.0.0.1"), {"host": "localhost"}, 200),
        (LOCAL, {"host": "evil.example:8000"}, 401),
        (LOCAL, {"host": "localhost.evil.example"}, 401),
        (LOCAL, {"host": "128.0.0.1"}, 401),
        (LOCAL, {"x-forwarded-for": "192.0.2.1"}, 401),
        (LOCAL, {"x-real-ip": "127.0.0.1"}, 401),
        (LOCAL, {"forwarded": "for=127.0.0.1"}, 401),
        (LOCAL, {"via": "1.1 proxy"}, 401),
        (LOCAL, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        (LOCAL, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        (LOCAL, {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
        (REMOTE, {}, 401),
        (REMOTE, {"host": "localhost"}, 401),
        (Peer("", unix=True), {}, 401),
        (REMOTE, {"authorization": "Bearer "}, 401),
        (REMOTE, {"authorization": "Bearer " + "0" * 64}, 401),
        (REMOTE, {"authorization": "Basic TOKEN"}, 401),
        (REMOTE, {"authorization": "Bearer TOKEN"}, 200),
        (REMOTE, {"authorization": "bearer TOKEN"}, 200),
    ],
)
def test_numbers_of_all_pages_stay_on_this_machine(
    site: Site, target: str, peer: Peer, headers: dict[str, str], status: int
) -> None:
    token = ReadToken(site.app.store.secret("reads")).text
    answer = site.ask(target, peer=peer, headers={key: value.replace("TOKEN", token) for key, value in headers.items()})
    assert answer.status == status
    if status == 401:
        assert header(answer, "WWW-Authenticate").startswith("Bearer")
        assert "visitor-tracker token" in json.loads(answer.body)["error"]["hint"]


@pytest.mark.parametrize("target", READS)
def test_a_proxy_that_says_nothing_of_itself_is_not_this_machine(site: Site, target: str) -> None:
    plain_nginx = {"connection": "close", "host": "127.0.0.1:8000"}
    old = Request("GET", target, "", plain_nginx, b"", keep_alive=False, peer=LOCAL, version="HTTP/1.0")
    answer = site.app.router(old)
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert site.ask(target, headers=plain_nginx).status == 200


NO_READS = {
    *("GET /", "GET /client/", "GET /demo", "GET /healthz", "GET /readyz", "GET /script.js", "GET /what-we-send"),
    *("GET /badge.json", "GET /badge.svg", "GET /count", "GET /pixel.gif", "GET /update", "GET /verify"),
    *("GET /api/v1/visits", "GET /e", "GET /gc/count", "GET /matomo.php", "GET /piwik.php"),
    *("GET /counters", *(f"GET {path}" for path in DASHBOARD)),
    *("GET /openapi.json", "GET /docs", "GET /redoc"),
    *("GET /login", "GET /setup", "GET /api/v1/login", "GET /api/v1/setup", "GET /api/v1/login/ways"),
    *("GET /login/oidc", "GET /login/oidc/callback", "GET /share/{token}", "GET /privacy", "GET /api/v1/my-data"),
    *("GET /api/v1/stats/definitions", "GET /health", "GET /unsubscribe"),
    *("GET /widget/most-read", "GET /widget/most-read.json", *(f"GET {path}" for path in EMBEDS)),
}


def test_what_shows_numbers_is_for_readers(site: Site) -> None:
    """A route that is not in the list above must be one for readers, and refuse all others in every way."""
    reads = [route for route in site.app.router.routes if route.access not in ("public", "own")]
    gets = {f"GET {route.path}" for route in site.app.router.routes if route.method == "GET" and route not in reads}
    assert {"GET /client/" if get.startswith("GET /client/") else get for get in gets} <= NO_READS
    there = {"origin": "https://evil.example"}
    by_script = there | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    for route in reads:
        odd = route.path[: route.path.rfind("/") + 1] + "..%2f%00%ff"
        for path in (route.path, odd) if route.path.endswith("}") else (route.path,):
            for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
                for peer, headers, status in ((REMOTE, there, 401), (LOCAL, by_script, 403)):
                    answer = site.ask(path, method=method, peer=peer, headers=headers)
                    assert answer.status == status, (method, path)
                    assert header(answer, "Access-Control-Allow-Origin") == "", (method, path)


@pytest.mark.parametrize("target", READS)
def test_a_foreign_page_cannot_read_lists_through_a_browser(site: Site, target: str) -> None:
    answer = site.ask(target, headers={"origin": "https://evil.example"})
    assert header(answer, "Access-Control-Allow-Origin") == ""


def test_no_answer_with_numbers_is_stored_and_none_repeats_the_host(site: Site) -> None:
    public = {"/badge.svg", "/badge.json"}  # kept for counter.badge_seconds
    files = {"/demo", "/script.js", "/openapi.json"}
    for route in site.app.router.routes:
        page = "?url=https://example.com/"
        for query in ("",) if route.access == "read" else ("", page):
            answer = site.ask(route.path + query, method=route.method, headers={"host": "127.66.66.66:4711"})
            said = answer.body + repr(answer.headers).encode()
            assert b"127.66.66.66" not in said or route.path == "/api/v1/checks", route  # which tells what came
            kept = (query and route.path in public) or route.path in files or route.path.startswith("/client/")
            assert kept or header(answer, "Cache-Control") == "no-store", route


def test_one_page_is_public(site: Site) -> None:
    for path in ("/count", "/api/v1/visits"):
        answer = site.ask(f"{path}?url=https://example.com/", peer=REMOTE)
        assert (answer.status, header(answer, "Access-Control-Allow-Origin")) == (200, "*")


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/nothing", 404, ""),
        ("GET", "/client/../config.yaml", 404, ""),
        ("GET", "/client/%2e%2e/config.yaml", 404, ""),
        ("GET", "/client/", 404, ""),
        ("POST", "/update", 405, "OPTIONS, GET, HEAD"),
        ("DELETE", "/api/v1/visits", 405, "OPTIONS, GET, HEAD, POST"),
        ("OPTIONS", "/metrics", 204, "OPTIONS, GET, HEAD"),
        ("OPTIONS", "*", 204, "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"),
    ],
)
def test_no_such_route(site: Site, method: str, target: str, status: int, allow: str) -> None:
    answer = site.ask(target, method=method)
    assert (answer.status, header(answer, "Allow")) == (status, allow)
    if status >= 400:
        assert set(json.loads(answer.body)["error"]) == {"code", "message", "hint"}


def test_front_page_for_programs(site: Site) -> None:
    says = json.loads(site.ask("/", headers={"accept": "*/*"}).body)
    assert says["message"] == "Privacy Visitor Tracker API is running"
    assert re.fullmatch(r"\d+\.\d+\.\d+", says["version"])
    assert "GET /update" in says["endpoints"]
    client = [route for route in says["endpoints"] if "/client/" in route]
    assert client == ["GET /client/visitor-tracker.iife.js", "GET /client/visitor-tracker.js"]


def test_the_page_of_the_counters(site: Site) -> None:
    empty = site.ask("/counters").body.decode()
    assert "No visit yet" in empty
    site.ask("/update?url=https%3A%2F%2Fexample.com%2F%3Fq%3D%3Cscript%3Ealert(1)%3C/script%3E%26%22")
    answer = site.ask("/counters")
    page = answer.body.decode()
    assert "1 visit to 1 page<" in page
    assert "<script" not in page
    assert all(link.startswith(("https://", "/")) for link in re.findall(r'href="([^"]*)"', page))
    policy = header(answer, "Content-Security-Policy")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert header(answer, "X-Content-Type-Options") == "nosniff"
    remote = site.ask("/counters", peer=REMOTE).body.decode()
    assert "example.com" not in remote
    assert "visitor-tracker token" in remote
    assert "GET /update" in remote


def test_browsers_get_the_dashboard(site: Site) -> None:
    """The same page at every address of it, for everybody: what it shows it asks the API for."""
    for path in ("/", "/dashboard", "/dashboard/blog", "/dashboard/blog/goals/7", "/admin/users", "/admin/users/ada"):
        answer = site.ask(path, headers={"accept": "text/html,*/*"}, peer=REMOTE)
        assert answer.status == 200, path
        assert b'id="app"' in answer.body, path
        policy = header(answer, "Content-Security-Policy")
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy, path


def test_monitors(site: Site) -> None:
    site.ask("/update?url=https://example.com/")
    assert site.ask("/healthz", peer=REMOTE).status == 200
    assert json.loads(site.ask("/readyz", peer=REMOTE).body) == {
        "status": "ok",
        "store": "ok",
        "journal": "ok",
        "journal_lag_bytes": 0,
        "visitor_keys": "ok",
    }
    lines = site.ask("/metrics").body.decode().splitlines()
    assert "visitor_tracker_accepted_total 1" in lines
    assert "# TYPE visitor_tracker_accepted_total counter" in lines
    assert "# TYPE visitor_tracker_connections_open gauge" in lines


def test_https_can_be_remembered(build: Build) -> None:
    site = build(tls=TlsConfig(hsts=True))
    assert header(site.ask("/", peer=Peer("192.0.2.1", secure=True)), "Strict-Transport-Security") == "max-age=31536000"
    assert header(site.ask("/"), "Strict-Transport-Security") == ""
    request = Request(
        "GET", "/healthz", "", {"host": "a.example"}, b"", keep_alive=True, peer=Peer("192.0.2.1", secure=True)
    )
    answer = site.app.router.at_once(request)
    assert isinstance(answer, Response)
    assert [name for name, _ in answer.headers].count("Strict-Transport-Security") == 1


def test_a_forgotten_proxy_is_warned_of_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for peer in (REMOTE, Peer("203.0.113.1"), Peer("10.0.0.1"), LOCAL):
        site.ask("/update?url=https://example.com/", peer=peer, headers={"x-forwarded-for": "198.51.100.1"})
    [warning] = [record.getMessage() for record in caplog.records if "trusted_proxies" in record.getMessage()]
    assert "198.51.100.1" not in warning
