"""Values of strangers: whatever was sent, what comes out is of the type that is needed."""

from datetime import UTC, datetime

import pytest

from tests.web.dialects.asking import request
from visitor_tracker.errors import HttpError
from visitor_tracker.ingest.hit import PROPERTIES_MOST
from visitor_tracker.web.dialects import fields, plausible

[DIALECT] = plausible.dialects()
NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("a", "a"), ("", ""), (1, "1"), (1.5, "1.5"), (2.0, "2"), (-3, "-3"), (True, ""), (None, ""), ([], ""),
        ({}, ""), (10**30, ""), (1e300, ""), (float("nan"), ""),
    ],
)  # fmt: skip
def test_text(sent: object, expected: str) -> None:
    assert fields.text(sent) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (1, 1.0), ("19.99", 19.99), (" 2 ", 2.0), ("1e3", 1000.0), ("", 0.0), ("a", 0.0), ("inf", 0.0), ("nan", 0.0),
        ("9" * 5000, 0.0), (10**400, 0.0), (None, 0.0), ([1], 0.0), ({}, 0.0), (True, 1.0),
    ],
)  # fmt: skip
def test_number(sent: object, expected: float) -> None:
    assert fields.number(sent) == expected


@pytest.mark.parametrize(("sent", "expected"), [(5.9, 5), (-1, 0), ("7", 7), (1e300, 100), (None, 0), ("x", 0)])
def test_whole(sent: object, expected: int) -> None:
    assert fields.whole(sent, 100) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(True, True), ("true", True), ("1", True), (1, True), (False, False), ("false", False), (0, False), ("", False)],
)
def test_flag(sent: object, expected: bool) -> None:
    assert fields.flag(sent) is expected


def test_properties_are_flat_and_hold_only_what_can_be_kept() -> None:
    sent = {
        "plan": "pro", "seats": 3, "price": 9.5, "trial": False, "none": None, "empty": "", "tags": ["a", 1, None, {}],
        "cart": {"items": 2, "deep": {"deeper": {"deepest": 1}, "near": 1}}, "huge": 10**40, "nothing": [],
    }  # fmt: skip
    assert fields.properties(sent) == {
        "plan": "pro", "seats": 3, "price": 9.5, "trial": False, "tags": "a, 1", "cart.items": 2, "cart.deep.near": 1,
    }  # fmt: skip


def test_properties_are_at_most_as_many_as_are_kept() -> None:
    assert len(fields.properties({str(n): n for n in range(1000)})) == PROPERTIES_MOST
    assert len(fields.properties({"a": {str(n): n for n in range(1000)}, "b": 1})) == PROPERTIES_MOST


@pytest.mark.parametrize(
    ("sent", "expected"),
    [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ("{", {}), ("[1]", {}), ("", {}), (None, {}), (3, {}), ([], {}),
     ('{"a":' * 100_000, {})],
)  # fmt: skip
def test_nested(sent: object, expected: object) -> None:
    assert fields.nested(sent) == expected


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (NOW / 1000 - 60, 60), (NOW - 60_000, 60), (str(NOW // 1000 - 5), 5),
        ("2027-01-15T08:00:00Z", 0), ("2027-01-15T07:59:30+00:00", 30), ("2027-01-15 07:59:00", 60),
        ("2027-01-15T09:00:00+02:00", 3600), ("2027-01-15", 8 * 3600),
        (NOW / 1000 + 60, 0), ("2099-01-01T00:00:00Z", 0), ("yesterday", 0), ("", 0), (None, 0), (-5, 0), (True, None),
        ("0001-01-01T00:00:00+23:59", None), ([], 0), ("9" * 31, 0),
    ],
)  # fmt: skip
def test_age(moment: object, seconds: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "now_ms", lambda: NOW)
    assert datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp() * 1000 == NOW
    if seconds is None:
        assert fields.age_ms(moment) > 86_400_000 * 365
    else:
        assert fields.age_ms(moment) == seconds * 1000


HTTP = {"origin": "http://example.com:3000"}


@pytest.mark.parametrize(
    ("url", "host", "headers", "expected"),
    [
        ("https://example.com/a", "other.example", {}, "https://example.com/a"),
        ("HTTP://example.com", "", {}, "HTTP://example.com"),
        (" /a?b=1 ", "example.com", {}, "https://example.com/a?b=1"),
        ("a", "example.com", {}, "https://example.com/a"),
        ("?a=1", "example.com", {}, "https://example.com/?a=1"),
        ("", "example.com", {}, "https://example.com/"),
        ("/a", "example.com:8443", {}, "https://example.com:8443/a"),
        ("/a", "[2001:db8::1]:80", {}, "https://[2001:db8::1]:80/a"),
        ("/a", "bücher.example", {}, "https://bücher.example/a"),
        ("//cdn.example/a", "example.com", {}, "https://cdn.example/a"),
        ("app://localhost/screen", "example.com", {}, "https://example.com/screen"),
        ("chrome-extension://abc/x", "example.com", {}, "https://example.com/x"),
        ("localhost:80/a", "example.com", {}, "https://example.com/localhost:80/a"),
        # The sending page knows scheme and port, and who it is where nothing else says so.
        ("/a", "example.com", HTTP, "http://example.com:3000/a"),
        ("/a", "EXAMPLE.com:3000", HTTP, "http://example.com:3000/a"),
        ("/a", "other.example", HTTP, "https://other.example/a"),
        ("/a", "", HTTP, "http://example.com:3000/a"),
        ("/a", "", {"referer": "http://example.com/deep/page?x=1"}, "http://example.com/a"),
        ("/a", "", {"origin": "null", "referer": "https://example.com"}, "https://example.com/a"),
        ("/a", "", {}, "https://stats.example.net/a"),
        ("/a", "", {"host": ""}, "/a"),
        # A host that is none leads nowhere.
        ("/a", "evil.example/x", {}, "/a"),
        ("/a", "user@evil.example", {}, "/a"),
        ("/a", "a b", {}, "/a"),
        ("/a", "a#b", {}, "/a"),
        ("/a", "a\\b", {}, "/a"),
        ("javascript:alert(1)", "example.com", {}, "javascript:alert(1)"),
        ("data:text/html,x", "example.com", {}, "data:text/html,x"),
        ("file:///etc/passwd", "example.com", {}, "file:///etc/passwd"),
        ("about:blank", "example.com", {}, "about:blank"),
    ],
)  # fmt: skip
def test_page_url(url: str, host: str, headers: dict[str, str], expected: str) -> None:
    assert fields.page_url(url, host, request(DIALECT, headers=headers)) == expected


@pytest.mark.parametrize(
    ("url", "always", "expected"),
    [
        ("https://example.com/a#part", False, "https://example.com/a"),
        ("https://example.com/a#part", True, "https://example.com/a%23part"),
        ("https://example.com/#/about", False, "https://example.com/%23/about"),
        ("https://example.com#!/about", False, "https://example.com/%23!/about"),
        ("https://example.com/?utm_source=x#/a?b=c#d", False, "https://example.com/%23/a%3Fb=c%23d?utm_source=x"),
        ("https://example.com/a#", True, "https://example.com/a"),
        ("https://example.com/a", True, "https://example.com/a"),
        ("/#/a", False, "/%23/a"),
        ("#/a", False, "%23/a"),
        ("app://localhost#/a", False, "app://localhost/%23/a"),
    ],
)
def test_with_route(url: str, always: bool, expected: str) -> None:
    assert fields.with_route(url, always=always) == expected


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1e999}', b"\xff", b"[" * 100_000, b'"\\ud800"', b"1" * 5000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(HttpError, match="the body is not JSON"):
        fields.json_of(body, "hint")


def test_the_pixel_is_a_picture_of_one_pixel() -> None:
    # GIF89a, 2: signature, width and height little endian; the last byte ends the file.
    assert (fields.PIXEL[:10], fields.PIXEL[-1:]) == (b"GIF89a\1\0\1\0", b";")
    assert len(fields.PIXEL) == 43
