"""The counting routes, as clients of old and new see them."""

import json
import re
from xml.etree import ElementTree

import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from visitor_tracker.config import CorsConfig, CounterConfig, RateLimitConfig
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.metrics import Cell

PAGE = "https://example.com/a?b=1"
UPDATE = "/update?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3D1"
COUNT = UPDATE.replace("update", "count")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_update_counts_and_returns_the_row(site: Site) -> None:
    first, second = site.ask(UPDATE), site.ask(UPDATE)
    row = json.loads(second.body)
    assert (first.status, second.status) == (200, 200)
    assert list(row) == ["page_url", "visit_count", "last_visited", "created_at", "security_token"]
    assert (row["page_url"], row["visit_count"]) == (PAGE, 2)
    assert ISO.fullmatch(row["last_visited"])
    assert row["created_at"] == json.loads(first.body)["created_at"]
    assert re.fullmatch("[0-9a-f]{64}", row["security_token"])
    assert header(second, "X-Tracker") == "accepted"
    assert header(second, "Cache-Control") == "no-store"
    assert header(second, "Access-Control-Allow-Origin") == "*"
    assert "X-Tracker" in header(second, "Access-Control-Expose-Headers")


BAD_URLS = (
    "",
    "ftp://example.com/",
    "javascript:alert(1)",
    "%FF",
    "http://u:p@example.com/",
    "https://",
    "x" * 3000,
    "https://example.com/" + "a" * 2048,
)


@pytest.mark.parametrize(
    "target", ["/update", *(f"/{path}?url={url}" for path in ("update", "count") for url in BAD_URLS)]
)
def test_an_invalid_url_is_refused_as_ever(site: Site, target: str) -> None:
    answer = site.ask(target)
    assert (answer.status, answer.body) == (400, b"Invalid URL")
    assert header(answer, "X-Tracker") == "dropped: invalid_url"
    assert site.counted(Cell.DROPPED_INVALID_URL) == 1


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_invalid_url_is_explained_to_new_clients(site: Site, url: str) -> None:
    for answer in (
        site.ask("/api/v1/visits", method="POST", body=json.dumps({"url": url}).encode()),
        site.ask(f"/pixel.gif?url={url}"),
        site.ask(f"/api/v1/visits?url={url}"),
    ):
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["code"], error["message"]) == (400, "invalid_url", "Invalid URL")
        assert error["hint"]
        assert header(answer, "Access-Control-Allow-Origin") == "*"


SPELLINGS = (
    "HTTPS://EXAMPLE.com:443/a?b=1",
    "https://example.com/./x/../a?b=1#top",
    "https://example.com/a?b=1&utm_source=mail&fbclid=1",
    "https://example.com/%61?b=1",
)


def test_one_page_is_one_row_however_it_is_spelled(site: Site) -> None:
    for number, url in enumerate(SPELLINGS, 1):
        row = json.loads(site.ask("/api/v1/visits", method="POST", body=json.dumps({"url": url}).encode()).body)
        assert (row["page_url"], row["visit_count"]) == (PAGE, number)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"x-moz": "prefetch"}),
    ],
)
def test_fetching_ahead_counts_nothing(site: Site, method: str, headers: dict[str, str]) -> None:
    site.ask(UPDATE)
    answer = site.ask(UPDATE, method=method, headers=headers)
    assert json.loads(answer.body)["visit_count"] == 1
    assert header(answer, "X-Tracker") == "dropped: prefetch"
    assert json.loads(site.ask(COUNT).body)["visit_count"] == 1
    pixel = site.ask(UPDATE.replace("update", "pixel.gif"), method=method, headers=headers)
    assert header(pixel, "X-Tracker") == "dropped: prefetch"
    assert json.loads(site.ask(COUNT).body)["visit_count"] == 1


def test_an_id_counts_once(site: Site) -> None:
    body = json.dumps({"url": PAGE, "id": "00112233445566778899aabbccddeeff"}).encode()
    first, again = (site.ask("/api/v1/visits", method="POST", body=body) for _ in range(2))
    uuid = json.dumps({"url": PAGE, "id": "00112233-4455-6677-8899-aabbccddeeff"}).encode()
    third = site.ask("/api/v1/visits", method="POST", body=uuid)
    assert [header(answer, "X-Tracker") for answer in (first, again, third)] == [
        "accepted",
        "dropped: duplicate",
        "dropped: duplicate",
    ]
    assert "duplicate" not in json.loads(first.body)
    assert json.loads(again.body)["duplicate"] is True
    assert [json.loads(answer.body)["visit_count"] for answer in (first, again, third)] == [1, 1, 1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"https://example.com/"',
        b"{}",
        b'{"url":1}',
        b'{"url":null}',
        b'{"url":"https://example.com/","id":""}',
        b'{"url":"https://example.com/","id":"00112233445566778899aabbccddeef"}',
        b'{"url":"https://example.com/","id":"  112233445566778899aabbccddeeff"}',
        b'{"url":"https://example.com/","id":7}',
        b'{"url":"https://example.com/\xff"}',
        b'{"url":"\\ud800"}',
        b"[" * 100_000,
        b'{"url":"https://example.com/","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"url":"https://example.com/","x":' + b"9" * 60_000 + b"e",
    ],
)
def test_a_bad_event_is_refused_with_a_reason(site: Site, body: bytes) -> None:
    answer = site.ask("/api/v1/visits", method="POST", body=body)
    error = json.loads(answer.body)["error"]
    assert answer.status == 400, answer
    assert error["message"]
    assert header(answer, "X-Tracker") in ("dropped: invalid_event", "dropped: invalid_url")
    assert json.loads(site.ask("/count?url=https://example.com/").body)["visit_count"] == 0


def test_the_pixel_counts_the_page_that_shows_it(site: Site) -> None:
    answer = site.ask("/pixel.gif", headers={"referer": PAGE})
    assert (answer.status, header(answer, "Content-Type"), answer.body[:6]) == (200, "image/gif", b"GIF89a")
    site.ask(UPDATE.replace("update", "pixel.gif"))
    assert json.loads(site.ask(COUNT).body)["visit_count"] == 2


def test_a_page_never_visited_has_no_times(site: Site) -> None:
    assert json.loads(site.ask(COUNT).body) == {
        "page_url": PAGE,
        "visit_count": 0,
        "last_visited": None,
        "created_at": None,
    }


def test_the_list_is_an_array_that_link_continues(site: Site) -> None:
    for number in range(5):
        for _ in range(number + 1):
            site.ask(f"/update?url=https://example.com/{number}")
    seen, target = [], "/count?limit=2"
    while target:
        answer = site.ask(target)
        seen += [(row["page_url"][-1], row["visit_count"]) for row in json.loads(answer.body)]
        link = re.fullmatch(r'<(/count\?[^>]+)>; rel="next"', header(answer, "Link"))
        target = link[1] if link else ""
    assert seen == [("4", 5), ("3", 4), ("2", 3), ("1", 2), ("0", 1)]
    modern = json.loads(site.ask("/api/v1/visits?order=url&limit=3").body)
    assert [row["page_url"][-1] for row in modern["pages"]] == ["0", "1", "2"]
    rest = json.loads(site.ask(f"/api/v1/visits?order=url&limit=3&cursor={modern['cursor']}").body)
    assert [row["page_url"][-1] for row in rest["pages"]] == ["3", "4"]
    assert rest["cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "limit=-1", "limit=٥", "order=rank", "cursor=x"])
def test_a_wrong_list_parameter_is_named(site: Site, query: str) -> None:
    answer = site.ask(f"/count?{query}")
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["code"] == f"invalid_{query.partition('=')[0]}"


def test_security_tokens_can_be_verified(site: Site) -> None:
    site.ask(UPDATE)
    row = json.loads(site.ask(UPDATE).body)
    query = UPDATE.partition("?")[2]
    says = json.loads(site.ask(f"/verify?{query}&token={row['security_token']}").body)
    assert says == {"valid": True, "page_url": PAGE, "visit_count": 2, "at": row["last_visited"]}
    other = json.loads(site.ask(f"/verify?url=https://example.com/&token={row['security_token']}").body)
    assert other == {"valid": False, "page_url": "https://example.com/"}


def test_tokens_outlive_the_server(build: Build) -> None:
    token = json.loads(build().ask(UPDATE).body)["security_token"]
    query = UPDATE.partition("?")[2]
    assert json.loads(build().ask(f"/verify?{query}&token={token}").body)["valid"] is True


def test_too_many_visits_are_refused_with_the_time_to_wait(build: Build) -> None:
    site = build(rate_limit=RateLimitConfig(per_second=0.1, burst=3))
    answers = [site.ask(UPDATE) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert header(answers[3], "Retry-After") == "10"
    assert header(answers[3], "X-Tracker") == "dropped: rate_limit"
    assert header(answers[3], "Access-Control-Allow-Origin") == "*"
    assert site.ask(UPDATE, peer=REMOTE).status == 200
    assert site.counted(Cell.DROPPED_RATE_LIMIT) == 1


def test_forwarded_addresses_count_only_from_trusted_proxies(build: Build) -> None:
    limit = RateLimitConfig(per_second=0.001, burst=1)
    plain = build(rate_limit=limit)
    assert [plain.ask(UPDATE, headers={"x-forwarded-for": f"198.51.100.{n}"}).status for n in (1, 2)] == [200, 429]
    trusting = build(rate_limit=limit, trusted_proxies=("127.0.0.0/8",))
    assert [trusting.ask(UPDATE, headers={"x-forwarded-for": f"198.51.100.{n}"}).status for n in (1, 2, 1)] == [
        200,
        200,
        429,
    ]


@pytest.mark.parametrize(
    ("headers", "peer", "expected"),
    [
        ({}, "10.0.0.1", "10.0.0.1"),
        ({"x-forwarded-for": "192.0.2.9"}, "10.0.0.1", "192.0.2.9"),
        ({"x-forwarded-for": "6.6.6.6, 192.0.2.9, 10.0.0.2"}, "10.0.0.1", "192.0.2.9"),
        ({"x-forwarded-for": "192.0.2.9:4711"}, "10.0.0.1", "192.0.2.9"),
        ({"x-forwarded-for": '"[2001:db8::1]:4711"'}, "10.0.0.1", "10.0.0.1"),
        ({"x-forwarded-for": "[2001:db8::1]:4711"}, "10.0.0.1", "2001:db8::1"),
        ({"x-forwarded-for": "6.6.6.6, unknown"}, "10.0.0.1", "10.0.0.1"),
        ({"x-forwarded-for": "", "x-real-ip": "192.0.2.9"}, "10.0.0.1", "192.0.2.9"),
        ({"x-real-ip": "192.0.2.9"}, "10.0.0.1", "192.0.2.9"),
        ({"x-forwarded-for": "192.0.2.9"}, "192.0.2.1", "192.0.2.1"),
        ({"x-forwarded-for": "10.0.0.3"}, "10.0.0.1", "10.0.0.3"),
        ({"x-forwarded-for": "10.0.0.4, 10.0.0.3"}, "10.0.0.1", "10.0.0.4"),
        ({"x-forwarded-for": "6.6.6.6, unknown, 10.0.0.3"}, "10.0.0.1", "10.0.0.3"),
        ({"x-forwarded-for": "unknown", "x-real-ip": "6.6.6.6"}, "10.0.0.1", "10.0.0.1"),
        ({"x-forwarded-for": "::ffff:192.0.2.9"}, "10.0.0.1", "192.0.2.9"),
        ({"x-forwarded-for": "192.0.2.9, ::ffff:10.0.0.3"}, "10.0.0.1", "192.0.2.9"),
        ({"x-real-ip": "[::ffff:192.0.2.9]:80"}, "10.0.0.1", "192.0.2.9"),
    ],
)
def test_client_address(build: Build, headers: dict[str, str], peer: str, expected: str) -> None:
    trusted = build(trusted_proxies=("10.0.0.0/8",)).app.guards.trusted
    from_peer = Peer(peer)
    assert trusted.client_address(request(headers, from_peer)) == expected


def test_a_unix_socket_is_a_trusted_proxy(build: Build) -> None:
    trusted = build().app.guards.trusted
    assert trusted.client_address(request({"x-forwarded-for": "192.0.2.9"}, Peer("", unix=True))) == "192.0.2.9"


LIST = CorsConfig(origins=("https://example.com", "https://Shop.example.com"))


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        ("https://example.com", 200, "https://example.com"),
        ("https://shop.example.com", 200, "https://shop.example.com"),
        ("https://evil.example", 403, ""),
        ("null", 403, ""),
        ("", 200, ""),
    ],
)
def test_origins_can_be_listed(build: Build, origin: str, status: int, allowed: str) -> None:
    answer = build(cors=LIST).ask(UPDATE, headers={"origin": origin} if origin else {})
    assert answer.status == status
    assert header(answer, "Access-Control-Allow-Origin") == allowed
    assert header(answer, "Vary") == "Origin"


def test_preflight(site: Site, build: Build) -> None:
    answer = site.ask("/api/v1/visits", method="OPTIONS", headers={"origin": "https://a.example"})
    assert (answer.status, answer.body) == (204, b"")
    assert header(answer, "Access-Control-Allow-Methods") == header(answer, "Allow") == "OPTIONS, GET, HEAD, POST"
    assert header(answer, "Access-Control-Allow-Headers").startswith("Content-Type")
    assert "Access-Control-Allow-Credentials" not in dict(answer.headers)
    foreign = build(cors=LIST).ask("/update", method="OPTIONS", headers={"origin": "https://evil.example"})
    assert header(foreign, "Access-Control-Allow-Origin") == ""


def test_badges_hide_small_counts(build: Build) -> None:
    site = build(counter=CounterConfig(badge_floor=3, badge_seconds=0))
    query = UPDATE.partition("?")[2]
    for shown, number in (("< 3", None), ("< 3", None), ("3", 3), ("4", 4)):
        site.ask(UPDATE)
        says = json.loads(site.ask(f"/badge.json?{query}").body)
        assert (says["message"], says["visit_count"]) == (shown, number)
    assert b">4</text>" in site.ask(f"/badge.svg?{query}").body


def test_a_badge_is_kept_for_a_while(build: Build) -> None:
    site = build(counter=CounterConfig(badge_seconds=60))
    badge = UPDATE.replace("update", "badge.svg")
    first = site.ask(badge)
    site.ask(UPDATE)
    second = site.ask(badge, headers={"if-none-match": header(first, "ETag")})
    assert (second.status, second.body) == (304, b"")
    assert header(first, "Cache-Control") == "public, max-age=60"


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ("&label=%3Cscript%3E", 200),
        ("&label=%22%26'", 200),
        ("&label=a%0Ab", 400),
        ("&label=%E2%80%AE", 400),
        ("&label=" + "x" * 41, 400),
        ("&color=red", 200),
        ("&color=%23fff", 200),
        ("&color=red%22/%3E%3Cscript", 400),
        ("&color=url(x)", 400),
    ],
)
def test_a_badge_carries_no_script(site: Site, extra: str, status: int) -> None:
    answer = site.ask(UPDATE.replace("update", "badge.svg") + extra)
    assert answer.status == status
    if status == 200:
        assert b"<script" not in answer.body
        ElementTree.fromstring(answer.body)


def request(headers: dict[str, str], peer: Peer = LOCAL) -> Request:
    return Request("GET", "/", "", headers, b"", True, peer)
