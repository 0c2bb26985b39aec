"""Visitors one by one, asked for over HTTP: who is here, one session, the visitors API of old."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.reports.visits_of_people import ANNA, BEN, CARA, FRANCE, fill, happened
from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from visitor_tracker import sites
from visitor_tracker.access.tokens import ReadToken
from visitor_tracker.app import folder_of
from visitor_tracker.event import Signal
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.ingest.visitor import hashed
from visitor_tracker.sites import Policy, site_id_of
from visitor_tracker.store.folding import IpRecord, merge_ip_records
from visitor_tracker.web.router import Route, Router, argument
from visitor_tracker.web.visitors import VisitorRoutes

NOW = 1_774_000_800_000  # 2026-03-20T10:00:00Z
SHOP = sites.Site(site_id_of("shop"), "shop", aliases=("17",), policy=Policy(ip="full"))
DEFAULT = sites.Site(1, "default")
HOME = IpRecord("203.0.113.42", NOW - 1000, NOW, 3, "US", "California", "San Francisco", "Example ISP", ("GET /",))
OLD = "/v1/monitoring/visitors"
BROWSER = {
    "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
    "accept-language": "de",
}


def hash_session(snapshot: sites.Snapshot, site: sites.Site, text: str) -> bytes:
    return hashed(snapshot, site, text, "session")


def router_of(site: Site, routes: Sequence[Route]) -> Router:
    return Router(routes, guards=site.app.guards, counters=site.app.counters, flush=lambda: None)


def ask(router: Router, target: str, method: str = "GET", peer: Peer = LOCAL, **headers: str) -> Response:
    path, _, query = target.partition("?")
    answer = router(Request(method, path, query, {"host": "localhost"} | headers, b"", True, peer))
    assert isinstance(answer, Response)
    return answer


class Reader:
    """The routes over a store with visits of two sites."""

    def __init__(self, site: Site) -> None:
        self.snapshot = msgspec.structs.replace(
            site.app.snapshot.now, sites=(DEFAULT, SHOP), keys={"persistent": b"k" * 32}
        )
        fill(
            site.app.store,
            [
                happened(NOW - 10_000, session=hash_session(self.snapshot, DEFAULT, "page's own")),
                happened(NOW - 5_000, BEN, "https://example.com/docs", place=FRANCE),
                happened(NOW - 4_000, CARA, signals=int(Signal.USER_AGENT)),
            ],
        )
        site.app.store.database.write(lambda session: merge_ip_records(session, SHOP.id, [HOME]))
        routes = VisitorRoutes(site.app.store, lambda: self.snapshot, hash_session, lambda: NOW).routes()
        self.token = ReadToken(site.app.store.secret("reads")).text
        self._router = router_of(site, routes)

    def ask(self, target: str, method: str = "GET", peer: Peer = LOCAL, **headers: str) -> Response:
        return ask(self._router, target, method, peer, **headers)

    def read(self, target: str) -> Any:  # noqa: ANN401
        answer = self.ask(target)
        assert answer.status == 200, answer.body
        assert header(answer, "Content-Type") == "application/json"
        assert header(answer, "Cache-Control") == "no-store"
        return json.loads(answer.body)


@pytest.fixture
def reader(build: Build) -> Reader:
    return Reader(build())


def test_who_is_here(reader: Reader) -> None:
    live = reader.read("/api/v1/live")
    assert (live["site"], live["time"], live["now"], live["visitors"], live["views"]) == (
        "default", "2026-03-20T10:00:00.000Z", 2, 2, 2
    )  # fmt: skip
    assert len(live["minutes"]) == 30
    assert live["minutes"][-2] == {"time": "2026-03-20T09:59:00.000Z", "views": 2}
    assert live["countries"] == [{"name": "DE", "now": 1, "visitors": 1}, {"name": "FR", "now": 1, "visitors": 1}]
    assert live["feed"][0] == {
        "time": "2026-03-20T09:59:55.000Z", "kind": "pageview", "page": "/docs", "country": "FR",
        "session": f"{BEN.hex()}-{NOW - 5_000}",
    }  # fmt: skip
    assert (live["robots"]["events"], live["robots"]["feed"][0]["reasons"]) == (1, ["user_agent"])


def test_the_feed_is_as_long_as_asked(reader: Reader) -> None:
    live = reader.read("/api/v1/live?feed=1")
    assert len(live["feed"]) == 1
    live = reader.read("/api/v1/live?feed=0")
    assert (live["feed"], live["robots"]["feed"], live["robots"]["events"]) == ([], [], 1)


@pytest.mark.parametrize("name", ["site=shop", "site_id=shop", "site=17"])
def test_a_site_is_named_by_name_or_alias(reader: Reader, name: str) -> None:
    assert reader.read(f"/api/v1/live?{name}")["site"] == "shop"
    assert reader.read(f"{OLD}?{name}")["count"] == 1


def test_a_session_by_the_id_that_its_page_gave(reader: Reader) -> None:
    told = reader.read("/sessions/page%27s%20own")
    assert (told["session_id"], told["pageviews"], told["rrweb_events"], told["total_events"]) == (
        "page's own",
        1,
        0,
        1,
    )
    assert set(told["events"][0]) == {"type", "timestamp", "id", "href"}  # nothing that it did not tell
    assert told["events"][0]["href"] == "https://example.com/"


def test_a_session_of_the_feed_can_be_followed(reader: Reader) -> None:
    for event in reader.read("/api/v1/live")["feed"]:
        assert reader.read(f"/sessions/{event['session']}")["events"][0]["timestamp"] == event["time"]


def test_what_a_page_sends_is_told_back(build: Build) -> None:
    site = build()
    page = {"websiteId": "default", "href": "https://example.com/a?b=c", "sessionId": "s-1", "visitorId": "v-1"}
    click = {"type": "click", "tag": "BUTTON", "id": "submit-btn", "class": "btn", "text": "Submit", "x": 100, "y": 200}
    about = {"sessionId": "s-1", "url": page["href"], "timestamp": "2026-03-20T10:00:00.000Z"}
    for path, body in (
        ("/collect", page | {"type": "pageview", "viewport": {"width": 1280, "height": 720}}),
        ("/collect", page | {"type": "custom", "extraData": {"eventName": "order", "items": 2}}),
        ("/api/events", {"metadata": about, "analytics": [click], "replay": []}),
    ):
        sent = site.ask(path, method="POST", body=json.dumps(body).encode(), headers=BROWSER)
        assert header(sent, "X-Tracker") == "accepted"
    site.events()
    folder = folder_of(site.app.config, site.app.store, site.app.counters)
    while folder.step():
        pass
    router = router_of(site, VisitorRoutes(site.app.store, lambda: site.app.snapshot.now, hash_session).routes())

    def read(path: str) -> Any:  # noqa: ANN401
        return json.loads(ask(router, path).body)

    told = read("/sessions/s-1")
    assert (told["pageviews"], told["custom_events"], told["click_events"], told["total_events"]) == (1, 1, 1, 3)
    assert (told["browser"], told["os"], told["device"]) == ("Chrome 140", "Windows 10", "desktop")
    view, order, clicked = told["events"]
    assert (view["href"], view["viewport"]) == ("https://example.com/a?b=c", {"width": 1280, "height": 720})
    assert (order["name"], order["data"]) == ("order", {"items": 2})
    assert (clicked["text"], clicked["element"]["id"], clicked["element"]["x"]) == ("Submit", "submit-btn", 100)
    live = read("/api/v1/live")
    assert (live["now"], live["views"], len(live["feed"])) == (1, 1, 3)
    assert [record["paths_visited"] for record in read(OLD)["visitors"]] == [["GET /a"]]


@pytest.mark.parametrize("session_id", ["yours", "%ff%00", "{id}", "page%27s%20own?site=shop"])
def test_there_is_no_such_session(reader: Reader, session_id: str) -> None:
    answer = reader.ask(f"/sessions/{session_id}")
    says = json.loads(answer.body)
    assert (answer.status, says["detail"], says["error"]["code"]) == (404, "Session not found", "no_session")


def test_all_visitors(reader: Reader) -> None:
    says = reader.read(OLD)
    assert list(says) == ["visitors", "count"]
    assert says["count"] == 3
    assert [each["ip"] for each in says["visitors"]] == ["203.0.113.42", BEN.hex()[:16], ANNA.hex()[:16]]
    assert says["visitors"][0] == {
        "ip": "203.0.113.42",
        "country": "United States",
        "country_code": "US",
        "region": "California",
        "city": "San Francisco",
        "org": "Example ISP",
        "isp": "Example ISP",
        "first_seen": "2026-03-20T09:59:59+00:00",
        "last_seen": "2026-03-20T10:00:00+00:00",
        "visit_count": 3,
        "paths_visited": ["GET /"],
        "user_agents": [],
    }
    assert [each["ip"] for each in reader.read(f"{OLD}?limit=1")["visitors"]] == ["203.0.113.42"]
    assert [each["ip"] for each in reader.read(f"{OLD}?site_id=default&limit=1")["visitors"]] == [BEN.hex()[:16]]


def test_how_many_visitors(reader: Reader) -> None:
    assert reader.read(f"{OLD}/stats") == {
        "total_visitors": 3,
        "total_visits": 5,
        "countries": {"France": 1, "Germany": 1, "United States": 1},
        "top_ips": [
            {"ip": "203.0.113.42", "country": "United States", "visit_count": 3},
            {"ip": BEN.hex()[:16], "country": "France", "visit_count": 1},
            {"ip": ANNA.hex()[:16], "country": "Germany", "visit_count": 1},
        ],
    }


def test_one_visitor(reader: Reader) -> None:
    assert reader.read(f"{OLD}/203.0.113.42")["visit_count"] == 3
    assert reader.read(f"{OLD}/{BEN.hex()[:16]}")["paths_visited"] == ["GET /docs"]
    assert reader.read(f"{OLD}/2001:db8::1") == {"error": "No data found for IP: 2001:db8::1", "ip": "2001:db8::1"}
    assert reader.read(f"{OLD}/2001%3Adb8%3A%3A1")["ip"] == "2001:db8::1"


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/api/v1/live?site=nobody", 404, "unknown_site"),
        (f"{OLD}?site_id=nobody", 404, "unknown_site"),
        ("/sessions/x?site=nobody", 404, "unknown_site"),
        ("/api/v1/live?feed=101", 400, "invalid_feed"),
        ("/api/v1/live?feed=-1", 400, "invalid_feed"),
        (f"{OLD}?limit=0", 400, "invalid_limit"),
        (f"{OLD}?limit=10001", 400, "invalid_limit"),
        (f"{OLD}?limit=1000000000000", 400, "invalid_limit"),
        (f"{OLD}?limit=00000000110000", 400, "invalid_limit"),
        (f"/api/v1/live?feed={'0' * 5_000}", 400, "invalid_feed"),
        (f"{OLD}?limit=%ff", 400, "invalid_query"),
        ("/sessions/", 404, "not_found"),
        ("/sessions", 404, "not_found"),
        ("/sessions/a/b", 404, "not_found"),
        (f"{OLD}/1.2.3.4/5", 404, "not_found"),
    ],
)
def test_mistakes_are_told(reader: Reader, target: str, status: int, code: str) -> None:
    answer = reader.ask(target)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)


READS = ("/api/v1/live", "/sessions/x", OLD, f"{OLD}/stats", f"{OLD}/203.0.113.42")


@pytest.mark.parametrize("target", READS)
def test_only_readers_may_read(reader: Reader, target: str) -> None:
    foreign = reader.ask(target, peer=REMOTE)
    assert foreign.status == 401
    assert header(foreign, "Access-Control-Allow-Origin") == ""
    assert reader.ask(target, peer=REMOTE, authorization=f"Bearer {reader.token}").status in (200, 404)


@pytest.mark.parametrize("target", READS)
def test_other_methods_are_named(reader: Reader, target: str) -> None:
    refused, options = reader.ask(target, "DELETE"), reader.ask(target, "OPTIONS")
    assert (refused.status, header(refused, "Allow")) == (405, "OPTIONS, GET, HEAD")
    assert (options.status, header(options, "Allow")) == (204, "OPTIONS, GET, HEAD")
    assert header(options, "Access-Control-Allow-Origin") == ""
    assert reader.ask(target, "HEAD").status == reader.ask(target).status


# Paths that end in an argument.


def route(method: str, path: str, **more: Any) -> Route:  # noqa: ANN401
    return Route(method, path, lambda request: Response(200, f"{path} {argument(request)}".encode()), "", **more)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/a/b", "/a/b b"),
        ("GET", "/a/c", "/a/{x} c"),
        ("HEAD", "/a/c", "/a/{x} c"),
        ("POST", "/a/c", "/a/{x} c"),
        ("GET", "/a/%63%2Fd+%C3%BC", "/a/{x} c/d+ü"),
        ("GET", "/d/c", "/d/{y} c"),
        ("GET", "/a/", "/a/ "),
    ],
)
def test_an_exact_path_comes_first(site: Site, method: str, path: str, answer: str) -> None:
    routes = [route("GET", where) for where in ("/a/{x}", "/a/b", "/d/{y}", "/a/")] + [route("POST", "/a/{x}")]
    assert ask(router_of(site, routes), path, method).body.decode() == answer


def test_an_exact_path_has_its_own_methods(site: Site) -> None:
    router = router_of(site, [route("POST", "/a/{x}"), route("GET", "/a/b")])
    refused = ask(router, "/a/b", "POST")
    assert (refused.status, header(refused, "Allow")) == (405, "OPTIONS, GET, HEAD")
    preflight = ask(router, "/a/c", "OPTIONS", REMOTE, origin="https://example.com")
    assert header(preflight, "Access-Control-Allow-Methods") == "OPTIONS, POST"
