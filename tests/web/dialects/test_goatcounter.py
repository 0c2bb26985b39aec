"""GoatCounter's formats: its script, its pixel, and its API for servers."""

import json
from urllib.parse import urlencode

import pytest

from tests.web.dialects.asking import found, read, read_one, receipt, refusal, request
from visitor_tracker.ingest.hit import Hit, Malformed
from visitor_tracker.web.dialects import fields
from visitor_tracker.web.dialects.goatcounter import count_pixel, dialects

GC = found(dialects(), "GET", "/gc/count")
POST = found(dialects(), "POST", "/count")
API = found(dialects(), "POST", "/api/v0/count")
FROM = {"referer": "https://example.com/"}


def test_the_endpoints() -> None:
    paths = [(each.method, each.path) for each in (count_pixel, *dialects())]
    assert paths == [
        ("GET", "/count"),
        ("GET", "/gc/count"),
        ("POST", "/gc/count"),
        ("POST", "/count"),
        ("POST", "/api/v0/count"),
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # The script: everything that is neither empty nor false.
        (
            {"p": "/a?b=1", "r": "https://s.example/", "t": "A", "s": "1920,1080,1.5", "q": "?b=1", "rnd": "x1y2z"},
            Hit(url="https://example.com/a?b=1", referrer="https://s.example/", title="A", screen="1920x1080"),
        ),
        ({"p": "/a", "q": "?page=2&utm_source=x&fbclid=y"}, Hit(url="https://example.com/a?utm_source=x&fbclid=y")),
        ({"p": "/a?utm_source=x", "q": "?utm_source=x&gclid=1"}, Hit(url="https://example.com/a?utm_source=x&gclid=1")),
        ({"p": "//evil.example/x"}, Hit(url="https://example.com/evil.example/x")),
        ({"p": "a"}, Hit(url="https://example.com/a")),
        ({"p": "https://other.example/a"}, Hit(url="https://other.example/a")),
        (
            {"p": "click-button", "e": "true", "t": "Button"},
            Hit("custom", url="https://example.com/", name="click-button", title="Button"),
        ),
        ({"p": "/", "e": "1"}, Hit("custom", url="https://example.com/", name="(no event name)")),
        ({"p": "/", "b": "153"}, Hit(url="https://example.com/", automation=True)),
        ({"p": "/", "b": "0"}, Hit(url="https://example.com/")),
        ({"p": "/", "s": "big", "b": "x", "e": "no"}, Hit(url="https://example.com/")),
    ],
)
def test_a_call_of_the_script_is_read(sent: dict[str, str], expected: Hit) -> None:
    query = urlencode(sent)
    assert read_one(count_pixel, query, headers=FROM) == expected
    assert read_one(GC, query, headers=FROM) == expected
    assert read_one(POST, query, headers=FROM) == expected  # a beacon
    assert read_one(POST, "", query.encode(), headers=FROM) == expected
    assert read_one(POST, "", sent, headers=FROM) == expected


def test_a_path_of_nobody_is_of_the_host_that_was_asked() -> None:
    assert read_one(count_pixel, "p=/a").url == "https://stats.example.net/a"
    assert read_one(count_pixel, "p=clicked&e=true").url == "https://stats.example.net/"


def test_json_may_have_real_types() -> None:
    body = {"p": "/a", "s": [1920, 1080, 2], "e": False, "b": 150}
    assert read_one(POST, body=body, headers=FROM) == Hit(
        url="https://example.com/a", screen="1920x1080", automation=True
    )


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("", b"", "path is missing"),
        ("p=", b"", "path is missing"),
        ("p=%20", b"", "path is missing"),
        ("p=%ff", b"", "not UTF-8"),
        ("a&" * 200, b"", "more than 100 fields"),
        ("", b"{", "not JSON"),
        ("", b"\xff", "decode"),
        ("", {"p": []}, "path is missing"),
    ],
)
def test_what_cannot_be_read_is_refused(query: str, body: object, message: str) -> None:
    assert message in refusal(POST, query, body)


def test_the_answer_is_a_picture_whatever_happened() -> None:
    for got in (receipt(None), receipt("rate_limit")):
        response = count_pixel.write(request(count_pixel, "p=/"), got)
        assert (response.status, response.body) == (200, fields.PIXEL)
        assert dict(response.headers)["Content-Type"] == "image/gif"
        assert dict(response.headers)["Cache-Control"] == "no-store"


def test_the_api_takes_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "now_ms", lambda: 1_800_000_000_000)
    hits = [
        {
            "path": "/a",
            "title": "A",
            "ref": "https://s.example/",
            "size": [1920, 1080, 1],
            "query": "utm_source=x",
            "user_agent": "Firefox",
            "ip": "203.0.113.9",
            "created_at": "2027-01-15T07:59:00Z",
            "location": "NL",
        },
        {"path": "bought", "event": True, "session": "s1"},
        {"path": ""},
        "nonsense",
    ]
    assert read(API, body={"no_sessions": True, "hits": hits}) == [
        Hit(
            url="https://stats.example.net/a?utm_source=x",
            title="A",
            referrer="https://s.example/",
            age_ms=60_000,
            screen="1920x1080",
            user_agent="Firefox",
            ip="203.0.113.9",
        ),
        Hit("custom", url="https://stats.example.net/", name="bought", visitor="s1", session="s1"),
        Malformed("the path is missing"),
        Malformed("the path is missing"),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        ({}, "hits is not an array"),
        ({"hits": []}, "with something in it"),
        ({"hits": {}}, "hits is not an array"),
        ({"hits": [1] * 1001}, "more than 1000"),
    ],
)
def test_a_call_of_the_api_that_cannot_be_read_is_refused(body: object, message: str) -> None:
    assert message in refusal(API, body=body)


def test_the_api_names_what_to_send_again() -> None:
    ask = request(API, body={"hits": []})
    assert API.write(ask, receipt(None, "duplicate")).status == 202
    assert API.write(ask, receipt(None)).body == b"{}"
    response = API.write(ask, receipt(None, "invalid_event", "hostname", problems={1: "the path is missing"}))
    assert response.status == 400
    assert json.loads(response.body) == {"errors": {"1": "the path is missing", "2": "hostname"}}
