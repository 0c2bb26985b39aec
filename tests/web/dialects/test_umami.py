"""Umami's format: the requests of its script, of @umami/node and of importers."""

import json

import pytest

from tests.web.dialects.asking import changed, event, found, read, read_one, receipt, refusal, request
from visitor_tracker.event import Signal
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialects import fields
from visitor_tracker.web.dialects.umami import dialects

SEND = found(dialects(), "POST", "/api/send")
BATCH = found(dialects(), "POST", "/api/batch")
SITE = "94db1cb1-74f4-4a40-ad6c-962362670409"
URL = "https://example.com/docs?a=1"
# What the script sends with everything; older ones send paths, newer ones whole addresses.
SCRIPT = {
    "website": SITE,
    "screen": "1920x1080",
    "language": "en-GB",
    "title": "Docs",
    "hostname": "example.com",
    "url": URL,
    "referrer": "https://search.example/",
}
VIEW = Hit(site=SITE, url=URL, referrer="https://search.example/", title="Docs", language="en-GB", screen="1920x1080")


def envelope(kind: str = "event", **payload: object) -> dict[str, object]:
    return {"type": kind, "payload": payload}


def view(**changes: object) -> Hit:
    return changed(VIEW, **changes)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (envelope(**SCRIPT), VIEW),
        (envelope(**SCRIPT | {"url": "/docs?a=1"}), VIEW),
        (envelope(**SCRIPT | {"referrer": "/start"}), view(referrer="https://example.com/start")),
        (
            envelope(**SCRIPT, tag="b", id="user-7", vid="v-1"),
            view(properties={"tag": "b"}, person="user-7", visitor="v-1"),
        ),
        (envelope(**SCRIPT | {"url": "https://example.com/#/a"}), view(url="https://example.com/%23/a")),
        (
            envelope(**SCRIPT, name="signup", data={"plan": "pro", "user": {"age": 7}}),
            view(kind="custom", name="signup", properties={"plan": "pro", "user.age": 7}),
        ),
        (
            envelope(**SCRIPT, name="buy", data={"revenue": "19.9", "currency": "eur"}),
            view(
                kind="custom", name="buy", properties={"revenue": "19.9", "currency": "eur"}, value=19.9, currency="EUR"
            ),
        ),
        (
            envelope("identify", **SCRIPT, data={"email": "a@b.example"}, id="7"),
            view(kind="identify", properties={"email": "a@b.example"}, person="7"),
        ),
        (envelope("engagement", **SCRIPT, engagement=4200), view(kind="engagement", engaged_ms=4200)),
        # @umami/node: only what its user gave.
        (
            envelope(website=SITE, name="job", data={"ok": True}),
            Hit("custom", site=SITE, name="job", properties={"ok": True}),
        ),
        (envelope("identify", website=SITE, data={}), Hit("identify", site=SITE)),
        (
            envelope(website=SITE, url="/", ip="203.0.113.9", userAgent="Firefox"),
            Hit(site=SITE, url="https://stats.example.net/", ip="203.0.113.9", user_agent="Firefox"),
        ),
    ],
)
def test_a_request_is_read(sent: dict[str, object], expected: Hit) -> None:
    assert read_one(SEND, body=sent) == expected


def test_a_page_that_says_nothing_of_itself_is_the_one_that_sends() -> None:
    hit = read_one(SEND, body=envelope(website=SITE), headers={"referer": "https://example.com/a"})
    assert hit.url == "https://example.com/a"


def test_the_past_has_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "now_ms", lambda: 1_800_000_000_000)
    assert read_one(SEND, body=envelope(**SCRIPT, timestamp=1_799_999_000)).age_ms == 1_000_000


def test_each_vital_is_an_event() -> None:
    hits = read(SEND, body=envelope("performance", **SCRIPT, lcp=1200.5, cls=0.01, ttfb=80, inp=None))
    assert hits == [
        view(kind="vital", name=name, value=value, interactive=False)
        for name, value in (("LCP", 1200.5), ("CLS", 0.01), ("TTFB", 80.0))
    ]


BAD = [
    (b"", "not JSON"),
    (b"[]", "not a JSON object"),
    ({}, "names no website"),
    ({"type": "event"}, "names no website"),
    ({"type": "event", "payload": []}, "names no website"),
    (envelope(), "names no website"),
    (envelope(website={}), "names no website"),
    (envelope("replay", website=SITE), "type is none of"),
    ({"payload": {"website": SITE}}, "type is none of"),
    ({"type": [], "payload": {"website": SITE}}, "type is none of"),
    (envelope("performance", website=SITE), "has none of lcp"),
]


@pytest.mark.parametrize(("body", "message"), BAD)
def test_what_cannot_be_read_is_refused(body: object, message: str) -> None:
    assert message in refusal(SEND, body=body)


def test_a_batch_keeps_what_can_be_read() -> None:
    parts = read(BATCH, body=[envelope(**SCRIPT), 7, envelope(), envelope(**SCRIPT, name="x")])
    problem = Malformed("the payload names no website")
    assert parts == [VIEW, problem, problem, view(kind="custom", name="x")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "not an array"),
        ([], "not an array with something"),
        ([{}] * 1001, "more than 1000 events"),
        (b"", "not JSON"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused(body: object, message: str) -> None:
    assert message in refusal(BATCH, body=body)


def answer(got: Receipt) -> tuple[int, dict[str, object]]:
    response = SEND.write(request(SEND, body=envelope(**SCRIPT)), got)
    return response.status, json.loads(response.body)


def test_the_answer_names_visitor_and_visit_the_same_for_an_hour() -> None:
    status, first = answer(receipt(None))
    assert status == 200
    assert first.keys() == {"cache", "sessionId", "visitId"}
    assert answer(receipt(None)) == (200, first)
    _, later = answer(Receipt([None], {}, event(ts=1_800_000_000_000 + 3_600_000)))
    assert (later["sessionId"] == first["sessionId"], later["visitId"] == first["visitId"]) == (True, False)
    _, other = answer(Receipt([None], {}, event(visitor=b"w" * 16)))
    assert other["sessionId"] != first["sessionId"]


def test_the_answer_tells_nothing_that_is_stored() -> None:
    _, told = answer(receipt(None))
    assert event().visitor.hex() not in json.dumps(told).replace("-", "")


@pytest.mark.parametrize(
    "got", [receipt("opt_out"), receipt(None, signals=Signal.USER_AGENT), receipt(None, signals=Signal.HEADLESS)]
)
def test_robots_and_who_does_not_count_get_no_session(got: Receipt) -> None:
    assert answer(got) == (200, {"beep": "boop"})


def test_an_unknown_website_is_told() -> None:
    status, body = answer(receipt("unknown_site"))
    assert (status, body["error"]) == (
        400,
        {"code": "unknown_site", "message": "Website not found.", "hint": "add the website id to a site's aliases"},
    )


def test_the_answer_to_a_batch_names_what_was_not_kept() -> None:
    sent = [envelope(**SCRIPT), 7, envelope("performance", **SCRIPT, lcp=1, cls=2), envelope(**SCRIPT)]
    response = BATCH.write(
        request(BATCH, body=sent), receipt(None, "invalid_event", None, None, "hostname", problems={1: "bad"})
    )
    body = json.loads(response.body)
    assert len(body.pop("cache")) == 32
    assert body == {
        "size": 4,
        "processed": 2,
        "errors": 2,
        "details": [
            {"index": 1, "response": {"error": {"code": "invalid_event", "message": "bad"}}},
            {"index": 3, "response": {"error": {"code": "hostname", "message": "hostname"}}},
        ],
    }
