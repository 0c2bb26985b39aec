"""Seed 000, "Privacy-Focused Visitor Tracker API", from top to bottom."""

import json
import re
import time
from html import unescape
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.running import SECONDS, Server, until
from tests.seeds.conftest import CHROME, FIREFOX, PHONE, Start, eventually, read, served, visit

HOME, WORK = "203.0.113.42", "198.51.100.10"
# Every route of its code.
DOCUMENTED = {
    "GET /", "POST /track", "POST /click", "GET /stats", "GET /summary", "GET /sites", "POST /register-key",
    "GET /pair/{site_id}", "GET /debug/auth-status/{site_id}", "GET /forecast", "GET /anomalies", "GET /bots",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(start: Start, geolite: Path) -> Server:
    """A server that knows visitors for good, as that one did, and has GeoLite2-City.mmdb."""
    return start(GEO_DATABASE=str(geolite), IDENTITY_VISITOR="persistent")


@pytest.fixture(scope="module")
def visited(server: Server) -> Server:
    """The same, after three visits and a click on the site `shop`."""
    for ip, agent, path in ((HOME, FIREFOX, "/"), (HOME, FIREFOX, "/prices"), (WORK, PHONE, "/")):
        assert visit(server, "POST", "/track", ip, agent, json={"path": path, "site_id": "shop"}).status_code == 200
    target = {"url": "https://elsewhere.example/", "site_id": "shop"}
    assert visit(server, "POST", "/click", HOME, FIREFOX, json=target).status_code == 200
    eventually(server, "/stats?site_id=shop", lambda said: said["total_visits"] == 3 and said["links"])
    return server


def test_all_routes_are_there(server: Server) -> None:
    assert served(server) >= DOCUMENTED


def test_the_root_says_that_it_is_running(server: Server) -> None:
    assert read(server, "/").json()["message"] == "Privacy Visitor Tracker API is running"


def test_a_visit_is_recorded_without_any_body(server: Server) -> None:
    answer = visit(server, "POST", "/track", HOME, FIREFOX)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "ok",
            "country": "US",
            "unique": True,
            "unique_today": True,
            "page": "/",
            "ua_info": {"device": "Desktop", "browser": "Firefox", "os": "Linux"},
            "referrer": "Direct",
        },
    )


def test_a_visit_of_a_page_by_who_was_here(server: Server) -> None:
    visit(server, "POST", "/track", WORK, CHROME)

    def again() -> bool:
        headers = {"Referer": "https://www.google.com/"}
        answer = visit(server, "POST", "/track", WORK, CHROME, json={"path": "/your-page-path"}, headers=headers).json()
        assert (answer["page"], answer["country"], answer["referrer"]) == ("/your-page-path", "CA", "Search Engine")
        return (answer["unique"], answer["unique_today"]) == (False, False)

    until(again)


def test_pages_of_any_origin_may_send(server: Server) -> None:
    answer = visit(server, "POST", "/track", headers={"Origin": "https://example.com"}, json={"path": "/"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    preflight = {"Origin": "https://example.com", "Access-Control-Request-Headers": "content-type"}
    asked = server.session.options(f"{server.url}/track", headers=preflight, timeout=SECONDS)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"].lower()


def test_a_click_on_a_link_is_recorded(server: Server) -> None:
    answer = visit(server, "POST", "/click", json={"url": "https://elsewhere.example/"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "url": "https://elsewhere.example/"})


def test_the_statistics(visited: Server) -> None:
    said = read(visited, "/stats?site_id=shop").json()
    assert {name: said[name] for name in ("total_visits", "unique_visitors", "countries", "pages")} == {
        "total_visits": 3,
        "unique_visitors": 2,
        "countries": {"US": 1, "CA": 1},
        "pages": {"/": 2, "/prices": 1},
    }
    [day] = said["history"]
    assert (set(day), day["total_visits"], day["unique_visitors"]) == (
        {"date", "total_visits", "unique_visitors"}, 3, 2,
    )  # fmt: skip
    assert said["devices"] == {"Desktop": 2, "Mobile": 1}
    assert said["browsers"] == {"Firefox": 2, "Safari": 1}
    assert set(said["os"]) == {"Linux", "iOS"}
    assert said["referrers"] == {"Direct": 3}
    assert said["links"] == {"https://elsewhere.example/": 1}


def test_sites_are_apart(visited: Server) -> None:
    assert read(visited, "/stats?site_id=nobody-was-here").json()["total_visits"] == 0
    assert "/prices" not in read(visited, "/stats").json()["pages"]


def test_the_summary(visited: Server) -> None:
    said = read(visited, "/summary?site_id=shop").json()
    assert said.pop("busiest_day_of_week") in {
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    }  # fmt: skip
    growth = {"current_week_visits": 3, "previous_week_visits": 0, "growth_rate_percent": 0.0}
    assert said == {"average_daily_visits": 3.0, "average_daily_unique": 2.0, "weekly_growth": growth}


def test_a_young_site_has_neither_forecast_nor_anomalies(visited: Server) -> None:
    forecast = read(visited, "/forecast?site_id=shop&days=7").json()
    assert (forecast["can_forecast"], set(forecast)) == (False, {"can_forecast", "message"})
    anomalies = read(visited, "/anomalies?site_id=shop").json()
    assert (anomalies["has_anomalies"], set(anomalies)) == (False, {"has_anomalies", "message"})


def test_there_is_no_summary_of_nothing(server: Server) -> None:
    answer = read(server, "/summary?site_id=nobody-was-here")
    assert (answer.status_code, answer.json()) == (200, {"error": "No data available"})


@pytest.mark.parametrize("path", ["/stats?site_id=shop", "/summary?site_id=shop", "/forecast?site_id=shop", "/sites"])
def test_numbers_are_not_for_strangers(visited: Server, path: str) -> None:
    through_a_proxy = requests.get(f"{visited.url}{path}", headers={"X-Forwarded-For": HOME}, timeout=SECONDS)
    assert through_a_proxy.status_code == 401


# Keys and signatures.


def signed(server: Server, key: Ed25519PrivateKey, path: str, site: str, timestamp: int = 0) -> requests.Response:
    """Ask through a proxy, as an app elsewhere does, with the two headers of old."""
    timestamp = timestamp or int(time.time())
    signature = key.sign(f"{site}:{timestamp}".encode()).hex()
    headers = {"X-Forwarded-For": HOME, "X-Timestamp": str(timestamp), "X-Signature": signature}
    return requests.get(f"{server.url}{path}", headers=headers, timeout=SECONDS)


def test_a_registered_key_reads_its_site_and_no_other(visited: Server) -> None:
    key = Ed25519PrivateKey.generate()
    body = {"site_id": "shop", "public_key_hex": key.public_key().public_bytes_raw().hex()}
    until(lambda: {"id": "shop", "requiresAuth": True} in read(visited, "/sites").json()["sites"])
    until(lambda: read(visited, "/debug/auth-status/shop", headers=visited.admin).json().get("is_locked") is False)
    answer = visited.session.post(f"{visited.url}/register-key", json=body, headers=visited.admin, timeout=SECONDS)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "message": "Public key registered"})
    again = visited.session.post(f"{visited.url}/register-key", json=body, headers=visited.admin, timeout=SECONDS)
    assert again.status_code == 400
    status = read(visited, "/debug/auth-status/shop", headers=visited.admin).json()
    assert (set(status), status["site_id"], status["is_locked"]) == ({"site_id", "is_locked", "db_path"}, "shop", True)
    until(lambda: signed(visited, key, "/stats?site_id=shop", "shop").status_code == 200)
    assert signed(visited, key, "/stats?site_id=shop", "shop").json()["total_visits"] == 3
    assert signed(visited, key, "/summary?site_id=shop", "shop").json()["average_daily_visits"] == 3.0
    assert [each["id"] for each in signed(visited, key, "/sites?site_id=shop", "shop").json()["sites"]] == ["shop"]
    # Another site's numbers, another's key, and one of ten minutes ago.
    assert signed(visited, key, "/stats?site_id=default", "default").status_code == 401
    assert signed(visited, Ed25519PrivateKey.generate(), "/stats?site_id=shop", "shop").status_code == 401
    assert signed(visited, key, "/stats?site_id=shop", "shop", int(time.time()) - 600).status_code == 401


def test_an_app_is_paired_once(visited: Server) -> None:
    page = read(visited, "/pair/default", headers=visited.admin)
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    found = re.search(r"<code>(\{.*?\})</code>", page.text)
    assert found is not None
    pairing = json.loads(unescape(found[1]))
    assert (set(pairing), pairing["site_id"]) == ({"base_url", "site_id", "private_key"}, "default")
    assert "<svg" in page.text
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(pairing["private_key"]))
    until(lambda: signed(visited, key, "/stats", "default").status_code == 200)
    assert read(visited, "/pair/default", headers=visited.admin).status_code == 403
    assert read(visited, "/pair/default?force=true", headers=visited.admin).status_code == 200


@pytest.mark.parametrize("path", ["/pair/shop", "/pair/shop?force=true", "/debug/auth-status/shop"])
def test_keys_are_not_for_strangers(visited: Server, path: str) -> None:
    answer = requests.get(f"{visited.url}{path}", headers={"X-Forwarded-For": HOME}, timeout=SECONDS)
    assert answer.status_code == 401


def test_neither_address_nor_user_agent_is_stored(visited: Server) -> None:
    content = b"".join(path.read_bytes() for path in (visited.folder / "data").rglob("*") if path.is_file())
    assert b"/prices" in content
    assert [text for text in (HOME, WORK, FIREFOX, PHONE) if text.encode() in content] == []
