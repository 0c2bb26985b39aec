"""Sites by REST: who asks sees and changes what its rights allow, checked as on the command line."""

import msgspec
import pytest

from tests.web.conftest import REMOTE, Build, Site
from tests.web.counting_site import Visitor, code_of, manage, read, settle
from tests.web.people import Browser, said, set_up
from visitor_tracker.config import ServerConfig
from visitor_tracker.sites import Policy


def test_a_site_is_made_shown_changed_and_removed(site: Site) -> None:
    made = manage(
        site,
        "POST",
        "/api/v1/sites",
        {"name": "blog", "url": "https://Blog.example", "hostnames": ["BLOG.example"], "policy": {"visitor": "cookie"}},
        201,
    )
    assert (made["name"], made["url"], made["hostnames"]) == ("blog", "https://blog.example/", ["blog.example"])
    assert made["policy"] == msgspec.to_builtins(Policy(visitor="cookie"))
    assert made["created_at"].endswith("Z")
    assert read(site, "/api/v1/sites/blog") == made
    assert [each["name"] for each in read(site, "/api/v1/sites")["sites"]] == ["default", "blog"]
    asked = {"timezone": "Europe/Berlin", "public": True, "modules": ["replay"], "retention": {"events_days": 90}}
    asked["holidays"] = ["12-25", "2026-04-05", "12-25"]
    changed = manage(site, "PATCH", "/api/v1/sites/blog", asked)
    assert changed == made | {
        "timezone": "Europe/Berlin", "public": True, "modules": ["replay"], "own_modules": True,
        "retention": made["retention"] | {"events_days": 90}, "own_retention": {"events_days": 90},
        "holidays": ["2026-04-05", "12-25"],
    }  # fmt: skip
    back = manage(site, "PATCH", "/api/v1/sites/blog", {"modules": None, "policy": None, "retention": None})
    assert (back["own_modules"], back["own_policy"], back["own_retention"]) == (False, False, None)
    assert (back["hostnames"], back["timezone"]) == (["blog.example"], "Europe/Berlin")
    manage(site, "DELETE", "/api/v1/sites/blog", status=204)
    read(site, "/api/v1/sites/blog", 404)
    lines = manage(site, "GET", "/api/v1/audit")["lines"][:-1]
    assert [line["action"] for line in lines] == ["site.removed", "site.changed", "site.changed", "site.added"]
    assert {(line["who"], line["target"]) for line in lines} == {("key", "blog")}


@pytest.mark.parametrize(
    ("body", "status", "code", "said_of"),
    [
        ({}, 400, "invalid_body", "name"),
        ({"name": ""}, 400, "invalid_body", "name"),
        ({"name": "a b"}, 400, "invalid_site", "a b"),
        ({"name": "shop"}, 409, "site_taken", "shop"),
        ({"name": "new", "aliases": ["17"]}, 409, "site_taken", "17"),
        ({"name": "new", "hostnames": ["shop.example"]}, 409, "site_taken", "shop.example"),
        ({"name": "new", "hostnames": ["https://shop.example/"]}, 400, "invalid_site", "shop.example"),
        ({"name": "new", "hostnames": "shop.example"}, 400, "invalid_body", "hostnames"),
        ({"name": "new", "timezone": "Berlin"}, 400, "invalid_site", "Berlin"),
        ({"name": "new", "holidays": ["Easter"]}, 400, "invalid_site", "use days such as 2026-04-05"),
        ({"name": "new", "holidays": ["12-25"] * 201}, 400, "invalid_site", "at most 200"),
        ({"name": "new", "url": "javascript:alert(1)"}, 400, "invalid_site", "no address"),
        ({"name": "new", "policy": {"visitor": "weekly"}}, 400, "invalid_body", "policy.visitor"),
        ({"name": "new", "policy": {"visitors": "daily"}}, 400, "invalid_body", "policy"),
        ({"name": "new", "modules": ["camera"]}, 400, "invalid_body", "modules"),
        ({"name": "new", "retention": {"events_days": -1}}, 400, "invalid_body", "events_days"),
        ({"name": "new", "retention": {"events_days": 40_000}}, 400, "invalid_body", "events_days"),
        ({"name": "new", "public": "yes"}, 400, "invalid_body", "public"),
        ({"name": "new", "id": 5}, 400, "invalid_body", "id"),
    ],
)
def test_mistakes_are_named(site: Site, body: object, status: int, code: str, said_of: str) -> None:
    manage(site, "POST", "/api/v1/sites", {"name": "shop", "hostnames": ["shop.example"], "aliases": ["17"]}, 201)
    response = site.ask("/api/v1/sites", method="POST", body=msgspec.json.encode(body), headers=site.admin)
    assert code_of(response) == (status, code)
    assert said_of in response.body.decode()
    assert [each["name"] for each in read(site, "/api/v1/sites")["sites"]] == ["default", "shop"]


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/api/v1/sites?limit=1", 400, "invalid_query"),
        ("GET", "/api/v1/sites/nobody", 404, "unknown_site"),
        ("PATCH", "/api/v1/sites/nobody", 404, "unknown_site"),
        ("DELETE", "/api/v1/sites/default", 400, "invalid_site"),
        ("DELETE", "/api/v1/sites/default?erase=perhaps", 400, "invalid_query"),
        ("GET", "/api/v1/sites/default/snippet?for=word", 400, "invalid_query"),
        ("PUT", "/api/v1/sites/default", 405, "method_not_allowed"),
    ],
)
def test_what_cannot_be_is_refused(site: Site, method: str, target: str, status: int, code: str) -> None:
    body = b"{}" if method == "PATCH" else b""
    assert code_of(site.ask(target, method=method, body=body, headers=site.admin)) == (status, code)


def test_only_admins_make_sites_and_owners_change_their_own(site: Site) -> None:
    admin = set_up(site)
    for name in ("blog", "shop"):
        assert admin.ask("POST", "/api/v1/sites", {"name": name}).status == 201
    settle(site)
    people = {"olga": {"blog": "owner"}, "vera": {"blog": "viewer"}}
    for username, roles in people.items():
        assert admin.ask("POST", "/api/v1/users", {"username": username, "password": PASSWORD}).status == 201
        for name, role in roles.items():
            assert admin.ask("PUT", f"/api/v1/sites/{name}/members/{username}", {"role": role}).status == 200
    settle(site)
    olga, vera, nobody = Browser(site), Browser(site), Browser(site)
    assert (olga.log_in("olga", PASSWORD).status, vera.log_in("vera", PASSWORD).status) == (200, 200)
    assert said(olga.get("/api/v1/sites"))["sites"][0]["admins"] == ["olga"]
    table = [
        # admin, owner, viewer, nobody
        ("GET", "/api/v1/sites/blog", None, (200, 200, 200, 401)),
        ("GET", "/api/v1/sites/shop", None, (200, 404, 404, 401)),
        ("PATCH", "/api/v1/sites/blog", {"public": False}, (200, 200, 403, 401)),
        ("PATCH", "/api/v1/sites/shop", {"public": False}, (200, 404, 403, 401)),
        ("POST", "/api/v1/sites", {"name": "blog"}, (409, 403, 403, 401)),
        ("DELETE", "/api/v1/sites/shop", None, (204, 403, 403, 401)),
        ("GET", "/api/v1/sites/blog/visitors", None, (200, 200, 200, 401)),
        ("PATCH", f"/api/v1/sites/blog/visitors/{'0' * 32}", {"note": "x"}, (404, 404, 403, 401)),
        ("DELETE", f"/api/v1/sites/blog/visitors/{'0' * 32}", None, (404, 404, 403, 401)),
        ("POST", "/api/v1/sites/blog/visitors/erase", {"ip": "192.0.2.1"}, (200, 200, 403, 401)),
        ("POST", "/api/v1/sites/blog/visitors/export", {"ip": "192.0.2.1"}, (200, 200, 403, 401)),
        ("GET", "/api/v1/audit", None, (200, 200, 403, 401)),
        ("GET", "/api/v1/audit?site=default", None, (200, 404, 403, 401)),
    ]
    for method, path, body, statuses in table:
        got = tuple(who.ask(method, path, body).status for who in (nobody, vera, olga, admin))
        assert got == tuple(reversed(statuses)), (method, path)
    assert {line["site"] for line in said(olga.get("/api/v1/audit"))["lines"]} == {"blog"}


PASSWORD = "a horse, a battery"


def test_a_public_site_is_listed_to_everybody_without_its_admins(site: Site) -> None:
    admin = set_up(site)
    admin.ask("POST", "/api/v1/sites", {"name": "blog", "public": True})
    settle(site)
    nobody = Browser(site)
    assert [(each["name"], each["admins"]) for each in said(nobody.get("/api/v1/sites"))["sites"]] == [("blog", [])]
    assert said(nobody.get("/sites")) == {"sites": [{"id": "blog", "requiresAuth": False}]}
    assert said(admin.get("/sites"))["sites"] == [
        {"id": "default", "requiresAuth": True},
        {"id": "blog", "requiresAuth": False},
    ]


def test_snippets_are_those_of_the_command_line(build: Build) -> None:
    site = build()
    told = read(site, "/api/v1/sites/default/snippet?for=vue")
    assert (told["for"], told["is_guess"], "/script.js" in told["snippet"]) == ("vue", True, True)
    named = build(server=ServerConfig(data_dir=str(site.app.config.data_dir), public_url="https://stats.example/"))
    told = read(named, "/api/v1/sites/default/snippet")
    assert told == {
        "site": "default",
        "for": "html",
        "snippet": '<script defer src="https://stats.example/script.js"></script>\n',
        "is_guess": False,
    }


def test_all_that_was_counted_can_go_with_the_site(site: Site) -> None:
    manage(site, "POST", "/api/v1/sites", {"name": "blog", "hostnames": ["blog.example"]}, 201)
    settle(site)
    Visitor(site, REMOTE).view("https://blog.example/")
    Visitor(site, REMOTE).view("https://example.com/")
    settle(site)
    assert site.app.store.execute("select count(*) from events") == [(2,)]
    manage(site, "DELETE", "/api/v1/sites/blog?erase=true", status=204)
    assert site.app.store.execute("select distinct site_id from events") == [(1,)]
    assert site.app.store.execute("select distinct site_id from rollup_day") == [(1,)]
    again = site.ask("/api/v1/sites", method="POST", body=b'{"name": "blog"}', headers=site.admin)
    assert (code_of(again), b"is being erased just now" in again.body) == ((409, "site_taken"), True)
