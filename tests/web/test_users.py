"""One's own account, users, members of sites: who may what, and what ends when."""

import msgspec
import pytest

from tests.web.conftest import REMOTE, Build, Site
from tests.web.people import PASSWORD, Browser, add, code_of, program, said, set_up, with_second_factor
from visitor_tracker.config import ServerConfig
from visitor_tracker.sites import Site as WebSite
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.audit import AuditTable

NEW = "another horse, a staple"


@pytest.fixture
def admin(site: Site) -> Browser:
    """Ada, of a server with the sites default, blog and shop."""
    browser = set_up(site)
    sites = (*site.app.snapshot.now.sites, *(WebSite(site_id_of(name), name) for name in ("blog", "shop")))
    site.app.snapshot.now = msgspec.structs.replace(site.app.snapshot.now, sites=sites)
    return browser


def actions(site: Site) -> list[tuple[str, str, str]]:
    return [(row.name, row.action, row.target) for row in AuditTable(site.app.store.database).latest(50)]


def test_everybody_is_told_who_they_are(site: Site) -> None:
    me = said(site.ask("/api/v1/me"))
    assert (me["kind"], me["username"], me["is_admin"], me["everywhere"], me["set_up"]) == (
        "local",
        "localhost",
        False,
        "viewer",
        False,
    )
    token = {"authorization": f"Bearer {site.shared.keys.reads.hex()}"}
    me = said(site.ask("/api/v1/me", headers=token, peer=REMOTE))
    assert (me["username"], me["is_admin"], me["everywhere"]) == ("read token", False, "viewer")
    assert site.ask("/api/v1/me", peer=REMOTE).status == 401


def test_who_is_no_user_has_no_account(site: Site) -> None:
    for method, path, body in (
        ("PATCH", "/api/v1/me", {}),
        ("POST", "/api/v1/me/password", {"old": "x", "new": NEW}),
        ("GET", "/api/v1/me/logins", None),
        ("DELETE", "/api/v1/me/logins/x", None),
        ("POST", "/api/v1/me/totp", {}),
        ("POST", "/api/v1/me/totp/confirm", {"code": "1"}),
        ("DELETE", "/api/v1/me/totp", {}),
    ):
        data = b"" if body is None else msgspec.json.encode(body)
        assert code_of(site.ask(path, method=method, body=data, headers=site.admin)) == (403, "not_a_user"), path


def test_a_users_roles_are_told_by_site(admin: Browser) -> None:
    bob = add(admin, "bob", roles={"shop": "viewer", "blog": "owner"})
    me = said(bob.get("/api/v1/me"))
    assert (me["roles"], me["everywhere"], me["is_admin"]) == ({"blog": "owner", "shop": "viewer"}, None, False)
    assert (me["has_password"], me["second_factor"], me["recovery_codes_left"]) == (True, False, 0)


def test_a_new_password_ends_everything_but_this_browser(admin: Browser) -> None:
    bob = add(admin, "bob")
    other, tokens = Browser(admin.site), program(admin, "bob")
    other.log_in("bob")
    wrong = bob.ask("POST", "/api/v1/me/password", {"old": "wrong", "new": NEW})
    assert code_of(wrong) == (403, "wrong_password")
    assert code_of(bob.ask("POST", "/api/v1/me/password", {"old": PASSWORD, "new": "bob"})) == (
        400,
        "password_too_short",
    )
    assert bob.ask("POST", "/api/v1/me/password", {"old": PASSWORD, "new": NEW}).status == 200
    assert bob.get("/api/v1/me").status == 200
    assert other.get("/api/v1/me").status == 401
    assert code_of(tokens.ask("GET", "/api/v1/me")) == (401, "invalid_token")
    refresh = admin.site.ask(
        "/api/v1/refresh", method="POST", body=msgspec.json.encode({"refresh_token": tokens.tokens["refresh_token"]})
    )
    assert refresh.status == 401
    assert other.log_in("bob").status == 401
    assert other.log_in("bob", NEW).status == 200


def test_tokens_that_change_the_password_end_too(admin: Browser) -> None:
    add(admin, "bob")
    tokens = program(admin, "bob")
    assert tokens.ask("POST", "/api/v1/me/password", {"old": PASSWORD, "new": NEW}).status == 200
    assert tokens.ask("GET", "/api/v1/me").status == 401


def test_keys_outlive_a_password_unless_one_revokes_them(admin: Browser) -> None:
    bob = add(admin, "bob", roles={"blog": "viewer"})
    for browser, name in ((bob, "one"), (bob, "two"), (admin, "hers")):
        made = browser.ask("POST", "/api/v1/keys", {"name": name, "scopes": ["read"], "site": "blog"})
        assert made.status == 201, made.body
    kept = bob.ask("POST", "/api/v1/me/password", {"old": PASSWORD, "new": NEW})
    assert said(kept) == {"keys_revoked": 0, "keys_left": 2}
    asked = {"old": NEW, "new": PASSWORD, "revoke_keys": True}
    assert said(bob.ask("POST", "/api/v1/me/password", asked)) == {"keys_revoked": 2, "keys_left": 0}
    assert [key["name"] for key in said(admin.get("/api/v1/keys"))["keys"]] == ["hers"]
    assert actions(admin.site)[:3] == [
        ("bob", "key.revoked", "two"), ("bob", "key.revoked", "one"), ("bob", "user.password", "bob"),
    ]  # fmt: skip


def test_the_old_password_cannot_be_guessed_by_who_has_a_session(admin: Browser) -> None:
    statuses = [admin.ask("POST", "/api/v1/me/password", {"old": "wrong", "new": NEW}).status for _ in range(11)]
    assert statuses == [403] * 10 + [429]


def test_ones_logins_are_listed_and_ended(admin: Browser) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    other = Browser(admin.site)
    body = {"username": "ada", "password": PASSWORD}
    other.csrf = said(other.ask("POST", "/api/v1/login", body, {"user-agent": agent}))["csrf"]
    found = said(admin.get("/api/v1/me/logins"))["logins"]
    assert sorted((each["device"], each["kind"], each["present"]) for each in found) == [
        ("", "browser", False),  # the set-up's
        ("", "browser", True),
        ("Firefox 140 (Linux)", "browser", False),
    ]
    [theirs] = [each["id"] for each in found if each["device"]]
    assert admin.ask("DELETE", f"/api/v1/me/logins/{theirs}").status == 204
    assert other.get("/api/v1/me").status == 401
    assert code_of(admin.ask("DELETE", f"/api/v1/me/logins/{theirs}")) == (404, "unknown_login")
    bob = add(admin, "bob")
    mine = next(each["id"] for each in found if each["present"])
    assert code_of(bob.ask("DELETE", f"/api/v1/me/logins/{mine}")) == (404, "unknown_login")
    assert admin.ask("DELETE", f"/api/v1/me/logins/{mine}").status == 204
    assert admin.get("/api/v1/me").status == 401


def test_a_second_factor_comes_with_a_picture_and_goes_with_the_password(admin: Browser) -> None:
    for wrong in (None, {}, {"password": "wrong"}):
        assert code_of(admin.ask("POST", "/api/v1/me/totp", wrong)) == (403, "wrong_password")
    begun = said(admin.ask("POST", "/api/v1/me/totp", {"password": PASSWORD}))
    assert begun["uri"].startswith("otpauth://totp/Visitor%20Tracker:ada?secret=")
    assert begun["qr"].startswith("<svg ")
    with_second_factor(admin)
    assert said(admin.get("/api/v1/me"))["second_factor"] is True
    assert code_of(admin.ask("POST", "/api/v1/me/totp", {"password": PASSWORD})) == (409, "second_factor_on")
    assert code_of(admin.ask("DELETE", "/api/v1/me/totp", {"password": "wrong"})) == (403, "wrong_password")
    assert admin.ask("DELETE", "/api/v1/me/totp", {"password": PASSWORD}).status == 204
    assert said(admin.get("/api/v1/me"))["second_factor"] is False


def test_codes_cannot_be_guessed(admin: Browser) -> None:
    admin.ask("POST", "/api/v1/me/totp", {"password": PASSWORD})
    statuses = [admin.ask("POST", "/api/v1/me/totp/confirm", {"code": "0000000"}).status for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_an_admin_takes_a_second_factor_off(admin: Browser) -> None:
    bob = add(admin, "bob")
    with_second_factor(bob)
    assert code_of(Browser(admin.site).log_in("bob")) == (401, "second_factor_needed")
    assert admin.ask("DELETE", "/api/v1/users/bob/totp").status == 204
    assert Browser(admin.site).log_in("bob").status == 200
    assert ("ada", "user.second_factor_off", "bob") in actions(admin.site)


# Users.


def test_an_admin_makes_changes_and_removes_users(admin: Browser) -> None:
    made = admin.ask("POST", "/api/v1/users", {"username": "bob", "password": PASSWORD, "roles": {"blog": "viewer"}})
    assert made.status == 201
    bob = said(made)["user"]
    assert said(made)["invitation"] is None
    assert (bob["username"], bob["roles"], bob["is_admin"], bob["seen_at"]) == ("bob", {"blog": "viewer"}, False, None)
    assert said(admin.get("/api/v1/users/BOB")) == said(admin.get(f"/api/v1/users/{bob['id']}")) == bob
    changes = {"username": "robert", "email": "bob@example.com", "roles": {"blog": None, "shop": "owner"}}
    changed = said(admin.ask("PATCH", "/api/v1/users/bob", changes))
    assert changed == bob | {"username": "robert", "email": "bob@example.com", "roles": {"shop": "owner"}}
    assert [user["username"] for user in said(admin.get("/api/v1/users"))["users"]] == ["ada", "robert"]
    assert admin.ask("DELETE", "/api/v1/users/bob@example.com").status == 204
    assert code_of(admin.get("/api/v1/users/robert")) == (404, "unknown_user")
    assert [line for line in actions(admin.site) if line[1].startswith("user.")] == [
        ("ada", "user.removed", "robert"),
        ("ada", "user.changed", "robert"),
        ("ada", "user.added", "bob"),
        ("ada", "user.added", "ada"),
    ]


def test_a_user_that_cannot_be(admin: Browser) -> None:
    cases: list[tuple[dict[str, object], tuple[int, str]]] = [
        ({"username": "ADA"}, (409, "name_taken")),
        ({"username": "a b"}, (400, "invalid_username")),
        ({"username": "bob", "email": "x"}, (400, "invalid_email")),
        ({"username": "bob", "password": "short"}, (400, "password_too_short")),
        ({"username": "bob", "roles": {"nowhere": "viewer"}}, (404, "unknown_site")),
        ({"username": "bob", "roles": {"blog": "admin"}}, (400, "invalid_body")),
        ({"username": "bob", "admin": True}, (400, "invalid_body")),
        ({}, (400, "invalid_body")),
    ]
    for body, expected in cases:
        assert code_of(admin.ask("POST", "/api/v1/users", body)) == expected, body
    assert len(said(admin.get("/api/v1/users"))["users"]) == 1


def test_the_last_admin_stays(admin: Browser) -> None:
    for body in ({"is_admin": False}, {"disabled": True}):
        assert code_of(admin.ask("PATCH", "/api/v1/users/ada", body)) == (409, "last_admin")
    assert code_of(admin.ask("DELETE", "/api/v1/users/ada")) == (409, "last_admin")


def test_a_disabled_user_is_out_at_once_and_for_good(admin: Browser) -> None:
    bob, tokens = add(admin, "bob"), program(add(admin, "carol"), "bob")
    assert said(admin.ask("PATCH", "/api/v1/users/bob", {"disabled": True}))["disabled"] is True
    assert bob.get("/api/v1/me").status == 401
    assert tokens.ask("GET", "/api/v1/me").status == 401
    assert Browser(admin.site).log_in("bob").status == 401
    assert code_of(admin.ask("POST", "/api/v1/users/bob/invitation")) == (409, "user_disabled")
    assert said(admin.ask("PATCH", "/api/v1/users/bob", {"disabled": False}))["disabled"] is False
    assert bob.get("/api/v1/me").status == 401
    assert bob.log_in("bob").status == 200


def test_an_admin_logs_somebody_out(admin: Browser) -> None:
    bob = add(admin, "bob")
    assert len(said(admin.get("/api/v1/users/bob/logins"))["logins"]) == 1
    assert admin.ask("DELETE", "/api/v1/users/bob/logins").status == 204
    assert bob.get("/api/v1/me").status == 401
    assert said(admin.get("/api/v1/users/bob/logins"))["logins"] == []


def test_who_was_an_admin_is_none_with_the_next_request(admin: Browser) -> None:
    bob = add(admin, "bob", is_admin=True)
    assert bob.get("/api/v1/users").status == 200
    admin.ask("PATCH", "/api/v1/users/bob", {"is_admin": False})
    assert code_of(bob.get("/api/v1/users")) in ((401, "login_needed"), (403, "forbidden"))


def test_users_are_for_admins(admin: Browser) -> None:
    everybody = [(Browser(admin.site), (401, "login_needed"))]
    everybody += [(add(admin, role, roles={"blog": role}), (403, "forbidden")) for role in ("viewer", "owner")]
    for who, expected in everybody:
        for method, path in (
            ("GET", "/api/v1/users"),
            ("POST", "/api/v1/users"),
            ("GET", "/api/v1/users/ada"),
            ("PATCH", "/api/v1/users/ada"),
            ("DELETE", "/api/v1/users/ada"),
            ("POST", "/api/v1/users/ada/invitation"),
            ("GET", "/api/v1/users/ada/logins"),
            ("DELETE", "/api/v1/users/ada/logins"),
            ("DELETE", "/api/v1/users/ada/totp"),
        ):
            assert code_of(who.ask(method, path, {} if method in ("POST", "PATCH") else None)) == expected, path


# Invitations.


def test_an_invited_user_chooses_a_password_and_is_in(build: Build, admin: Browser) -> None:
    made = said(admin.ask("POST", "/api/v1/users", {"username": "bob", "email": "bob@example.com"}))
    path, _, token = made["invitation"]["link"].partition("#")
    assert path == "/setup"
    bob = Browser(admin.site)
    assert said(bob.ask("POST", "/api/v1/invitation", {"token": token})) == {"username": "bob", "second_factor": False}
    refused = bob.ask("POST", "/api/v1/invitation", {"token": token, "password": "bob@example.com"})
    assert code_of(refused) == (400, "password_is_name")
    entered = said(bob.ask("POST", "/api/v1/invitation", {"token": token, "password": NEW}))
    assert set(entered) == {"username", "second_factor", "login", "csrf"}
    assert said(bob.get("/api/v1/me"))["csrf"] == entered["csrf"]
    assert code_of(bob.ask("POST", "/api/v1/invitation", {"token": token, "password": PASSWORD})) == (
        404,
        "unknown_link",
    )
    assert bob.log_in("bob", NEW).status == 200


def test_a_new_link_replaces_a_lost_password_and_all_logins(admin: Browser) -> None:
    bob = add(admin, "bob")
    old = said(admin.ask("POST", "/api/v1/users/bob/invitation"))["link"].partition("#")[2]
    token = said(admin.ask("POST", "/api/v1/users/bob/invitation"))["link"].partition("#")[2]
    assert code_of(Browser(admin.site).ask("POST", "/api/v1/invitation", {"token": old})) == (404, "unknown_link")
    assert bob.get("/api/v1/me").status == 200
    assert Browser(admin.site).ask("POST", "/api/v1/invitation", {"token": token, "password": NEW}).status == 200
    assert bob.get("/api/v1/me").status == 401
    assert bob.log_in("bob").status == 401


def test_a_link_does_not_pass_the_second_factor_by(admin: Browser) -> None:
    with_second_factor(add(admin, "bob"))
    token = said(admin.ask("POST", "/api/v1/users/bob/invitation"))["link"].partition("#")[2]
    bob = Browser(admin.site)
    answer = bob.ask("POST", "/api/v1/invitation", {"token": token, "password": NEW})
    assert said(answer) == {"username": "bob", "second_factor": True}
    assert bob.cookies == {}
    assert code_of(bob.log_in("bob", NEW)) == (401, "second_factor_needed")


def test_links_cannot_be_guessed_at_will(admin: Browser) -> None:
    bob = Browser(admin.site)
    statuses = [bob.ask("POST", "/api/v1/invitation", {"token": f"{n:043}"}).status for n in range(11)]
    assert statuses == [404] * 10 + [429]


def test_links_say_the_servers_own_address(build: Build, tmp_path: object) -> None:
    site = build(server=ServerConfig(data_dir=str(tmp_path), public_url="https://stats.example.com/"))
    admin = set_up(site)
    link = said(admin.ask("POST", "/api/v1/users", {"username": "bob"}))["invitation"]["link"]
    assert link.startswith("https://stats.example.com/setup#")


# Members.


def test_an_owner_says_who_sees_a_site(admin: Browser) -> None:
    owner, bob = add(admin, "olga", roles={"blog": "owner"}), add(admin, "bob")
    assert said(owner.get("/api/v1/sites/blog/members")) == {"members": [{"username": "olga", "role": "owner"}]}
    put = owner.ask("PUT", "/api/v1/sites/blog/members/BOB", {"role": "viewer"})
    assert (put.status, said(put)) == (200, {"username": "bob", "role": "viewer"})
    assert said(bob.get("/api/v1/me"))["roles"] == {"blog": "viewer"}
    assert [each["username"] for each in said(owner.get("/api/v1/sites/blog/members"))["members"]] == ["bob", "olga"]
    assert owner.ask("DELETE", "/api/v1/sites/blog/members/bob").status == 204
    assert code_of(owner.ask("DELETE", "/api/v1/sites/blog/members/bob")) == (404, "unknown_user")
    assert code_of(owner.ask("PUT", "/api/v1/sites/blog/members/nobody", {"role": "viewer"})) == (404, "unknown_user")
    assert code_of(owner.ask("PUT", "/api/v1/sites/blog/members/bob", {"role": "admin"})) == (400, "invalid_body")
    assert said(bob.get("/api/v1/me"))["roles"] == {}
    assert ("olga", "site.member_changed", "bob") in actions(admin.site)
    assert ("olga", "site.member_removed", "bob") in actions(admin.site)


def test_only_an_admin_takes_the_last_owner_away(admin: Browser) -> None:
    owner = add(admin, "olga", roles={"blog": "owner"})
    path = "/api/v1/sites/blog/members/olga"
    assert code_of(owner.ask("DELETE", path)) == (409, "last_owner")
    assert code_of(owner.ask("PUT", path, {"role": "viewer"})) == (409, "last_owner")
    add(admin, "otto", roles={"blog": "owner"})
    assert owner.ask("PUT", path, {"role": "viewer"}).status == 200
    assert admin.ask("DELETE", "/api/v1/sites/blog/members/otto").status == 204


def test_members_are_for_owners_of_that_site(admin: Browser) -> None:
    for number, roles in enumerate(({}, {"blog": "viewer"}, {"shop": "owner"}, {"shop": "owner", "blog": "viewer"})):
        bob = add(admin, f"bob{number}", roles=roles)
        # An owner of another site gets as far as the sites they have, among which there is no blog.
        expected = (404, "unknown_site") if "owner" in roles.values() else (403, "forbidden")
        for method, path, body in (
            ("GET", "/api/v1/sites/blog/members", None),
            ("PUT", f"/api/v1/sites/blog/members/bob{number}", {"role": "owner"}),
            ("DELETE", f"/api/v1/sites/blog/members/bob{number}", None),
        ):
            assert code_of(bob.ask(method, path, body)) == expected
        assert said(bob.get("/api/v1/me"))["roles"] == roles
