"""The tracker API of old: POST /track and /click, as its pages and programs send them."""

import json
from typing import Any

import msgspec
import pytest

from tests.mariadb import MariaDB
from tests.web.conftest import REMOTE, Build, header
from tests.web.conftest import Site as Running
from tests.web.dialects.asking import changed, event, found, read_one, receipt, refusal, request
from visitor_tracker.config import StoreConfig
from visitor_tracker.event import Agent, Channel, Place, Source
from visitor_tracker.http.message import Peer
from visitor_tracker.ingest.hit import Hit, Receipt
from visitor_tracker.sites import Site
from visitor_tracker.web.dialects.track import dialects

TRACK, CLICK = (found(dialects(), "POST", path) for path in ("/track", "/click"))
BROWSER = {"origin": "https://example.com", "referer": "https://example.com/from-here?a=b"}
SEARCH = {"referer": "https://www.google.com/search?q=secret"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1"
    " Mobile/15E148 Safari/604.1"
)
CURL = "curl/8.5.0"
VISITOR = Peer("203.0.113.9")


def page(url: str, **more: object) -> Hit:
    return changed(Hit(site="default", url=url), **more)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"", {}, page("http://default/")),
        (b"  ", {}, page("http://default/")),
        (b"{}", {}, page("http://default/")),
        ({"path": "/your-page-path"}, {}, page("http://default/your-page-path")),
        ({"path": "no-slash"}, {}, page("http://default/no-slash")),
        ({"path": None, "site_id": None}, {}, page("http://default/")),
        ({"path": "/a", "site_id": "blog.example"}, {}, page("http://blog.example/a", site="blog.example")),
        ({"path": "/a", "site_id": "My_Site"}, {}, page("http://My_Site/a", site="My_Site")),
        # Names that a site may have and a host may not.
        ({"path": "/a", "site_id": "42"}, {}, page("http://default/a", site="42")),
        ({"path": "/a", "site_id": "-x-"}, {}, page("http://default/a", site="-x-")),
        ({"path": "/a", "site_id": "a.example:80/b?c#d"}, {}, page("http://default/a", site="a.example:80/b?c#d")),
        # A browser's page says where it is; its Referer is the page itself.
        ({"path": "/a"}, BROWSER, page("https://example.com/a")),
        ({"path": "/a"}, {"origin": "null"}, page("http://default/a")),
        ({"path": "//evil.example/a"}, BROWSER, page("https://example.com//evil.example/a")),
        ({"path": "https://example.org/x?y=1"}, BROWSER, page("https://example.org/x?y=1")),
        ({"path": "/a", "referrer": "https://t.co/x"}, BROWSER, page("https://example.com/a", referrer="https://t.co/x")),
        ({"path": "/a", "referrer": ""}, SEARCH, page("http://default/a")),
        # A program hands on what its visitor's browser sent.
        ({"path": "/a"}, SEARCH, page("http://default/a", referrer=SEARCH["referer"])),
        ({"path": "/a"}, BROWSER | SEARCH, page("https://example.com/a", referrer=SEARCH["referer"])),
    ],
)  # fmt: skip
def test_a_pageview(body: object, headers: dict[str, str], expected: Hit) -> None:
    assert read_one(TRACK, body=body, headers=headers) == expected


@pytest.mark.parametrize(
    ("body", "headers", "url"),
    [
        ({"url": "https://other.example/"}, {}, "http://default/"),
        ({"url": "https://other.example/"}, BROWSER, "https://example.com/from-here?a=b"),
        ({"url": "https://other.example/"}, {"referer": "android-app://com.example"}, "http://default/"),
        ({"url": "https://other.example/"}, {"origin": "https://example.com"}, "https://example.com/"),
    ],
)
def test_a_click(body: object, headers: dict[str, str], url: str) -> None:
    expected = Hit("outbound", site="default", url=url, target="https://other.example/")
    assert read_one(CLICK, body=body, headers=headers) == expected


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"null", b'"/a"', b"5"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(TRACK, body=body)
    assert refusal(CLICK, body=body)


@pytest.mark.parametrize("body", [{}, {"url": None}, {"url": ""}, {"url": ["https://a.example/"]}])
def test_a_click_needs_a_link(body: object) -> None:
    assert refusal(CLICK, body=body) == "url is missing"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"null", b"{}"])
def test_what_was_never_read_has_an_answer_too(body: bytes) -> None:
    for dialect in (TRACK, CLICK):
        answer = dialect.write(request(dialect, body=body), Receipt(["prefetch"]))
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "dropped", "reason": "prefetch"})


@pytest.mark.parametrize(
    ("channel", "category"),
    [
        ("direct", "Direct"),
        ("internal", "Direct"),
        ("search", "Search Engine"),
        ("social", "Social Media"),
        ("referral", "Other"),
        ("ai", "Other"),
        ("paid", "Other"),
    ],
)
def test_the_categories_of_referrers(channel: Channel, category: str) -> None:
    kept = msgspec.structs.replace(event(), source=Source(channel), place=Place("DE"))
    assert answered(kept) == {
        "status": "ok",
        "country": "DE",
        "unique": None,
        "unique_today": None,
        "page": "/a",
        "ua_info": {"device": "Unknown", "browser": "Unknown", "os": "Unknown"},
        "referrer": category,
    }


@pytest.mark.parametrize(
    ("agent", "info"),
    [
        (Agent("Firefox", "133", "Linux", "", "desktop"), ("Desktop", "Firefox", "Linux")),
        (Agent("Safari", "17", "iOS", "17", "mobile"), ("Mobile", "Safari", "iOS")),
        (Agent("Safari", "17", "iPadOS", "17", "tablet"), ("Tablet", "Safari", "iPadOS")),
        (Agent("", "", "", "", "tv"), ("Other", "Unknown", "Unknown")),
        (Agent("Chrome", "1", "", "", "bot", "Googlebot"), ("Bot", "Googlebot", "Unknown")),
    ],
)
def test_user_agents_in_old_words(agent: Agent, info: tuple[str, str, str]) -> None:
    got = answered(msgspec.structs.replace(event(), agent=agent))
    assert got["ua_info"] == dict(zip(("device", "browser", "os"), info, strict=True))


def answered(kept: Any) -> dict[str, Any]:  # noqa: ANN401
    got = TRACK.write(request(TRACK, body={"path": "/a"}), Receipt([None], {}, kept))
    answer: dict[str, Any] = json.loads(got.body)
    return answer


def test_a_click_is_answered_with_its_link() -> None:
    asked = request(CLICK, body={"url": "https://other.example/"})
    assert json.loads(CLICK.write(asked, receipt(None)).body) == {"status": "ok", "url": "https://other.example/"}


def track(site: Running, body: object = None, **headers: str) -> dict[str, Any]:
    sent = {"user-agent": FIREFOX} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = b"" if body is None else json.dumps(body).encode()
    got = site.ask("/track", method="POST", body=raw, headers=sent, peer=VISITOR)
    assert (got.status, header(got, "Content-Type"), header(got, "X-Tracker")) == (200, "application/json", "accepted")
    answer: dict[str, Any] = json.loads(got.body)
    return answer


def test_visitors_are_new_once_and_once_a_day(site: Running) -> None:
    told: dict[str, object] = {"country": "XX", "page": "/your-page-path", "referrer": "Direct", "status": "ok"}
    told |= {"ua_info": {"device": "Desktop", "browser": "Firefox", "os": "Linux"}}
    sent = {"path": "/your-page-path"}
    assert track(site, sent) == told | {"unique": True, "unique_today": True}
    assert track(site, sent) == told | {"unique": False, "unique_today": False}
    assert track(site, sent, user_agent=PHONE)["unique"] is True
    assert track(site, {"path": "/", "site_id": "other"})["unique"] is True, "another site knows nothing of it"
    assert track(site)["unique"] is False, "without a body it is the default site's page /"
    assert {event.url for event in site.events()} == {
        "http://default/your-page-path", "http://default/", "http://other/",
    }  # fmt: skip


def test_the_seen_are_known_after_a_restart(build: Build) -> None:
    first = build()
    assert track(first)["unique"] is True
    assert len(first.events()) == 1
    assert track(build())["unique"] is False


def test_nobody_knows_while_the_store_is_away(build: Build, mariadb: MariaDB) -> None:
    site = build(store=StoreConfig(url=mariadb.url(mariadb.fresh_database())))
    mariadb.kill9()
    try:
        answer = track(site, {"path": "/a"})
    finally:
        mariadb.start()
    assert (answer["status"], answer["unique"], answer["unique_today"]) == ("ok", None, None)
    assert track(site, {"path": "/a"})["unique"] is False, "it was kept, and this process knows"


def test_the_request_s_own_headers_are_what_counts(site: Running) -> None:
    assert track(site, {"path": "/"}, referer="https://www.google.com/")["referrer"] == "Search Engine"
    assert track(site, {"path": "/"}, referer="https://www.facebook.com/")["referrer"] == "Social Media"
    assert track(site, {"path": "/"}, referer="https://news.example/")["referrer"] == "Other"
    assert track(site, {"path": "/"}, **BROWSER)["referrer"] == "Direct"
    assert track(site, {"path": "/"}, user_agent=CURL)["ua_info"]["device"] == "Bot"


def test_a_click_s_link_is_kept(site: Running) -> None:
    body = b'{"url": "https://other.example/docs?token=abc", "site_id": "default"}'
    got = site.ask("/click", method="POST", body=body, headers=BROWSER | {"user-agent": FIREFOX}, peer=REMOTE)
    assert json.loads(got.body) == {"status": "ok", "url": "https://other.example/docs?token=abc"}
    [kept] = site.events()
    assert (kept.kind, kept.url, kept.target) == (
        "outbound",
        "https://example.com/from-here?a=b",
        "https://other.example/docs?token=redacted",
    )


@pytest.mark.parametrize("path", ["/track", "/click"])
def test_a_prefetch_counts_nothing_whatever_it_says(site: Running, path: str) -> None:
    for body in (b"", b"{", b'{"url": "https://other.example/"}'):
        got = site.ask(path, method="POST", body=body, headers={"sec-purpose": "prefetch"})
        assert (got.status, header(got, "X-Tracker")) == (200, "dropped: prefetch")
    assert site.events() == []


def test_unknown_sites_are_told(site: Running) -> None:
    now = site.app.snapshot.now
    site.app.snapshot.now = msgspec.structs.replace(now, sites=(Site(1, "default"),), auto_create=False)
    got = site.ask("/track", method="POST", body=b'{"site_id": "nobody"}')
    assert json.loads(got.body) == {"status": "dropped", "reason": "unknown_site"}
    assert header(got, "X-Tracker") == "dropped: unknown_site"
