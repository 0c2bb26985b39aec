"""A visitor reads and erases what is stored of itself, and of nobody else."""

from pathlib import Path

import msgspec
import pytest

from tests.everything import places_of
from tests.web.conftest import LOCAL, REMOTE, Build, Site, header_of
from tests.web.counting_site import Json, Visitor, code_of, manage, read, settle
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.access.my_data import LASTS_MS, MyDataTokens
from visitor_tracker.access.site_changes import RetentionChange, SiteChange, Sites
from visitor_tracker.config import GeoConfig, IdentityConfig, ServerConfig
from visitor_tracker.http.message import Peer, Response
from visitor_tracker.ingest.visitor import of_client, of_cookie
from visitor_tracker.sites import Module

OTHER = Peer("192.0.2.8")
ME = "/api/v1/my-data"


def body(response: Response) -> Json:
    assert response.status in (200, 201), response.body
    return msgspec.json.decode(response.body)


def token(visitor: Visitor, **asked: str) -> str:
    given = body(visitor.ask(f"{ME}/token", "POST", asked or None))
    return str(given["token"])


def changes(site: Site) -> Sites:
    return Sites(site.app.store, site.app.config, Audit(site.app.store))


def pages(document: Json) -> list[str]:
    return [event["url"] for event in document["events"]]


@pytest.fixture
def cookies(build: Build) -> Site:
    return build(identity=IdentityConfig(visitor="cookie", ip="full"))


def test_the_cookie_shows_and_erases_its_visitor(cookies: Site) -> None:
    anna, ben = Visitor(cookies), Visitor(cookies)
    for visitor, page in ((anna, "a"), (ben, "b"), (anna, "c")):
        visitor.view(f"https://example.com/{page}")
    settle(cookies)
    shown = anna.ask(ME)
    assert header_of(shown.headers, "Cache-Control") == "no-store"
    assert header_of(shown.headers, "Content-Disposition").startswith("attachment")
    document = body(shown)
    assert pages(document) == ["https://example.com/a", "https://example.com/c"]
    assert [len(document[part]) for part in ("visitors", "visits", "waiting", "recordings")] == [1, 1, 0, 0]
    cookie = VisitorCookies(cookies.shared.keys.cookies).verify(anna.cookies["vt_visitor"])
    assert cookie is not None
    who = of_cookie(cookies.app.snapshot.now, cookies.app.snapshot.now.by_id[1], cookie)
    anna.view("https://example.com/not-folded-yet")
    erased = body(anna.ask(ME, "DELETE"))
    assert (erased["events"], erased["visits"], erased["done"]) == (2, 1, True)
    assert anna.cookies["vt_visitor"] == ""
    settle(cookies)
    assert places_of(cookies.app.store, [who]) == set()
    assert pages(body(ben.ask(ME))) == ["https://example.com/b"]
    lines = manage(cookies, "GET", "/api/v1/audit")["lines"]
    assert ("visitor.erased", "the visitor") in [(line["action"], line["name"]) for line in lines]
    assert who.hex() not in str(lines)


def test_what_is_in_the_journal_only_is_erased_too(cookies: Site) -> None:
    anna = Visitor(cookies)
    anna.view("https://example.com/first-page-ever")
    body(anna.ask(ME, "DELETE"))
    settle(cookies)
    assert cookies.app.store.execute("select count(*) from events") == [(0,)]


def test_what_waits_to_be_folded_is_exported_too(cookies: Site) -> None:
    anna = Visitor(cookies)
    anna.view("https://example.com/a")
    settle(cookies)
    anna.view("https://example.com/b")
    cookies.events()  # drained, not folded
    document = body(anna.ask(ME))
    assert [event["url"] for event in document["waiting"]] == ["https://example.com/b"]


def test_who_proves_nothing_gets_nothing(cookies: Site) -> None:
    anna = Visitor(cookies)
    anna.view()
    settle(cookies)
    stranger = Visitor(cookies, OTHER)
    assert code_of(stranger.ask(ME)) == (401, "proof_needed")
    assert code_of(stranger.ask(ME, "DELETE")) == (401, "proof_needed")
    stranger.cookies["vt_visitor"] = anna.cookies["vt_visitor"][:-1] + "A"
    assert code_of(stranger.ask(ME)) == (401, "proof_needed")
    assert code_of(stranger.ask(ME, authorization="Bearer AAAA")) == (401, "invalid_token")
    assert code_of(stranger.ask(f"{ME}?token={'A' * 80}")) == (401, "invalid_token")
    assert code_of(stranger.ask(f"{ME}?site=nobody")) == (404, "unknown_site")
    assert code_of(stranger.ask(f"{ME}?who=me")) == (400, "invalid_query")
    assert code_of(stranger.ask(f"{ME}/token", "POST", {"site": 5})) == (400, "invalid_body")
    stranger.cookies.clear()
    document = body(stranger.ask(ME, authorization=f"Bearer {token(stranger)}"))
    assert (document["visitors"], document["events"]) == ([], [])


def test_the_daily_visitor_of_now_gets_a_token_by_address_and_browser(site: Site) -> None:
    anna, ben = Visitor(site), Visitor(site, OTHER)
    anna.view("https://example.com/a")
    ben.view("https://example.com/b")
    settle(site)
    mine = token(Visitor(site))
    bearer = {"authorization": f"Bearer {mine}"}
    shown = Visitor(site, OTHER, origin="https://elsewhere.example").ask(ME, **bearer)
    document = body(shown)
    assert pages(document) == ["https://example.com/a"]
    assert header_of(shown.headers, "Access-Control-Allow-Origin") == "*"
    assert "key is destroyed" in str(document["notes"])
    assert body(Visitor(site, OTHER).ask(f"{ME}?token={mine}", "DELETE"))["events"] == 1
    assert pages(body(ben.ask(ME, authorization=f"Bearer {token(ben)}"))) == ["https://example.com/b"]
    other_browser = Visitor(site, REMOTE, **{"user-agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0"})
    assert body(other_browser.ask(ME, authorization=f"Bearer {token(other_browser)}"))["events"] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"origin": "http://localhost:8000"}, 201),
        ({"origin": "https://blog.example"}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://blog.example.evil.example"}, 403),
        ({"origin": "http://[evil"}, 403),
        ({"origin": "null", "host": "null"}, 403),
    ],
)
def test_pages_of_other_web_sites_get_no_token(site: Site, headers: dict[str, str], status: int) -> None:
    changes(site).change(OPERATOR, "default", SiteChange(hostnames=("blog.example",)))
    settle(site)
    assert Visitor(site, REMOTE, **headers).ask(f"{ME}/token", "POST").status == status


def test_of_a_site_without_hosts_no_other_page_is_its_own(site: Site) -> None:
    assert code_of(Visitor(site, REMOTE, origin="https://a.example").ask(f"{ME}/token", "POST")) == (403, "other_site")


@pytest.mark.parametrize("path", [f"{ME}/token", "/privacy/export", "/privacy/erase"])
def test_a_name_that_leads_here_is_not_this_server(build: Build, tmp_path: Path, path: str) -> None:
    site = build(server=ServerConfig(data_dir=str(tmp_path), public_url="https://stats.example"))
    pointed = {"origin": "https://evil.example", "host": "evil.example"}
    assert code_of(Visitor(site, REMOTE, **pointed).ask(path, "POST")) == (403, "other_site")
    own = {"origin": "https://stats.example", "host": "stats.example"}
    assert Visitor(site, REMOTE, **own).ask(path, "POST").status in (200, 201)


def test_the_first_party_path_of_another_site_is_not_this_sites(site: Site) -> None:
    changes(site).add(OPERATOR, "shop", SiteChange(hostnames=("shop.example",)))
    settle(site)
    shop = Visitor(site, REMOTE, origin="https://shop.example", host="shop.example")
    assert code_of(shop.ask(f"{ME}/token", "POST", {"site": "default"})) == (403, "other_site")
    assert shop.ask(f"{ME}/token", "POST", {"site": "shop"}).status == 201


def test_a_cookie_erases_from_the_sites_own_pages_only(cookies: Site) -> None:
    anna = Visitor(cookies)
    anna.view()
    settle(cookies)
    assert code_of(anna.ask(ME, "DELETE", origin="https://evil.example")) == (403, "other_site")
    assert body(anna.ask(ME, "DELETE", origin="http://localhost:8000"))["events"] == 1


def test_the_page_proves_by_its_own_id_under_the_policy_client(build: Build) -> None:
    site = build(identity=IdentityConfig(visitor="client"))
    anna = Visitor(site, REMOTE, origin="https://anywhere.example")
    anna.view("https://example.com/a", visitor_id="anna's")
    anna.view("https://example.com/b", visitor_id="ben's")
    settle(site)
    who = of_client(site.app.snapshot.now, site.app.snapshot.now.by_id[1], "anna's")
    mine = token(anna, client_id="anna's")
    assert pages(body(anna.ask(ME, authorization=f"Bearer {mine}"))) == ["https://example.com/a"]
    assert body(anna.ask(ME, "DELETE", authorization=f"Bearer {mine}"))["events"] == 1
    assert places_of(site.app.store, [who]) == set()


def test_a_token_is_for_an_hour_one_site_and_its_visitors() -> None:
    tokens = MyDataTokens(b"s" * 32)
    text, expires = tokens.issue(5, [b"a" * 16, b"b" * 16], 1000)
    assert expires == 1000 + LASTS_MS
    found = tokens.read(text, expires - 1)
    assert found is not None
    assert (found.site_id, found.visitors) == (5, (b"a" * 16, b"b" * 16))
    assert tokens.read(text, expires) is None
    assert MyDataTokens(b"t" * 32).read(text, 2000) is None
    for wrong in ("", "A", text[:-1], text + "A", text[:10] + "-" + text[11:], "é" * 20, "A" * 500):
        assert tokens.read(wrong, 2000) is None


def test_nobody_asks_without_end(site: Site) -> None:
    anna = Visitor(site)
    statuses = [anna.ask(f"{ME}/token", "POST").status for _ in range(12)]
    assert statuses == [201] * 10 + [429] * 2
    assert Visitor(site, OTHER).ask(f"{ME}/token", "POST").status == 201


# The page.


def test_the_page_says_what_holds(build: Build) -> None:
    site = build(identity=IdentityConfig(visitor="cookie", ip="truncated"))
    told = read(site, "/privacy?format=json")
    assert (told["site"], told["policy"]["visitor"]) == ("default", "cookie")
    assert [part["name"] for part in told["collected"]] == ["events and visits", "sums", "addresses", "profile"]
    changed = b'{"modules": ["replay"], "policy": {"ip": "none", "visitor": "daily"}, "retention": {"events_days": 90}}'
    assert site.ask("/api/v1/sites/default", method="PATCH", body=changed, headers=site.admin).status == 200
    settle(site)
    told = msgspec.json.decode(Visitor(site, REMOTE, accept="application/json").ask("/privacy").body)
    kept = {part["name"]: part["kept"] for part in told["collected"]}
    assert kept == {"events and visits": "90 days", "sums": "for ever", "recordings": "30 days"}
    assert told["key_destroyed_at"] is None
    page = Visitor(site, REMOTE, accept="text/html").ask("/privacy")
    assert header_of(page.headers, "Content-Type").startswith("text/html")
    assert "default-src 'self'" in header_of(page.headers, "Content-Security-Policy")
    assert "90 days" in page.body.decode()
    assert code_of(Visitor(site).ask("/privacy?site=nobody")) == (404, "unknown_site")
    assert code_of(Visitor(site).ask("/privacy?format=pdf")) == (400, "invalid_query")


def test_both_pages_say_the_same_of_what_is_kept_and_passed_on(build: Build) -> None:
    site = build(geo=GeoConfig(online="ip-api"))
    own = RetentionChange(events_days=90, replay_days=9)
    modules: tuple[Module, ...] = ("clicks", "vitals", "errors", "replay")
    changes(site).change(OPERATOR, "default", SiteChange(modules=modules, retention=own))
    settle(site)
    told = read(site, "/privacy?format=json")
    kept = {part["name"]: part["kept"] for part in told["collected"]}
    assert kept == {
        "events and visits": "90 days",
        "sums": "for ever",
        "recordings": "9 days",
        "clicks": "90 days",
        "vitals": "90 days",
        "errors": "90 days",
    }
    assert "ip-api.com" in told["passed_on"]
    assert "passed on" not in told["opt_out"]
    sent = Visitor(site, REMOTE).ask("/what-we-send").body.decode()
    assert [days for days in ("90 days", "9 days", "30 days", "until the operator") if days in sent] == [
        "90 days",
        "9 days",
    ]
    assert "passed on" not in sent


def test_the_pages_buttons_show_and_erase(cookies: Site) -> None:
    anna = Visitor(cookies)
    anna.view("https://example.com/a")
    settle(cookies)
    form = {"origin": "http://localhost:8000", "content_type": "application/x-www-form-urlencoded"}
    assert code_of(anna.ask("/privacy/erase", "POST", b"", origin="https://evil.example")) == (403, "other_site")
    assert pages(body(anna.ask("/privacy/export?site=default", "POST", b"", **form))) == ["https://example.com/a"]
    done = anna.ask("/privacy/erase?site=default", "POST", b"", **form)
    assert (done.status, b"1 visits, 1 events" in done.body) == (200, True)
    assert anna.cookies["vt_visitor"] == ""
    assert cookies.app.store.execute("select count(*) from events") == [(0,)]


def test_the_form_takes_the_pages_own_id(build: Build) -> None:
    site = build(identity=IdentityConfig(visitor="client"))
    anna = Visitor(site)
    anna.view("https://example.com/a", visitor_id="anna's own")
    settle(site)
    assert 'name="client_id"' in anna.ask("/privacy").body.decode()
    assert pages(body(anna.ask("/privacy/export", "POST", b"client_id=anna%27s+own"))) == ["https://example.com/a"]


def test_who_runs_the_server_proves_nothing_as_a_visitor(site: Site) -> None:
    assert code_of(Visitor(site, LOCAL).ask(ME)) == (401, "proof_needed")
