"""Seed 004, "Website Analytics", from top to bottom: the script in a browser, events, statistics, sessions."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Page

from tests.browser.conftest import browser_of_a_person, person
from tests.browser.origins import Relay, Site, served
from tests.running import SECONDS, Server, until
from tests.seeds.conftest import FIREFOX, Json, Start, eventually, read, visit
from tests.seeds.conftest import served as routes_of

__all__ = ["browser_of_a_person", "person"]

SESSION = "3f0c7b52-8a7d-4d52-9c3f-5d8f6a8e9b10"
STATS = ("pageviews", "identify_events", "custom_events", "click_events", "rrweb_events", "total_sessions")
# The two payloads of the text.
PAGEVIEW: Json = {
    "type": "pageview",
    "websiteId": "your-website-id",
    "domain": "yourdomain.com",
    "href": "http://localhost:3000/",
    "referrer": None,
    "viewport": {"width": 1920, "height": 1080},
    "visitorId": "uuid-here",
    "sessionId": "session-uuid-here",
}
BUFFERED: Json = {
    "metadata": {
        "sessionId": "session-uuid-here",
        "url": "http://localhost:3000/",
        "screen": "1920x1080",
        "timestamp": "2025-01-01T00:00:00.000Z",
    },
    "analytics": [
        {
            "type": "click",
            "tag": "BUTTON",
            "id": "submit-btn",
            "class": "btn btn-primary",
            "text": "Submit",
            "x": 100,
            "y": 200,
            "timestamp": 1704067200000,
        }
    ],
    "replay": [],
}
RECORDED = [
    {"type": 4, "data": {"href": "http://localhost:3000/", "width": 1920, "height": 1080}, "timestamp": 1704067200000},
    {
        "type": 2,
        "data": {
            "node": {"type": 0, "id": 1, "childNodes": [
                {"type": 2, "tagName": "html", "attributes": {}, "id": 2, "childNodes": []},
            ]},
            "initialOffset": {"left": 0, "top": 0},
        },
        "timestamp": 1704067200001,
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def server(start: Start) -> Server:
    """A server whose visitors are known by their pages, as that one's were; it records sessions."""
    return start(IDENTITY_VISITOR="client", TRACKER_MODULES="[clicks, replay]")


@pytest.fixture(scope="module")
def told(server: Server) -> Server:
    """The same after the payloads of the text, an identify and a custom event."""
    for path, body in (
        ("/collect", PAGEVIEW),
        ("/collect", PAGEVIEW | {"type": "identify", "data": {"user_id": "somebody", "plan": "pro"}}),
        ("/collect", PAGEVIEW | {"type": "custom", "name": "signup", "data": {"plan": "pro"}}),
        ("/api/events", BUFFERED),
        ("/api/events", BUFFERED | {"analytics": [], "replay": RECORDED}),
    ):
        answer = visit(server, "POST", path, agent=FIREFOX, json=body)
        assert (answer.status_code, answer.headers["X-Tracker"]) == (200, "accepted"), answer.text
    eventually(server, "/stats?site_id=your-website-id", lambda said: said["click_events"] and said["custom_events"])
    return server


# What programs ask for.


def test_the_root_tells_of_the_api(server: Server) -> None:
    said = read(server, "/").json()
    assert {"message", "version", "endpoints"} <= set(said)
    assert {"POST /collect", "POST /api/events", "GET /stats", "GET /sessions/{id}"} <= set(said["endpoints"])


@pytest.mark.parametrize("path", ["/collect", "/api/events"])
def test_any_domain_may_send(server: Server, path: str) -> None:
    asked = {"Origin": "https://yourdomain.com", "Access-Control-Request-Headers": "content-type"}
    answer = server.session.options(f"{server.url}{path}", headers=asked, timeout=SECONDS)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    body = PAGEVIEW if path == "/collect" else BUFFERED
    sent = visit(server, "POST", path, "198.51.100.20", headers={"Origin": "https://yourdomain.com"}, json=body)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert (sent.json()["status"], sent.json()["accepted"]) == ("ok", 1)


def test_the_statistics(told: Server) -> None:
    said = read(told, "/stats?site_id=your-website-id").json()
    assert {name: type(said[name]) for name in STATS} == dict.fromkeys(STATS, int)
    assert {name: said[name] > 0 for name in STATS} == dict.fromkeys(STATS, True)


def test_all_events_of_a_session(told: Server) -> None:
    wanted = lambda said: said.get("click_events") and said.get("rrweb_events")  # noqa: E731
    said = eventually(told, f"/sessions/{PAGEVIEW['sessionId']}", wanted)
    assert (said["session_id"], said["site"]) == ("session-uuid-here", "your-website-id")
    assert said["identify_events"] == said["custom_events"] == 1
    assert said["rrweb_events"] == len(RECORDED)
    assert said["total_events"] == len(said["events"]) >= 4
    click = next(event for event in said["events"] if event["type"] == "click")
    assert (click["text"], click["href"]) == ("Submit", "http://localhost:3000/")
    assert click["element"] == {"tag": "BUTTON", "id": "submit-btn", "class": "btn btn-primary", "x": 100, "y": 200}


def test_a_session_that_never_was(told: Server) -> None:
    answer = read(told, f"/sessions/{uuid4()}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Session not found")


def test_robots_are_kept_apart(start: Start) -> None:
    server = start()
    visit(server, "POST", "/collect", agent="Mozilla/5.0 (compatible; Googlebot/2.1)", json=PAGEVIEW)
    visit(server, "POST", "/collect", agent=FIREFOX, json=PAGEVIEW)
    assert eventually(server, "/stats", lambda said: said["pageviews"])["pageviews"] == 1


# The newer routes of its code.


def test_the_newest_sessions(told: Server) -> None:
    said = read(told, "/sessions?site_id=your-website-id").json()
    assert said["count"] == len(said["sessions"]) >= 1
    first = said["sessions"][0]
    assert (first["site_id"], first["status"], first["ended_at"]) == ("your-website-id", "active", None)
    assert read(told, f"/sessions/{first['session_id']}").json()["site"] == "your-website-id"
    assert read(told, "/sessions?limit=1").json()["count"] == 1
    assert read(told, "/sessions?status=ended").json() == {"sessions": [], "count": 0}
    assert read(told, "/sessions?status=active").json()["count"] >= 1


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "status=asleep", "site_id=nobody"])
def test_sessions_that_cannot_be_asked_for(told: Server, query: str) -> None:
    answer = read(told, f"/sessions?{query}")
    assert answer.status_code == (404 if "site_id" in query else 400)
    assert answer.json()["error"]["hint"]


def test_where_a_session_clicked(told: Server) -> None:
    path = f"/heatmap/{PAGEVIEW['sessionId']}"
    said = eventually(told, f"{path}?page_url=http://localhost:3000/", lambda said: said.get("total"))
    assert said["grid_size"] == 10
    assert said["points"][0] == {"x": 100, "y": 200, "count": said["total"]}
    assert read(told, f"{path}?page_url=http://localhost:3000/other").json()["points"] == []
    assert read(told, path).json()["total"] == said["total"]
    assert read(told, f"/heatmap/{uuid4()}").status_code == 404


def test_websites_are_made_listed_changed_and_removed(start: Start) -> None:
    server = start()  # of its own: with the first site that somebody makes, events make no more

    def ask(method: str, path: str, status: int, **body: object) -> Json:
        url = f"{server.url}{path}"
        answer = server.session.request(method, url, json=body or None, headers=server.admin, timeout=SECONDS)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else {}

    made = ask("POST", "/websites", 201, name="My Blog", domain="https://Blog.example.com/", color="red")
    assert (made["id"], made["domain"], made["is_public"]) == ("blog.example.com", "blog.example.com", False)
    assert ask("POST", "/websites", 201, name="shop")["id"] == "shop"
    assert ask("POST", "/websites", 409, name="shop")["error"]["code"] == "site_taken"
    assert ask("POST", "/websites", 400, name="My Shop")["error"]["code"] == "invalid_site"
    assert ask("POST", "/websites", 400, domain="no host/")["error"]["code"] == "invalid_site"
    said = ask("GET", "/websites", 200)
    assert said["count"] == len(said["websites"])
    assert made in said["websites"]
    one = "/websites/blog.example.com"
    assert ask("GET", one, 200) == made
    assert ask("PUT", one, 200, domain="www.example.com", is_public=True) == made | {
        "domain": "www.example.com", "domains": ["www.example.com"], "is_public": True,
    }  # fmt: skip
    assert ask("PATCH", one, 200, domain="")["domains"] == []
    ask("DELETE", one, 204)
    assert ask("GET", one, 404)["error"]["code"] == "unknown_site"


@pytest.mark.parametrize("path", ["/stats", "/sessions", "/websites", f"/sessions/{SESSION}", f"/heatmap/{SESSION}"])
def test_numbers_are_not_for_strangers(told: Server, path: str) -> None:
    assert (
        requests.get(f"{told.url}{path}", headers={"X-Forwarded-For": "203.0.113.1"}, timeout=SECONDS).status_code
        == 401
    )


def test_health(server: Server) -> None:
    answer = read(server, "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy", "database": "connected"})


def test_the_api_is_documented(server: Server) -> None:
    for path in ("/docs", "/redoc"):
        assert read(server, path, allow_redirects=False).status_code == 200
    assert "/collect" in read(server, "/openapi.json").json()["paths"]
    assert {"GET /docs", "GET /redoc"} <= routes_of(server)


# The script.


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    with served(Relay(lambda: server.port)) as relay:
        yield relay


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as site:
        yield site


def tag(website: str, attributes: str = 'data-allow-localhost="true"', src: str = "script.js") -> str:
    """Return the tag of the text."""
    return f'<script src="{src}" data-website-id="{website}" data-domain="yourdomain.com" {attributes}></script>'


def with_script(page: Page, relay: Relay) -> None:
    """Let the web site have the script beside its pages, as the text has it."""
    body = requests.get(f"{relay.url}/script.js", timeout=SECONDS).text
    page.route("**/script.js", lambda route: route.fulfill(body=body, content_type="text/javascript"))


def count(server: Server, website: str, wanted: dict[str, int]) -> dict[str, int]:
    """Wait for at least these numbers of a website, and return what they are."""
    path = f"/stats?site_id={website}"
    said = eventually(server, path, lambda said: all(said[name] >= number for name, number in wanted.items()))
    return {name: said[name] for name in wanted}


def leave(page: Page) -> None:
    page.goto("about:blank")


def test_the_script_beside_the_page_tells_what_happens_on_it(
    person: Page, site: Site, relay: Relay, server: Server
) -> None:
    with_script(person, relay)
    attributes = f'data-allow-localhost="true" data-debug="true" data-api-url="{relay.url}"'
    body = '<button id="submit-btn" class="btn btn-primary">Submit</button><p style="height:3000px"></p>'
    person.goto(site.put("page", tag("story", attributes) + body))
    person.wait_for_function("typeof window.analytics === 'function'")
    person.evaluate("""() => {
        analytics('Signup', {plan: 'pro'});
        analytics.track('Order', {items: 2});
        analytics.identify('somebody', {plan: 'pro'});
    }""")
    person.wait_for_function("performance.getEntriesByType('resource').some((each) => /clicks/.test(each.name))")
    person.click("#submit-btn")
    leave(person)
    wanted = {"pageviews": 1, "custom_events": 2, "identify_events": 1, "click_events": 1, "total_sessions": 1}
    assert count(server, "story", wanted) == wanted


def test_a_session_is_recorded(person: Page, site: Site, relay: Relay, server: Server) -> None:
    source = f"{relay.url}/script.js"
    person.goto(site.put("page", tag("recorded", 'data-allow-localhost data-modules="replay"', source) + "<p>Hello"))
    assert count(server, "recorded", {"rrweb_events": 2})["rrweb_events"] >= 2


CONSOLE: dict[str, tuple[str, bool]] = {
    "by default": ("", False),
    "with debug": ('data-debug="true"', True),
    "with debug off": ('data-debug="false"', False),
    "with debug and no console": ('data-debug="true" data-disable-console="true"', False),
}


@pytest.mark.parametrize(("attributes", "speaks"), CONSOLE.values(), ids=CONSOLE)
def test_what_the_console_shows(person: Page, site: Site, relay: Relay, attributes: str, speaks: bool) -> None:
    said: list[str] = []
    person.on("console", lambda message: said.append(message.type))
    source = f"{relay.url}/script.js"
    person.goto(site.put("page", tag("console", f'data-allow-localhost="true" {attributes}', source)))
    person.wait_for_function("typeof window.analytics === 'function'")
    person.evaluate("analytics('Told')")
    if speaks and "info" not in said:
        person.wait_for_event("console", lambda message: message.type == "info")
    leave(person)
    until(lambda: any("Told" in seen.body.decode() for seen in relay.seen if seen.method == "POST"))
    assert ("info" in said) is speaks


LOCALHOST = {"by default": "", "when it is off": 'data-allow-localhost="false"'}


@pytest.mark.parametrize("attributes", LOCALHOST.values(), ids=LOCALHOST)
def test_localhost_is_left_out(person: Page, site: Site, relay: Relay, attributes: str) -> None:
    person.goto(site.put("page", tag("nobody", attributes, f"{relay.url}/script.js")))
    person.wait_for_function("typeof window.analytics === 'function'")
    person.evaluate("analytics('Told')")
    leave(person)
    assert [seen.route for seen in relay.seen if seen.method == "POST"] == []


@pytest.mark.parametrize(("attributes", "is_told"), [("", False), ('data-allow-file-protocol="true"', True)])
def test_pages_of_files(person: Page, relay: Relay, tmp_path: Path, attributes: str, is_told: bool) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html>{tag('files', attributes, f'{relay.url}/script.js')}")
    person.goto(page.as_uri())
    person.wait_for_function("typeof window.analytics === 'function'")
    leave(person)
    sent = [seen.route for seen in relay.seen if seen.method == "POST"]
    assert bool(sent) is is_told
