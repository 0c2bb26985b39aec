"""Matomo's tracking HTTP API: what its JavaScript, its packages, apps and log importers send."""

import json
from urllib.parse import urlencode

import pytest

from tests.web.dialects.asking import changed, found, read, read_one, receipt, refusal, request
from visitor_tracker.event import Kind
from visitor_tracker.ingest.hit import Hit, Malformed
from visitor_tracker.web.dialects import fields
from visitor_tracker.web.dialects.matomo import dialects

GET = found(dialects(), "GET", "/matomo.php")
POST = found(dialects(), "POST", "/piwik.php")
URL = "https://example.com/a"
SENT = {"idsite": "3", "rec": "1", "url": URL}


def hit(kind: Kind = "pageview", **more: object) -> Hit:
    return changed(Hit(kind, site="3", url=URL), **more)


def test_the_endpoints() -> None:
    paths = [(each.method, each.path) for each in dialects()]
    assert paths == [(method, path) for path in ("/matomo.php", "/piwik.php") for method in ("GET", "POST")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, hit()),
        (
            {
                "action_name": "A",
                "r": "123456",
                "h": "13",
                "m": "5",
                "s": "9",
                "urlref": "https://s.example/",
                "cookie": "1",
                "_id": "0123456789abcdef",
                "_idn": "1",
                "send_image": "0",
                "_refts": "0",
                "pv_id": "AbCdEf",
                "pf_net": "3",
                "pf_srv": "40",
                "res": "1920x1080",
                "lang": "de-DE,de;q=0.9",
                "uid": "user-7",
            },
            hit(
                title="A",
                referrer="https://s.example/",
                visitor="0123456789abcdef",
                screen="1920x1080",
                language="de-DE,de;q=0.9",
                person="user-7",
            ),
        ),
        ({"cid": "fedcba9876543210", "_id": "0123456789abcdef"}, hit(visitor="fedcba9876543210")),
        (
            {"dimension2": "gold", "cvar": '{"1":["Kind","news"]}', "_cvar": '{"1":["Plan","pro"],"2":"x","3":[{},1]}'},
            hit(properties={"dimension2": "gold", "Kind": "news", "Plan": "pro"}),
        ),
        (
            {"e_c": "Video", "e_a": "Play", "e_n": "Intro", "e_v": "7.5", "ca": "1"},
            hit("custom", name="Video: Play", properties={"name": "Intro", "value": 7.5}, value=7.5),
        ),
        ({"e_c": "Video", "e_a": "Play"}, hit("custom", name="Video: Play")),
        ({"link": "https://o.example/", "ca": "1"}, hit("outbound", target="https://o.example/")),
        ({"download": "https://example.com/a.zip"}, hit("download", target="https://example.com/a.zip")),
        (
            {"search": "shoes", "search_cat": "men", "search_count": "12"},
            hit("custom", name="Site search", properties={"keyword": "shoes", "category": "men", "count": "12"}),
        ),
        ({"idgoal": "2", "revenue": "9.9"}, hit("custom", name="Goal 2", value=9.9)),
        (
            {"idgoal": "0", "ec_id": "A7", "revenue": "50", "ec_items": "[]"},
            hit("custom", name="Ecommerce order", value=50.0, properties={"order": "A7"}),
        ),
        ({"idgoal": "0", "revenue": "20"}, hit("custom", name="Ecommerce cart", value=20.0)),
        ({"ping": "1", "ca": "1"}, hit("engagement", engaged_ms=15_000)),
        ({"ping": "0"}, hit()),
        (
            {"c_n": "Banner", "c_p": "b.png", "c_t": "https://o.example/", "ca": "1"},
            hit(
                "custom",
                name="Content impression",
                target="https://o.example/",
                interactive=False,
                properties={"content": "Banner", "piece": "b.png"},
            ),
        ),
        (
            {"c_n": "Banner", "c_i": "click"},
            hit("custom", name="Content interaction", properties={"content": "Banner", "interaction": "click"}),
        ),
        (
            {
                "cra": "x is not defined",
                "cra_tp": "ReferenceError",
                "cra_ru": "https://example.com/a.js",
                "cra_rl": "3",
                "ca": "1",
            },
            hit(
                "error",
                name="x is not defined",
                target="https://example.com/a.js",
                interactive=False,
                properties={"type": "ReferenceError", "line": "3"},
            ),
        ),
        ({"ca": "1", "ma_id": "x"}, hit("custom", name="Custom action", interactive=False)),
        ({"cip": "203.0.113.9", "ua": "Firefox"}, hit(ip="203.0.113.9", user_agent="Firefox")),
        ({"url": "https://example.com/#/b"}, hit(url="https://example.com/%23/b")),
        ({"url": "/b"}, hit(url="https://stats.example.net/b")),
        ({"url": "", "e_c": "a", "e_a": "b"}, hit("custom", url="", name="a: b")),
    ],
)
def test_a_request_is_read(more: dict[str, str], expected: Hit) -> None:
    sent = SENT | more
    query = urlencode(sent)
    assert read_one(GET, query) == expected
    assert read_one(POST, query) == expected
    assert read_one(POST, "", query.encode()) == expected
    assert read_one(POST, "", {"requests": [f"?{query}"]}) == expected
    assert read_one(POST, "", {"requests": [f"https://m.example/matomo.php?{query}"]}) == expected
    assert read_one(POST, "", {"requests": [sent]}) == expected


def test_numbers_may_be_numbers() -> None:
    sent = {"idsite": 3, "rec": 1, "url": URL, "idgoal": 0, "revenue": 5, "dimension1": 7}
    assert read_one(POST, body={"requests": [sent]}) == hit(
        "custom", name="Ecommerce cart", value=5.0, properties={"dimension1": 7}
    )


@pytest.mark.parametrize(
    ("more", "seconds"),
    [({"cdt": "1799999940"}, 60), ({"cdt": "2027-01-15 07:58:00"}, 120), ({"cdo": "30"}, 30), ({"cdt": "soon"}, 0)],
)
def test_the_past_has_its_age(more: dict[str, str], seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "now_ms", lambda: 1_800_000_000_000)
    assert read_one(GET, urlencode(SENT | more)).age_ms == seconds * 1000


def test_without_an_address_the_page_is_the_one_that_sends() -> None:
    assert read_one(GET, "idsite=3&rec=1", headers={"referer": URL}).url == URL


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("", b"", "idsite or rec=1 is missing"),
        ("idsite=3", b"", "rec=1 is missing"),
        ("rec=1", b"", "idsite"),
        ("idsite=3&rec=0", b"", "rec=1"),
        ("idsite=%ff", b"", "UTF-8"),
        ("&a" * 101, b"", "more than 100"),
        ("", b"{}", "idsite"),
        ("", {"requests": {}}, "not an array"),
        ("", {"requests": []}, "something in it"),
        ("", {"requests": ["?a"] * 1001}, "more than 1000"),
        ("", b'{"requests":', "not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused(query: str, body: object, message: str) -> None:
    assert message in refusal(POST, query, body)


def test_a_bulk_request_keeps_what_can_be_read() -> None:
    parts = read(POST, body={"requests": [urlencode(SENT), 7, None, "?idsite=%ff", {"rec": 1}, f"?{urlencode(SENT)}"]})
    kept = [index for index, part in enumerate(parts) if isinstance(part, Hit)]
    assert (kept, len(parts)) == ([0, 5], 6)
    assert all(isinstance(part, Malformed) for part in parts[1:5])


def test_the_answer_is_a_picture_or_nothing() -> None:
    picture = GET.write(request(GET, urlencode(SENT)), receipt(None))
    assert (picture.status, picture.body) == (200, fields.PIXEL)
    assert GET.write(request(GET, "send_image=0"), receipt(None)).status == 204
    assert POST.write(request(POST, "", b"send_image=0"), receipt(None)).status == 204
    assert POST.write(request(POST, "", {"requests": ["?"], "send_image": 0}), receipt(None)).status == 204
    assert GET.write(request(GET, "send_image=1"), receipt(None)).status == 200


def test_the_answer_to_a_bulk_request_counts() -> None:
    ask = request(POST, body={"requests": ["?a", "?b", "?c"]})
    assert json.loads(POST.write(ask, receipt(None, None, None)).body) == {
        "status": "success",
        "tracked": 3,
        "invalid": 0,
    }
    assert json.loads(POST.write(ask, receipt(None, "invalid_event", None)).body) == {
        "status": "success",
        "tracked": 2,
        "invalid": 1,
        "invalid_indices": [1],
    }


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("token_auth=vt_1&idsite=1", b"", "vt_1"),
        ("", b"token_auth=vt_2", "vt_2"),
        ("", b"{}", ""),
        ("", {"requests": ["?idsite=1"], "token_auth": "vt_3"}, "vt_3"),
        ("", {"requests": [7, "?%ff=token_auth", "?idsite=1&token_auth=vt_4"]}, "vt_4"),
        ("", {"requests": [{"token_auth": "vt_5"}]}, "vt_5"),
        ("", {"requests": ["token_authority"]}, ""),
        ("idsite=1", b"", ""),
        ("", {"requests": ["?a"], "token_auth": []}, ""),
    ],
)
def test_the_token_is_found(query: str, body: object, expected: str) -> None:
    assert POST.token is not None
    assert POST.token(request(POST, query, body)) == expected
