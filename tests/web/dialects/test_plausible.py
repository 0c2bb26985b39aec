"""Plausible's format: the requests of its three scripts, of its packages and of servers."""

import pytest

from tests.web.dialects.asking import changed, read, read_one, receipt, refusal, request
from visitor_tracker.event import Kind
from visitor_tracker.ingest.hit import Hit
from visitor_tracker.web.dialects.plausible import DOMAINS_MOST, dialects

[EVENT] = dialects()
URL = "https://example.com/blog?utm_source=news"
BASE = {"n": "pageview", "u": URL, "d": "example.com"}
OLD = {"name": "pageview", "url": URL, "domain": "example.com", "referrer": None, "screen_width": 1440}


def hit(kind: Kind = "pageview", **more: object) -> Hit:
    return changed(Hit(kind, site="example.com", url=URL), **more)


def test_the_endpoint() -> None:
    assert (EVENT.method, EVENT.path, EVENT.fast) == ("POST", "/api/event", True)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (BASE, hit()),
        (OLD, hit()),
        # The package plausible-tracker: props as JSON text, the window's width, hash mode as 0.
        (
            BASE | {"n": "Signup", "r": "https://search.example/", "w": 1440, "h": 0, "p": '{"plan":"pro","seats":3}'},
            hit(
                "custom",
                referrer="https://search.example/",
                name="Signup",
                properties={"plan": "pro", "seats": 3},
            ),
        ),
        # @plausible-analytics/tracker: props as an object, revenue, its own version.
        (
            BASE | {"n": "Purchase", "v": 36, "r": None, "p": {"a": "b"}, "$": {"amount": "19.90", "currency": "eur"}},
            hit("custom", name="Purchase", properties={"a": "b"}, value=19.9, currency="EUR"),
        ),
        (
            BASE | {"n": "Purchase", "revenue": '{"amount": 5, "currency": "USD"}', "meta": {"a": 1}},
            hit("custom", name="Purchase", properties={"a": 1}, value=5.0, currency="USD"),
        ),
        (BASE | {"n": "Shown", "i": False}, hit("custom", name="Shown", interactive=False)),
        (BASE | {"n": "Shown", "interactive": False}, hit("custom", name="Shown", interactive=False)),
        (
            BASE | {"n": "engagement", "e": 12_345, "sd": 80, "v": 36},
            hit("engagement", engaged_ms=12_345, scroll=80),
        ),
        (BASE | {"n": "engagement", "e": 3000, "sd": 255}, hit("engagement", engaged_ms=3000)),
        (BASE | {"n": "pageleave", "sd": 120}, hit("engagement", scroll=100)),
        (
            BASE | {"n": "Outbound Link: Click", "p": {"url": "https://other.example/", "place": "foot"}},
            hit("outbound", target="https://other.example/", properties={"place": "foot"}),
        ),
        (
            BASE | {"n": "File Download", "p": '{"url":"https://example.com/a.pdf"}'},
            hit("download", target="https://example.com/a.pdf"),
        ),
        (BASE | {"n": "Form: Submission", "p": {"path": "/blog"}}, hit("form", target="/blog")),
        (BASE | {"n": "404", "p": {"path": "/gone"}}, hit("custom", name="404", properties={"path": "/gone"})),
        # Where there is no domain, the site is that of the page.
        ({"n": "pageview", "u": URL}, Hit(url=URL)),
        (BASE | {"d": " www.example.com "}, hit()),
        # A fragment names a page in hash mode, and an app has screens.
        (BASE | {"u": "https://example.com/#/a", "h": 1}, hit(url="https://example.com/%23/a")),
        (BASE | {"u": "https://example.com/a#b"}, hit(url="https://example.com/a#b")),
        (BASE | {"u": "app://localhost/settings"}, hit(url="https://example.com/settings")),
    ],
)
def test_a_request_is_read(sent: dict[str, object], expected: Hit) -> None:
    assert read_one(EVENT, body=sent) == expected


def test_an_event_for_several_domains_is_one_for_each() -> None:
    sites = [
        each.site
        for each in read(EVENT, body=BASE | {"d": "a.example, b.example,a.example,,"})
        if isinstance(each, Hit)
    ]
    assert sites == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"nonsense", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"a"', "not a JSON object"),
        ({"n": "pageview"}, "name or URL is missing"),
        ({"u": URL}, "name or URL is missing"),
        (BASE | {"n": {}}, "name or URL is missing"),
        (BASE | {"u": []}, "name or URL is missing"),
        (BASE | {"d": ",".join(f"s{n}.example" for n in range(DOMAINS_MOST + 1))}, "more than 20 domains"),
    ],
)
def test_what_cannot_be_read_is_refused(body: object, message: str) -> None:
    assert message in refusal(EVENT, body=body)


@pytest.mark.parametrize(
    "strange",
    [{"p": [1]}, {"p": "{"}, {"p": 5}, {"$": "x"}, {"$": {"amount": {}}}, {"e": "NaN", "sd": []}, {"r": {}}, {"h": {}}],
)
def test_fields_of_a_wrong_type_are_left_out(strange: dict[str, object]) -> None:
    assert read_one(EVENT, body=BASE | strange) == hit()


def test_the_answer_is_theirs() -> None:
    kept = EVENT.write(request(EVENT, body=BASE), receipt(None))
    dropped = EVENT.write(request(EVENT, body=BASE), receipt("hostname"))
    assert [(each.status, each.body) for each in (kept, dropped)] == [(202, b"ok")] * 2
    assert ("X-Plausible-Dropped", "1") in dropped.headers
    assert "X-Plausible-Dropped" not in dict(kept.headers)
