"""The website-analytics scripts of old: /collect, /api/events and /api/analytics, as the scripts send them."""

import gzip
import json
from typing import Any

import pytest

from tests.web.conftest import REMOTE, Site, header
from tests.web.dialects.asking import changed, found, read, read_one, receipt, refusal, request
from visitor_tracker.event import Event, Kind
from visitor_tracker.ingest.hit import AGE_MOST_MS, Hit, Malformed
from visitor_tracker.web.dialects.analytics import Sessions, dialects
from visitor_tracker.web.dialects.fields import HITS_MOST

ENDPOINTS = dialects()
COLLECT, EVENTS, BATCH = (found(ENDPOINTS, "POST", path) for path in ("/collect", "/api/events", "/api/analytics"))
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
PAGE = "http://localhost:3000/"
PAGEVIEW: dict[str, Any] = {
    "type": "pageview",
    "websiteId": "your-website-id",
    "domain": "yourdomain.com",
    "href": "http://localhost:3000/",
    "referrer": None,
    "viewport": {"width": 1920, "height": 1080},
    "visitorId": "uuid-here",
    "sessionId": "session-uuid-here",
}
VIEW = Hit(
    site="your-website-id", url=PAGE, visitor="uuid-here", session="session-uuid-here", viewport="1920x1080"
)  # fmt: skip
MORE = {
    "visitorFirstSeenAt": "2026-11-22T10:00:00.000Z",
    "visitorSessionNumber": 3,
    "screenWidth": 2560,
    "screenHeight": 1440,
    "language": "de-DE",
    "timezone": "Europe/Berlin",
    "title": "Home",
}
CLICK: dict[str, Any] = {
    "type": "click",
    "tag": "BUTTON",
    "id": "submit-btn",
    "class": "btn btn-primary",
    "text": "Submit",
    "x": 100,
    "y": 200,
    "timestamp": 1704067200000,
}
METADATA: dict[str, Any] = {
    "sessionId": "session-uuid",
    "url": "http://localhost:3000/",
    "screen": "1920x1080",
    "timestamp": "2025-01-01T00:00:00.000Z",
}
SENT_AT = 1_735_689_600_000  # METADATA's timestamp
CLICKED = Hit(
    "click",
    url=PAGE,
    name="Submit",
    session="session-uuid",
    screen="1920x1080",
    properties={"tag": "BUTTON", "id": "submit-btn", "class": "btn btn-primary", "x": 100, "y": 200},
)


def view(kind: Kind = "pageview", **more: object) -> Hit:
    return changed(VIEW, kind=kind, **more)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (PAGEVIEW, view()),
        (
            PAGEVIEW | MORE,
            view(screen="2560x1440", language="de-DE", timezone="Europe/Berlin", title="Home"),
        ),
        (
            PAGEVIEW | {"type": "custom", "extraData": {"eventName": "signup", "plan": "pro", "seats": 3, "on": True}},
            view("custom", name="signup", properties={"plan": "pro", "seats": 3, "on": True}),
        ),
        (
            PAGEVIEW | {"type": "custom", "name": "signup", "data": {"plan": {"id": 7}, "tags": ["a", "b"]}},
            view("custom", name="signup", properties={"plan.id": 7, "tags": "a, b"}),
        ),
        (PAGEVIEW | {"type": "payment"}, view("custom", name="payment")),
        (
            PAGEVIEW | {"type": "identify", "id": "user-1", "traits": {"name": "Ann"}},
            view("identify", person="user-1", properties={"name": "Ann"}),
        ),
        (
            PAGEVIEW | {"type": "identify", "extraData": {"user_id": "user-1", "name": "Ann"}},
            view("identify", person="user-1", properties={"name": "Ann"}),
        ),
        (PAGEVIEW | {"referrer": "https://t.co/x"}, view(referrer="https://t.co/x")),
        # What the script sends where an attribute is missing, and what is of another type.
        (PAGEVIEW | {"websiteId": None}, view(site="yourdomain.com")),
        (PAGEVIEW | {"websiteId": None, "domain": None, "visitorId": None}, view(site="", visitor="")),
        (PAGEVIEW | {"websiteId": 7, "viewport": {"width": None, "height": 1}}, view(site="7", viewport="")),
        (PAGEVIEW | {"viewport": "1920x1080", "type": None, "extraData": "x", "title": ["x"]}, view(viewport="")),
    ],
)  # fmt: skip
def test_collect(sent: object, expected: Hit) -> None:
    assert read_one(COLLECT, body=sent) == expected


def test_a_page_without_address_is_the_one_that_sends() -> None:
    sent = {"type": "pageview"}
    assert read_one(COLLECT, body=sent, headers={"referer": PAGE}) == Hit(url=PAGE)
    assert read_one(BATCH, body={"events": [sent]}, headers={"referer": PAGE}) == Hit(url=PAGE)


@pytest.mark.parametrize(
    ("about", "click", "age_ms"),
    [
        ({}, {}, 0),  # as documented of old: a year between the two is no age
        ({}, {"timestamp": SENT_AT - 4000}, 4000),
        ({"timestamp": SENT_AT}, {"timestamp": SENT_AT - 4000}, 4000),
        ({}, {"timestamp": "2024-12-31T23:59:50.000Z"}, 10_000),
        ({}, {"timestamp": SENT_AT - AGE_MOST_MS}, AGE_MOST_MS),
        ({}, {"timestamp": SENT_AT + 4000}, 0),
        ({"timestamp": None}, {"timestamp": SENT_AT}, 0),
        ({"timestamp": "yesterday"}, {"timestamp": 1e308}, 0),
        ({"timestamp": 10**400}, {"timestamp": -(10**400)}, 0),
    ],
)
def test_clicks_and_their_age(about: dict[str, Any], click: dict[str, Any], age_ms: int) -> None:
    sent = {"metadata": METADATA | about, "analytics": [CLICK | click], "replay": []}
    assert read_one(EVENTS, body=sent) == changed(CLICKED, age_ms=age_ms)


def test_what_is_known_of_a_click_names_it() -> None:
    clicks = [{"type": "click", "id": "go"}, {"type": "click", "tag": "A", "href": "https://other.example/"}, {}]
    names = [hit.name for hit in read(EVENTS, body={"metadata": METADATA, "analytics": clicks}) if isinstance(hit, Hit)]
    assert names == ["go", "A", ""]


def test_the_rest_of_a_batch_is_kept() -> None:
    sent = {"metadata": METADATA, "analytics": [5, CLICK, None]}
    bad = Malformed("an event of analytics is no object")
    assert read(EVENTS, body=sent) == [bad, CLICKED, bad]
    [wrong, kept] = read(BATCH, body={"events": ["x", {"type": "pageview", "url": PAGE}]})
    assert (wrong, kept) == (Malformed("an event is no object"), Hit(url=PAGE))


def test_recordings_alone_are_answered() -> None:
    sent = {"metadata": METADATA, "analytics": [], "replay": [{"type": 2, "data": {}, "timestamp": 1}]}
    assert read(EVENTS, body=sent) == [Malformed("there is nothing in analytics")]
    assert EVENTS.write(request(EVENTS), receipt("invalid_event")).status == 200


def test_clicks_belong_to_the_website_of_their_session() -> None:
    collect, events, _ = dialects()
    read_one(collect, body=PAGEVIEW | {"sessionId": "session-uuid"})
    sent = {"metadata": METADATA, "analytics": [CLICK]}
    assert read_one(events, body=sent).site == "your-website-id"
    assert read_one(events, body=sent | {"metadata": METADATA | {"websiteId": "x"}}).site == "x"
    assert read_one(events, body=sent | {"metadata": METADATA | {"sessionId": "other"}}).site == ""


def test_sessions_are_remembered_within_bounds() -> None:
    sessions = Sessions()
    sessions.note("long" * 100, "site")
    sessions.note("", "site")
    sessions.note("first", "site")
    for number in range(8_192):
        sessions.note(str(number), "site")
    assert (sessions.site("first"), sessions.site("8191"), sessions.site("long" * 100)) == ("site", "site", "")
    for number in range(8_192):
        sessions.note(f"again {number}", "site")
    assert sessions.site("first") == ""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "pageview", "title": "Home", "referrer": "https://t.co/"}, Hit(title="Home", referrer="https://t.co/")),
        ({"type": "click", "data": {"text": "Buy", "x": 1}},
         Hit("click", name="Buy", properties={"text": "Buy", "x": 1})),
        ({"type": "scroll", "scrollDepth": 55}, Hit("scroll", scroll=55, properties={"scrollDepth": 55})),
        ({"type": "form_interaction", "name": "mail"}, Hit("form", name="mail")),
        ({"type": "error", "message": "x is undefined", "name": "E"}, Hit("error", name="x is undefined")),
        (
            {"type": "page_exit", "timeOnPage": 9000, "engagementTime": 7000.5, "scrollDepth": 1e9},
            Hit("engagement", engaged_ms=7000, scroll=100,
                properties={"timeOnPage": 9000, "engagementTime": 7000.5, "scrollDepth": 1e9}),
        ),
        ({"type": "identify", "userId": "u", "data": {"plan": "pro"}},
         Hit("identify", person="u", properties={"plan": "pro"})),
        ({"type": "custom:signup", "data": {"plan": "pro"}}, Hit("custom", name="signup", properties={"plan": "pro"})),
        ({"type": "whatever"}, Hit("custom", name="whatever")),
    ],
)  # fmt: skip
def test_the_later_script(event: dict[str, Any], expected: Hit) -> None:
    meta = {"userAgent": AGENT, "language": "en", "platform": "Linux", "screenResolution": "1920x1080"}
    sent = {"events": [event | {"url": PAGE, "sessionId": "s"}], "meta": meta, "site_id": "mine"}
    common = {"url": PAGE, "session": "s", "site": "mine", "language": "en", "screen": "1920x1080"}
    assert read_one(BATCH, body=sent) == changed(expected, **common)


def test_the_site_may_come_in_a_header() -> None:
    assert read_one(BATCH, body={"events": [{"url": PAGE}], "meta": None}, headers={"x-site-id": "mine"}).site == "mine"


def test_what_says_nothing_new_is_left_out() -> None:
    silent = [{"type": "mousemove", "x": 1}, {"type": "visibility"}]
    assert read(BATCH, body={"events": [*silent, {"type": "click", "url": PAGE}]}) == [Hit("click", url=PAGE)]
    assert read(BATCH, body={"events": silent}) == [Malformed("there is nothing in events that is kept")]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", {"metadata": None}, {"events": 5, "metadata": 5}])
def test_what_cannot_be_read_is_refused(body: object) -> None:
    assert refusal(EVENTS, body=body)
    if isinstance(body, bytes):
        assert refusal(COLLECT, body=body)
        assert refusal(BATCH, body=body)


def test_too_many_are_refused_and_not_cut_silently() -> None:
    assert "more than" in refusal(BATCH, body={"events": [{}] * (HITS_MOST + 1)})
    assert "more than" in refusal(EVENTS, body={"metadata": METADATA, "analytics": [{}] * (HITS_MOST + 1)})
    assert len(read(BATCH, body={"events": [{}] * HITS_MOST})) == HITS_MOST


def post(site: Site, path: str, sent: object, **headers: str) -> tuple[int, dict[str, Any], str]:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    common = {"user-agent": AGENT, "content-type": "application/json"}
    sent_headers = common | {name.replace("_", "-"): value for name, value in headers.items()}
    got = site.ask(path, method="POST", body=body, headers=sent_headers, peer=REMOTE)
    return got.status, json.loads(got.body), header(got, "X-Tracker")


def by_kind(site: Site) -> dict[str, Event]:
    return {event.kind: event for event in site.events()}


def test_the_literal_requests_are_stored(site: Site) -> None:
    ok = (200, {"status": "ok", "success": True, "accepted": 1, "dropped": 0}, "accepted")
    assert post(site, "/collect", PAGEVIEW) == ok
    assert post(site, "/api/events", {"metadata": METADATA, "analytics": [CLICK], "replay": []}) == ok
    later = {"events": [{"type": "custom:signup", "url": PAGE}], "site_id": "your-website-id"}
    assert post(site, "/api/analytics", gzip.compress(json.dumps(later).encode()), content_encoding="gzip") == ok
    kept = by_kind(site)
    assert set(kept) == {"pageview", "click", "custom"}
    assert (kept["pageview"].url, kept["pageview"].viewport, len(kept["pageview"].session)) == (PAGE, "1920x1080", 16)
    click = kept["click"]
    assert (click.name, click.screen, click.properties["id"]) == ("Submit", "1920x1080", "submit-btn")
    assert click.ts == click.at
    assert kept["pageview"].site_id == kept["custom"].site_id != click.site_id, "the session of the example is another"


def test_a_page_sends_its_text_as_plain_text(site: Site) -> None:
    assert post(site, "/collect", PAGEVIEW, content_type="text/plain;charset=UTF-8")[0] == 200
    assert post(site, "/collect", b"not json", content_type="text/plain")[::2] == (400, "dropped: invalid_event")


def test_numbers_beyond_all_bounds_are_left_out(site: Site) -> None:
    huge = 10**400
    assert (
        post(site, "/collect", PAGEVIEW | {"type": "custom", "data": {"a": huge, "b": 1}, "screenWidth": huge})[0]
        == 200
    )
    assert post(site, "/api/events", {"metadata": METADATA, "analytics": [CLICK | {"x": huge, "y": -huge}]})[0] == 200
    assert (
        post(site, "/api/analytics", {"events": [{"url": PAGE, "a": huge, "scrollDepth": huge, "type": "scroll"}]})[0]
        == 200
    )
    kept = by_kind(site)
    assert kept["custom"].properties == {"b": 1}
    assert (kept["scroll"].scroll, kept["scroll"].properties) == (0, {})
