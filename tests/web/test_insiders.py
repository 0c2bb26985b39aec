"""What neither insiders nor other web sites get out of a server: names of others, refusals, room for big bodies."""

import msgspec
import pytest

from tests.web.conftest import Build, Site, header_of
from tests.web.people import Browser, add, code_of, said, set_up
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.passwords import Slots
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.errors import HttpError
from visitor_tracker.store.audit import AuditTable

EVIL = {"origin": "https://evil.example"}


def _never(_: Slots) -> int:
    raise HttpError(503, "busy", "too many people log in just now", "try again in a moment")


@pytest.mark.parametrize(
    "auth",
    [
        AuthConfig(remote_user="Remote-User"),
        AuthConfig(oidc_issuer="https://id.example.com", oidc_client_id="tracker"),
    ],
)
def test_nobody_takes_an_address_by_which_others_come_in(build: Build, auth: AuthConfig) -> None:
    site = build(auth=auth)
    admin = set_up(site)
    eve = add(admin, "eve", email="eve@example.com")
    taken = eve.ask("PATCH", "/api/v1/me", {"email": "ada@example.com"})
    assert code_of(taken) == (403, "email_by_admin")
    assert Accounts(site.app.store).by_name("ada@example.com") is None
    assert said(eve.ask("PATCH", "/api/v1/me", {"email": ""}))["email"] == ""
    assert said(admin.ask("PATCH", "/api/v1/me", {"email": "ada@example.com"}))["email"] == "ada@example.com"


def test_who_finds_the_server_busy_may_try_again_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(site)
    browser = Browser(site)
    with monkeypatch.context() as busy:
        busy.setattr(Slots, "_take", _never)
        assert [code_of(browser.log_in("ada")) for _ in range(11)] == [(503, "busy")] * 11
    assert browser.log_in("ada").status == 200


def test_an_id_is_nobody_elses_name(site: Site) -> None:
    admin = set_up(site)
    ada = said(admin.get("/api/v1/me"))["id"]
    add(admin, ada)
    assert said(admin.get(f"/api/v1/users/{ada}"))["username"] == "ada"


def test_the_audit_log_says_what_an_admin_changed_and_no_address(site: Site) -> None:
    admin = set_up(site)
    add(admin, "bob")
    for change in ({"email": "bob@example.com"}, {}, {"is_admin": False}):
        assert admin.ask("PATCH", "/api/v1/users/bob", change).status == 200
    lines = [row.detail for row in AuditTable(site.app.store.database).latest(50) if row.action == "user.changed"]
    assert [msgspec.json.decode(line) for line in lines] == [{"is_admin": False}, {"email": True}]


def test_other_sites_read_no_refusal_of_a_private_route(site: Site) -> None:
    set_up(site)
    for method, path in (("PUT", "/api/v1/users"), ("POST", "/api/v1/users/ada"), ("GET", "/api/v1/users/ada")):
        answer = site.ask(path, method=method, headers=EVIL)
        assert answer.status in (401, 405)
        assert header_of(answer.headers, "Access-Control-Allow-Origin") == ""


def test_routes_with_braces_keep_their_limit_of_bodies(site: Site) -> None:
    router = site.app.router
    limits = {path: router.body_limit("PATCH", path) for path in ("/api/v1/me", "/api/v1/users/bob", "/api/v1/users")}
    assert limits == {"/api/v1/me": 16384, "/api/v1/users/bob": 16384, "/api/v1/users": 0}
