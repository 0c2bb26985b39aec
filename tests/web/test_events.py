"""Collecting: requests as clients send them, through the App, to the journal and into the inbox."""

import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from visitor_tracker.config import CorsConfig, HttpConfig, IdentityConfig, RateLimitConfig, SitesConfig
from visitor_tracker.event import Event, Signal
from visitor_tracker.metrics import Cell

URL = "https://example.com/prices?utm_source=News&q=1#top"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
BROWSER = {
    "user-agent": CHROME,
    "accept": "*/*",
    "accept-language": "de-DE,de;q=0.9,en;q=0.8",
    "accept-encoding": "gzip, deflate, br",
    "sec-fetch-mode": "cors",
}
ID = "0123456789abcdef0123456789abcdef"


def send(site: Site, events: Any, **more: Any) -> tuple[int, dict[str, Any], str]:  # noqa: ANN401
    """Return status, body and X-Tracker."""
    body = events if isinstance(events, bytes) else json.dumps(events).encode()
    headers: dict[str, str] = BROWSER | more.pop("headers", {})
    answer = site.ask("/api/v1/events", method="POST", body=body, headers=headers, **more)
    return answer.status, json.loads(answer.body), header(answer, "X-Tracker")


def one(site: Site) -> Event:
    [event] = site.events()
    return event


def test_a_pageview_is_understood(site: Site) -> None:
    sent = {
        "url": URL,
        "id": ID,
        "title": "Prices",
        "referrer": "https://www.google.com/search?q=secret",
        "timezone": "Europe/Berlin",
        "screen": "1920x1080",
        "viewport": "800x600",
    }
    assert send(site, sent, peer=REMOTE) == (202, {"accepted": 1, "dropped": []}, "accepted")
    event = one(site)
    assert (event.kind, event.id.hex(), event.url, event.title) == (
        "pageview",
        ID,
        "https://example.com/prices?q=1",
        "Prices",
    )
    assert (event.agent.browser, event.agent.os, event.agent.device) == ("Chrome", "Windows", "desktop")
    assert (event.place.country, event.language, event.screen, event.viewport) == (
        "DE",
        "de-DE",
        "1920x1080",
        "800x600",
    )
    assert (event.source.utm_source, event.source.referrer) == ("news", "www.google.com/search")
    assert (len(event.visitor), event.ip, event.user_agent, event.signals) == (16, "", "", 0)


def test_every_kind_arrives_with_what_it_has(site: Site) -> None:
    sent: list[dict[str, Any]] = [
        {"type": "custom", "name": "Sign up", "properties": {"plan": "pro", "seats": 3, "trial": True, "price": 9.5}},
        {"type": "click", "url": URL, "target": "https://example.com/x", "name": "Buy"},
        {"type": "scroll", "url": URL, "scroll": 75},
        {"type": "outbound", "url": URL, "target": "https://example.net/"},
        {"type": "download", "url": URL, "target": "https://example.com/a.pdf"},
        {"type": "form", "url": URL, "name": "contact"},
        {"type": "error", "url": URL, "name": "TypeError: x is undefined"},
        {"type": "vital", "url": URL, "name": "LCP", "value": 1234.5},
        {"type": "engagement", "url": URL, "engaged_ms": 9000, "scroll": 40},
        {"type": "identify", "user_id": "u-1", "properties": {"mail": "ann@example.com"}},
        {"type": "custom", "name": "order", "value": 20.0, "currency": "EUR", "url": URL},
    ]
    status, body, _ = send(site, sent)
    assert (status, body) == (202, {"accepted": len(sent), "dropped": []})
    events = site.events()
    assert [event.kind for event in events] == [each.get("type") for each in sent]
    assert events[0].properties == {"plan": "pro", "seats": 3, "trial": True, "price": 9.5}
    assert (events[2].scroll, events[7].value, events[8].engaged_ms) == (75, 1234.5, 9000)
    assert (events[9].properties, len(events[9].person)) == ({}, 16)
    assert (events[10].value, events[10].currency) == (20.0, "EUR")


def test_the_good_part_of_a_batch_is_kept(site: Site) -> None:
    sent = [
        {"url": URL},
        {"url": URL, "type": "nonsense"},
        {"url": "javascript:alert(1)"},
        {"url": URL, "id": "short"},
        {"url": URL, "age_ms": 10**30},
        {"url": URL, "site": "../etc"},
    ]
    status, body, tracker = send(site, sent)
    assert (status, body["accepted"], tracker) == (202, 1, "accepted")
    assert [(each["index"], each["reason"]) for each in body["dropped"]] == [
        (1, "invalid_event"),
        (2, "invalid_url"),
        (3, "invalid_event"),
        (4, "too_old"),
        (5, "unknown_site"),
    ]
    assert "nonsense" in body["dropped"][0]["problem"]
    assert len(site.events()) == 1
    assert site.counted(Cell.DROPPED_TOO_OLD) == site.counted(Cell.DROPPED_UNKNOWN_SITE) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"url": "\xff"}',
        b"[" * 5000,
        b'{"url": 1}',
        b"[]",
        b'[{"type": "x"}]',
        b'{"url": "https://example.com/", "value": 1e999}',
        json.dumps([{}] * 1001).encode(),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(site: Site, body: bytes) -> None:
    status, answer, tracker = send(site, body)
    assert (status, tracker) == (400, "dropped: invalid_event")
    assert answer["error"]["message"]
    assert site.events() == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain;charset=UTF-8", ""])
def test_any_content_type_will_do(site: Site, kind: str) -> None:
    assert send(site, {"url": URL}, headers={"content-type": kind})[0] == 202


def test_a_packed_body_is_unpacked(site: Site) -> None:
    events = json.dumps([{"url": URL}] * 40).encode()
    for coding, body in (("gzip", gzip.compress(events, mtime=0)), ("deflate", zlib.compress(events))):
        status, answer, _ = send(site, body, headers={"content-encoding": coding})
        assert (status, answer["accepted"]) == (202, 40)


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", gzip.compress(b"[" + b" " * 3_000_000 + b"]", mtime=0), 413),
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", 400),
        ("br", b"x", 415),
    ],
)
def test_a_packed_body_that_is_too_much_or_broken_is_refused(site: Site, coding: str, body: bytes, status: int) -> None:
    assert send(site, body, headers={"content-encoding": coding})[0] == status
    assert site.events() == []


def test_ages_make_times_and_the_clients_clock_does_not_matter(site: Site) -> None:
    send(site, [{"url": URL, "age_ms": 60_000}, {"url": URL, "age_ms": -5}])
    old, odd = site.events()
    assert (old.at - old.ts, odd.at - odd.ts) == (60_000, 0)


def test_texts_lose_what_is_personal(build: Build) -> None:
    site = build(identity=IdentityConfig())
    mail = "ann@example.org"
    sent = {
        "type": "error",
        "url": f"https://example.com/u/{mail}?token=abc&mail={mail}&ip=192.0.2.7",
        "referrer": f"https://mail.example.net/{mail}",
        "title": f"Hello {mail}",
        "name": f"{CHROME} failed for {mail} from 192.0.2.7",
        "target": f"https://example.com/?to={mail}",
        "properties": {"who": mail, mail: 1, "card": "4111 1111 1111 1111"},
    }
    assert send(site, sent, peer=REMOTE)[0] == 202
    stored = repr(one(site))
    for secret in (mail, "ann%40", "192.0.2.7", "Mozilla", "4111 1111", "abc"):
        assert secret not in stored


@pytest.mark.parametrize(
    ("policy", "ip", "agent"),
    [
        (IdentityConfig(), "", ""),
        (IdentityConfig(ip="truncated"), "192.0.2.0", ""),
        (IdentityConfig(ip="full", user_agent="full"), "192.0.2.7", CHROME),
    ],
)
def test_the_policy_says_what_is_kept(build: Build, policy: IdentityConfig, ip: str, agent: str) -> None:
    site = build(identity=policy)
    send(site, {"url": URL}, peer=REMOTE)
    assert (one(site).ip, one(site).user_agent) == (ip, agent)


def test_traits_are_kept_only_where_the_policy_says_so(build: Build) -> None:
    site = build(identity=IdentityConfig(traits="keep"))
    send(site, {"type": "identify", "user_id": "u", "properties": {"mail": "ann@example.org"}})
    assert one(site).properties == {"mail": "ann@example.org"}


@pytest.mark.parametrize("sign", ["dnt", "sec-gpc"])
def test_who_opts_out_is_treated_as_the_policy_says(build: Build, sign: str) -> None:
    headers = {sign: "1"}
    ignoring = build(identity=IdentityConfig(opt_out="ignore", ip="full"))
    send(ignoring, {"url": URL}, headers=headers)
    assert len(one(ignoring).visitor) == 16
    ignoring.app.close()


def test_an_anonymous_visit_has_no_visitor(build: Build) -> None:
    site = build(identity=IdentityConfig(opt_out="anonymous", ip="full", user_agent="full"))
    send(site, {"url": URL, "user_id": "u"}, headers={"dnt": "1"})
    event = one(site)
    assert (event.visitor, event.previous, event.person, event.ip, event.user_agent) == (b"", b"", b"", "", "")


def test_a_visit_that_opts_out_is_dropped_where_the_policy_says_so(build: Build) -> None:
    site = build(identity=IdentityConfig(opt_out="drop"))
    status, body, tracker = send(site, {"url": URL}, headers={"sec-gpc": "1"})
    assert (status, body["accepted"], tracker) == (202, 0, "dropped: opt_out")
    assert site.events() == []


def test_one_visitor_is_one_visitor_and_sites_do_not_know_each_other(site: Site) -> None:
    send(site, [{"url": URL, "site": "a"}, {"url": URL, "site": "a"}, {"url": URL, "site": "b"}], peer=REMOTE)
    send(site, {"url": URL, "site": "a"}, peer=LOCAL)
    by_site: dict[int, list[bytes]] = {}
    for event in site.events():
        by_site.setdefault(event.site_id, []).append(event.visitor)
    (first, again, other), (elsewhere,) = sorted(by_site.values(), key=len, reverse=True)
    assert first == again
    assert len({first, elsewhere, other}) == 3


def test_a_hit_may_make_a_site_until_it_may_not(build: Build) -> None:
    site = build(sites=SitesConfig(auto_create="off"))
    assert send(site, {"url": URL, "site": "new"})[2] == "dropped: unknown_site"
    assert send(site, {"url": URL})[2] == "accepted"


def test_robots_are_kept_apart_with_their_reasons(site: Site) -> None:
    assert send(site, {"url": URL}, headers={"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})[0] == 202
    event = one(site)
    assert (event.agent.device, event.agent.bot) == ("bot", "Googlebot")
    assert Signal.USER_AGENT in Signal(event.signals)
    assert site.counted(Cell.BOTS) == 1


def test_what_a_browser_loads_ahead_is_no_event(site: Site) -> None:
    assert send(site, {"url": URL}, headers={"sec-purpose": "prefetch"})[2] == "dropped: prefetch"
    assert site.events() == []


def test_guards_stand_before_collecting(build: Build) -> None:
    site = build(
        cors=CorsConfig(origins=("https://mine.example",)), rate_limit=RateLimitConfig(burst=1, per_second=0.001)
    )
    assert send(site, {"url": URL}, headers={"origin": "https://other.example"})[2] == "dropped: origin"
    assert send(site, {"url": URL}, headers={"origin": "https://mine.example"})[0] == 202
    assert send(site, {"url": URL})[0] == 429


def test_a_batch_may_be_larger_than_other_bodies(build: Build) -> None:
    site = build(http=replace(HttpConfig(), max_body=1024, max_batch=2048))
    assert site.app.router.body_limit("POST", "/api/v1/events") == 2048
    assert site.app.router.body_limit("POST", "/api/v1/visits") == 0


def test_only_a_send_key_speaks_for_others(build: Build) -> None:
    site = build(identity=IdentityConfig(ip="full"))
    key = site.add_send_key("shop")
    sent = {"url": URL, "ip": "198.51.100.9", "user_agent": "Googlebot/2.1"}
    send(site, sent, peer=REMOTE)
    send(site, sent, peer=REMOTE, headers={"authorization": f"Bearer {key}"})
    stranger, trusted = site.events()
    assert (stranger.ip, stranger.agent.browser) == ("192.0.2.7", "Chrome")
    assert (trusted.ip, trusted.agent.bot) == ("198.51.100.9", "Googlebot")
    assert send(site, sent, headers={"authorization": "Bearer vt_" + "x" * 43})[0] == 401


def test_a_visitor_by_cookie_gets_one_and_keeps_it(build: Build) -> None:
    site = build(identity=IdentityConfig(visitor="cookie"))

    def visit(cookie: str) -> str:
        headers = BROWSER | ({"cookie": cookie} if cookie else {})
        answer = site.ask("/api/v1/events", method="POST", body=b'{"url":"https://example.com/"}', headers=headers)
        return header(answer, "Set-Cookie")

    given = visit("")
    assert "HttpOnly" in given
    assert visit(given.partition(";")[0]) == ""
    assert visit("vt_visitor=forged")
    first, again, other = (event.visitor for event in site.events())
    assert first == again != other


def test_a_counted_visit_is_an_event_too(site: Site) -> None:
    site.ask("/update?url=https%3A%2F%2Fexample.com%2F%3Futm_source%3Dmail", headers=BROWSER)
    event = one(site)
    assert (event.kind, event.url, event.counted, event.source.utm_source) == (
        "pageview",
        "https://example.com/",
        True,
        "mail",
    )


def test_nothing_of_a_request_is_kept_that_was_not_asked_for(site: Site) -> None:
    send(site, {"url": URL}, headers={"cookie": "session=secret", "x-api-key": "secret"})
    assert "secret" not in repr(one(site))


def test_numbers_that_no_database_takes_are_left_out(site: Site) -> None:
    sent = {"type": "custom", "name": "x", "properties": {"huge": 10**400, "small": 1}}
    assert send(site, [sent, {"url": URL}])[1]["accepted"] == 2
    assert site.events()[0].properties == {"small": 1}


@pytest.mark.parametrize("name", ["192.0.2.7", "4111111111111111"])
def test_nothing_personal_becomes_the_name_of_a_site(site: Site, name: str) -> None:
    assert send(site, {"url": URL, "site": name}, peer=REMOTE)[2] == "dropped: unknown_site"


def test_who_opts_out_gets_no_cookie_and_no_session(build: Build) -> None:
    site = build(identity=IdentityConfig(visitor="cookie", opt_out="anonymous"))
    body = json.dumps({"url": URL, "session_id": "s"}).encode()
    answer = site.ask("/api/v1/events", method="POST", body=body, headers=BROWSER | {"dnt": "1"})
    assert header(answer, "Set-Cookie") == ""
    assert one(site).session == b""


def test_a_visit_that_opts_out_is_not_counted(build: Build) -> None:
    site = build(identity=IdentityConfig(opt_out="drop"))
    answer = site.ask("/update?url=https://example.com/", headers=BROWSER | {"dnt": "1"})
    assert (answer.status, header(answer, "X-Tracker")) == (200, "dropped: opt_out")
    assert json.loads(answer.body)["opted_out"] is True
    assert json.loads(site.ask("/count?url=https://example.com/").body)["visit_count"] == 0


def test_a_send_key_gives_addresses_as_addresses(build: Build) -> None:
    site = build(identity=IdentityConfig(ip="full"))
    headers = {"authorization": f"Bearer {site.add_send_key('shop')}"}
    for given in ("[2001:db8::1]:99", "198.51.100.9:443", "::ffff:198.51.100.9", "x" * 5000):
        send(site, {"url": URL, "ip": given}, peer=REMOTE, headers=headers)
    assert [event.ip for event in site.events()] == ["2001:db8::1", "198.51.100.9", "198.51.100.9", "192.0.2.7"]


def test_a_batch_costs_more_than_one_event(build: Build) -> None:
    site = build(rate_limit=RateLimitConfig(burst=10, per_second=0.001))
    assert send(site, [{"url": URL}] * 400)[0] == 202
    assert send(site, [{"url": URL}] * 400)[0] == 429


def test_a_crowd_of_objects_is_not_even_read(site: Site) -> None:
    status, answer, _ = send(site, b"[" + b"{}," * 100_000 + b"{}]")
    assert (status, answer["error"]["code"]) == (400, "invalid_event")
