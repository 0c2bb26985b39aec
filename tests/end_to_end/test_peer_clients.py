"""The real clients of other trackers, pointed at this server by nothing but its address: what they send arrives."""

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.folded import folded_events
from tests.running import SECONDS, Server, until
from visitor_tracker.event import Event, Signal
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.open import open_store

PEERS = Path(__file__).parents[2] / "client" / "test" / "peers"
WEBSITE = "94db1cb1-74f4-4a40-ad6c-962362670409"
START = "https://example.com/start"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("peers"), settings={"VISITOR_TRACKER_IDENTITY_TRAITS": "keep"})
    running.start()
    yield running
    running.kill9()


def run(server: Server, name: str) -> list[dict[str, Any]]:
    """Let a client send what its script says; return what it was answered."""
    done = subprocess.run(
        ["node", PEERS / f"{name}.mjs", server.url], capture_output=True, text=True, timeout=2 * SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def arrived(server: Server, *sites: str, number: int, host: str = "") -> list[Event]:
    """Return the events of these sites (and of pages of a host) once there are so many, by kind and name."""
    store = open_store(f"sqlite:///{server.folder / 'data' / 'visitors.db'}")
    ids = set(map(site_id_of, sites))
    events: list[Event] = []

    def enough() -> bool:
        found = [event for event in folded_events(store) if event.site_id in ids]
        events[:] = [event for event in found if f"//{host}" in event.url or not host]
        return len(events) >= number

    try:
        until(enough, lambda: f"{len(events)} of {number} events arrived: {server.log}")
    finally:
        store.close()
    assert len(events) == number
    return sorted(events, key=lambda event: (event.kind, event.name, event.url, event.site_id))


def short(event: Event) -> tuple[object, ...]:
    """Return what tells the events of these tests apart."""
    return event.kind, event.name or event.target, event.url, event.properties, event.value


def test_plausible_tracker(server: Server) -> None:
    site = "old.example"
    assert run(server, "plausible-tracker") == [{"status": 202, "tracker": "accepted", "body": "ok"}] * 3
    events = arrived(server, site, number=3)
    assert [short(event) for event in events] == [
        ("custom", "Signup", "https://example.com/next", {"plan": "pro", "seats": 3}, 0.0),
        ("pageview", "", "https://example.com/next", {}, 0.0),
        ("pageview", "", START, {}, 0.0),
    ]
    assert [event.source.utm_source for event in events] == ["", "", "news"]
    assert len({event.visitor for event in events}) == 1
    assert {(event.agent.browser, event.source.referrer) for event in events[:2]} == {("Chrome", "search.example")}


def test_plausible_analytics_tracker(server: Server) -> None:
    assert run(server, "plausible-analytics") == [{"status": 202, "tracker": "accepted", "body": "ok"}] * 5
    for site in ("new.example", "all.example"):
        events = arrived(server, site, number=5)
        assert [short(event) for event in events] == [
            ("custom", "Purchase", START, {"size": "L"}, 19.9),
            ("custom", "Seen", START, {}, 0.0),
            ("engagement", "", START, {}, 0.0),
            ("outbound", "https://other.example/", START, {}, 0.0),
            ("pageview", "", START, {}, 0.0),
        ]
        assert [event.currency for event in events] == ["EUR", "", "", "", ""]
        assert [event.interactive for event in events] == [True, False, True, True, True]
        assert (events[2].scroll, events[2].engaged_ms > 0) == (50, True)


def test_umami_node(server: Server) -> None:
    answers = run(server, "umami-node")
    assert [(each["status"], each["tracker"]) for each in answers] == [(200, "accepted")] * 4
    seen = [json.loads(each["body"]) for each in answers]
    assert seen[0].keys() == {"cache", "sessionId", "visitId"}
    assert seen[0] == seen[1] == seen[2], "one visitor"
    docs = "https://example.com/docs?a=1"
    events = arrived(server, WEBSITE, number=4)
    assert [short(event) for event in events] == [
        ("custom", "job", "", {"ok": True}, 0.0),
        ("custom", "signup", docs, {"plan": "pro", "user.seats": 3}, 0.0),
        ("identify", "", "", {"plan": "pro"}, 0.0),
        ("pageview", "", docs, {}, 0.0),
    ]
    assert events[3].title == "Docs"


def test_ackee_tracker(server: Server) -> None:
    page = "https://ackee.example/start"
    answers = run(server, "ackee-tracker")
    assert [(each["status"], each["tracker"]) for each in answers] == [(200, "accepted")] * 4
    # An action belongs to no domain there, so it is of the site that has the page: here the one for all pages.
    events = arrived(server, "d-1", "default", number=4, host="ackee.example")
    assert [short(event) for event in events] == [
        ("custom", "Clicked", "https://ackee.example/", {"event": "e-1"}, 1.5),
        ("custom", "Clicked twice", "https://ackee.example/", {"event": "e-1", "updated": True}, 0.0),
        ("engagement", "", page, {}, 0.0),
        ("pageview", "", page, {}, 0.0),
    ]
    assert events[2].engaged_ms == 15_000
    assert (events[3].screen, events[3].viewport, events[3].language) == ("1920x1080", "1440x960", "en")


def test_matomo_tracker(server: Server) -> None:
    assert run(server, "matomo-tracker") == [{"status": "success", "tracked": 3, "invalid": 0}]
    shop = "https://example.com/shop"
    events = arrived(server, "7", number=5)
    assert [short(event) for event in events] == [
        ("custom", "Video: Play", shop, {"name": "Intro", "value": 7.0}, 7.0),
        ("engagement", "", shop, {}, 0.0),
        ("outbound", "https://other.example/", shop, {}, 0.0),
        ("pageview", "", shop, {}, 0.0),
        ("pageview", "", shop, {}, 0.0),
    ]
    assert sorted(event.title for event in events) == ["", "", "", "", "Shop"]


def test_goatcounter(server: Server) -> None:
    """Its script is no package: these are the calls that it makes, and one of a server."""
    headers = {"Referer": "https://goat.example/", "User-Agent": "Mozilla/5.0 Firefox/140.0"}
    ask = partial(server.session.request, headers=headers, timeout=SECONDS)
    view = {"p": "/a?b=1", "t": "A", "s": "1920,1080,1", "q": "?b=1&utm_source=news", "rnd": "x1y2z"}
    answers = [
        ask("GET", f"{server.url}/count", params=view),
        ask("POST", f"{server.url}/count", params={"p": "clicked", "e": "true", "b": "153"}),
        ask("POST", f"{server.url}/api/v0/count", json={"no_sessions": True, "hits": [{"path": "/b"}]}),
    ]
    assert [(each.status_code, each.headers["X-Tracker"]) for each in answers] == [
        (200, "accepted"), (200, "accepted"), (202, "accepted"),
    ]  # fmt: skip
    assert answers[0].headers["Content-Type"] == "image/gif"
    events = arrived(server, "default", number=3, host="goat.example")
    assert [short(event) for event in events] == [
        ("custom", "clicked", "https://goat.example/", {}, 0.0),
        ("pageview", "", "https://goat.example/a?b=1", {}, 0.0),
        ("pageview", "", "https://goat.example/b", {}, 0.0),
    ]
    assert bool(events[0].signals & Signal.AUTOMATION)
    assert (events[1].source.utm_source, events[1].screen, events[1].title) == ("news", "1920x1080", "A")
