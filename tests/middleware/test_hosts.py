"""Requests of real programs under real servers arrive, by a server and inside the program."""

from urllib.parse import urlsplit

import pytest
import requests

from tests.middleware.conftest import Target
from tests.middleware.hosts import FIREFOX, HOSTS, serving
from visitor_tracker.event import Event

VISITOR = {"User-Agent": FIREFOX, "Accept-Language": "de-DE,de;q=0.9", "Referer": "https://news.example/today?id=1"}
ASKED = ["/", "/prices?utm_source=News&q=1", "/api/items", "/missing", "/broken", "/nowhere", "/health"]


def ask_everything(url: str) -> list[int]:
    """Send every request of ASKED and a POST, each on a connection of its own, and return what they were answered."""
    answers = [requests.get(f"{url}{path}", headers=VISITOR, timeout=20) for path in ASKED]
    answers.append(requests.post(f"{url}/api/items", headers=VISITOR, timeout=20))
    return [answer.status_code for answer in answers]


def summary(event: Event) -> tuple[str, object, object]:
    return urlsplit(event.url).path, event.properties.get("method"), event.properties.get("status")


@pytest.mark.parametrize("host", list(HOSTS))
def test_pages_only(target: Target, host: str) -> None:
    app = HOSTS[host](track_all_paths=False, **target.options)
    with serving(app) as url:
        assert ask_everything(url) == [200, 200, 200, 404, 500, 404, 200, 200]
        events = target.events(2)
    assert sorted(map(summary, events)) == [("/", None, None), ("/prices", None, None)]
    page = next(event for event in events if event.url.endswith("q=1"))
    assert (page.kind, page.ip, page.user_agent, page.language) == ("pageview", "127.0.0.1", FIREFOX, "de-DE")
    assert (page.source.referrer, page.source.utm_source, page.signals) == ("news.example/today", "news", 0)
    assert urlsplit(page.url).netloc == urlsplit(url).netloc


@pytest.mark.parametrize("host", list(HOSTS))
def test_every_request_but_the_excluded_ones(target: Target, host: str) -> None:
    app = HOSTS[host](exclude=["/health"], **target.options)
    with serving(app) as url:
        ask_everything(url)
        events = target.events(7)
    assert sorted(map(summary, events)) == [
        ("/", "GET", 200),
        ("/api/items", "GET", 200),
        ("/api/items", "POST", 200),
        ("/broken", "GET", 500),
        ("/missing", "GET", 404),
        ("/nowhere", "GET", 404),
        ("/prices", "GET", 200),
    ]


def test_a_proxy_tells_who_the_visitor_is(server_target: Target) -> None:
    app = HOSTS["flask"](trusted_proxies=["127.0.0.0/8"], site="default", **server_target.options)
    told = {
        "X-Forwarded-For": "198.51.100.1, 203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.test",
    }
    with serving(app) as url:
        requests.get(f"{url}/prices", headers=VISITOR | told, timeout=20)
        [event] = server_target.events(1)
    assert (event.ip, event.url) == ("203.0.113.7", "https://shop.test/prices")


def test_what_a_stranger_tells_is_not_believed(server_target: Target) -> None:
    app = HOSTS["flask"](**server_target.options)
    told = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8", "X-Forwarded-Host": "shop.test"}
    with serving(app) as url:
        requests.get(f"{url}/prices", headers=VISITOR | told, timeout=20)
        [event] = server_target.events(1)
    assert (event.ip, urlsplit(event.url).hostname) == ("127.0.0.1", "127.0.0.1")
