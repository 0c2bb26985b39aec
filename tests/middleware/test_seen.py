"""Events that requests become."""

import time
from typing import Any

import pytest

from visitor_tracker.middleware.address import TrustedProxies
from visitor_tracker.middleware.seen import ASKED_MOST, Asked, EventMaker, Seen, asked_for, opts_out

PROXIES = TrustedProxies(["10.0.0.0/8"])


def url_of(headers: dict[str, str] | None = None, **asked: str) -> Any:  # noqa: ANN401
    usual = {"method": "GET", "scheme": "http", "host": "fallback:8000", "path": "/", "query": "", "peer": "192.0.2.1"}
    seen = Seen(Asked(**(usual | asked)), {"host": "example.com"} if headers is None else headers, 200, 0.0)
    return EventMaker(PROXIES, "", with_request=False).event("0" * 32, seen)["url"]


@pytest.mark.parametrize(
    ("headers", "asked", "url"),
    [
        (None, {}, "http://example.com/"),
        (None, {"scheme": "https", "path": "/a b/ü"}, "https://example.com/a%20b/%C3%BC"),
        (None, {"query": "q=1&utm_source=x%20y"}, "http://example.com/?q=1&utm_source=x%20y"),
        (None, {"query": "q=ü é"}, "http://example.com/?q=%FC%20%E9"),
        (None, {"path": "/?#%"}, "http://example.com/%3F%23%25"),
        ({}, {}, "http://fallback:8000/"),
        ({"host": "a/b@evil"}, {}, "http://fallback:8000/"),
        ({"host": "[2001:db8::1]:80"}, {}, "http://[2001:db8::1]:80/"),
        ({"host": "a.test", "x-forwarded-proto": "https", "x-forwarded-host": "b.test"}, {}, "http://a.test/"),
        (
            {"host": "a.test", "x-forwarded-proto": "HTTPS, http", "x-forwarded-host": "b.test, c.test"},
            {"peer": "10.1.1.1"},
            "https://b.test/",
        ),
        ({"host": "a.test", "x-forwarded-proto": "gopher"}, {"peer": "10.1.1.1"}, "http://a.test/"),
        (None, {"path": "/long", "query": "q=" + "x" * 3000}, "http://example.com/long"),
    ],
)
def test_the_url(headers: dict[str, str] | None, asked: dict[str, str], url: str) -> None:
    assert url_of(headers, **asked) == url


def test_a_path_that_no_server_takes_stays_too_long_and_is_bounded() -> None:
    assert len(url_of(path="/" + "x" * 9000)) == 2049


def test_what_waits_has_a_bound_and_makes_the_same_url() -> None:
    for path, query in (("/" + "x" * 90_000, "q"), ("/", "x" * 90_000), ("/" + "ü" * 2_000, "x" * 9_000)):
        made = asked_for("P" * 90_000, "http", "fallback", path, query, "192.0.2.1")
        assert (len(made.method), len(made.path), len(made.query)) <= (16, ASKED_MOST, ASKED_MOST)
        assert url_of(path=made.path, query=made.query) == url_of(path=path, query=query)


def test_an_event_has_what_the_request_told() -> None:
    headers = {
        "host": "example.com",
        "user-agent": "Firefox",
        "referer": "https://news.example/",
        "accept-language": "de",
        "x-forwarded-for": "203.0.113.7",
    }
    seen = Seen(Asked("POST", "https", "", "/cart", "", "10.0.0.1"), headers, 201, time.monotonic() - 90)
    event = EventMaker(PROXIES, "shop", with_request=True).event("0" * 32, seen)
    assert event.pop("age_ms") >= 90_000
    assert event == {
        "type": "pageview",
        "id": "0" * 32,
        "url": "https://example.com/cart",
        "ip": "203.0.113.7",
        "user_agent": "Firefox",
        "referrer": "https://news.example/",
        "language": "de",
        "site": "shop",
        "properties": {"method": "POST", "status": 201},
    }


@pytest.mark.parametrize(
    ("headers", "expected"), [({"dnt": "1"}, True), ({"sec-gpc": "1"}, True), ({"dnt": "0"}, False), ({}, False)]
)
def test_opting_out(headers: dict[str, str], expected: bool) -> None:
    assert opts_out(headers) is expected
