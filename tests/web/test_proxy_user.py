"""Who has logged in at a trusted proxy, and which of several proofs counts."""

import json

import msgspec
import pytest

from tests.web.conftest import REMOTE, Build, Site, header
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.logins import Logins
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.http.message import Peer, Request, Response

PROXY, UNIX = Peer("10.0.0.2"), Peer("", unix=True)
HOST = {"host": "stats.example.com", "x-forwarded-for": "192.0.2.9"}
PROXIES = ("10.0.0.0/8",)


@pytest.fixture
def site(build: Build) -> Site:
    made = build(auth=AuthConfig(remote_user="Remote-User"), trusted_proxies=PROXIES)
    accounts = Accounts(made.app.store)
    accounts.create("root", is_admin=True, password_hash="x")
    accounts.create("ada", email="ada@example.com", is_admin=True)
    return made


def me(site: Site, peer: Peer = PROXY, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.ask("/api/v1/me", peer=peer, headers=HOST | names)


def name_of(response: Response) -> str:
    assert response.status == 200, response.body
    return str(json.loads(response.body)["username"])


@pytest.mark.parametrize("peer", [PROXY, UNIX])
@pytest.mark.parametrize("name", ["ada", "ADA@example.com", " ada "])
def test_a_trusted_proxy_names_an_account(site: Site, peer: Peer, name: str) -> None:
    assert name_of(me(site, peer, remote_user=name)) == "ada"


@pytest.mark.parametrize("peer", [REMOTE, Peer("127.0.0.1"), Peer("11.0.0.1")])
def test_from_everybody_else_the_header_says_nothing(site: Site, peer: Peer) -> None:
    assert me(site, peer, remote_user="ada").status == 401


def test_without_the_setting_nobody_is_believed(build: Build) -> None:
    site = build(trusted_proxies=PROXIES)
    Accounts(site.app.store).create("ada", is_admin=True)
    assert me(site, remote_user="ada").status == 401


@pytest.mark.parametrize("name", ["eve", "ada, eve", "x" * 5000, "a\tb"])
def test_whom_nobody_knows_may_not_come_in(site: Site, name: str) -> None:
    refused = me(site, remote_user=name)
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "unknown_user")
    assert len(Accounts(site.app.store).all()) == 2


def test_a_disabled_account_stays_outside(site: Site) -> None:
    accounts = Accounts(site.app.store)
    accounts.change(accounts.known("ada"), disabled=True)
    assert json.loads(me(site, remote_user="ada").body)["error"]["code"] == "disabled_user"


def test_accounts_are_made_where_that_is_wanted(build: Build) -> None:
    site = build(auth=AuthConfig(remote_user="remote-user", create_users=True), trusted_proxies=PROXIES)
    accounts = Accounts(site.app.store)
    assert me(site, remote_user="eve").status == 403, "the first account is an admin's"
    accounts.create("root", is_admin=True, password_hash="x")
    assert [name_of(me(site, remote_user="eve@example.com")) for _ in range(2)] == ["eve@example.com"] * 2
    made = accounts.known("eve@example.com")
    assert (made.is_admin, made.roles, made.has_password) == (False, {}, False)
    assert me(site, remote_user="<b>").status == 403
    assert site.ask("/stats", peer=PROXY, headers=HOST | {"remote-user": "eve@example.com"}).status == 403
    rows = site.app.store.execute("select target, detail from audit where action = 'user.added'")
    assert [tuple(row) for row in rows] == [("eve@example.com", '{"by":"proxy"}')]


def test_changes_need_the_token_and_an_own_origin(site: Site) -> None:
    known = json.loads(me(site, remote_user="ada").body)
    body = msgspec.json.encode({"name": "k", "scopes": ["read"]})

    def change(**headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers = HOST | {"remote-user": "ada"} | names
        return site.ask("/api/v1/keys", method="POST", body=body, peer=PROXY, headers=all_headers).status

    assert change() == 403
    assert change(x_csrf_token="0" * 32) == 403
    assert change(x_csrf_token=known["csrf"], origin="https://evil.example") == 403
    assert change(x_csrf_token=known["csrf"], sec_fetch_site="cross-site") == 403
    other = json.loads(me(site, remote_user="root").body)
    assert change(x_csrf_token=other["csrf"]) == 403, "the token is the account's"
    assert change(x_csrf_token=known["csrf"], origin="https://stats.example.com") == 201


def logged_in(site: Site, account: Account) -> str:
    """Return the cookie of a browser in which somebody has logged in."""
    logins = Logins(site.app.store, site.app.shared.keys.token, site.app.config.auth)
    started = logins.start(account, Request("POST", "/", "", {}, b"", True, REMOTE), secure=False)
    return dict(started.headers)["Set-Cookie"].partition(";")[0]


def test_a_log_in_goes_before_what_is_ambient(site: Site) -> None:
    cookie = logged_in(site, Accounts(site.app.store).known("root"))
    assert name_of(me(site, cookie=cookie, remote_user="ada")) == "root"
    assert name_of(me(site, cookie="vt_session=xyz", remote_user="ada")) == "ada"


def test_a_log_in_goes_before_an_opened_link_and_a_key_before_a_log_in(site: Site) -> None:
    accounts = Accounts(site.app.store)
    vera = accounts.create("vera", roles={77: "viewer"})
    root = logged_in(site, accounts.known("root"))
    csrf = json.loads(me(site, cookie=root).body)["csrf"]

    def make(target: str, body: object) -> dict[str, str]:
        headers = HOST | {"cookie": root, "x-csrf-token": csrf}
        answer = site.ask(target, method="POST", body=msgspec.json.encode(body), peer=REMOTE, headers=headers)
        found = json.loads(answer.body)
        assert isinstance(found, dict)
        return found

    token = make("/api/v1/sites/default/shares", {})["token"]
    share = header(site.ask(f"/share/{token}", peer=REMOTE, headers=HOST), "set-cookie").partition(";")[0]

    def stats(**headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return site.ask("/stats?site=default", peer=REMOTE, headers=HOST | names).status

    veras = logged_in(site, vera)
    assert (stats(cookie=share), stats(cookie=veras)) == (200, 403)
    both = f"{share}; {veras}"
    assert json.loads(me(site, cookie=both).body)["username"] == "vera", "the log-in wins"
    assert stats(cookie=both) == 200, "and what the link shows stays to be seen"
    assert stats(cookie=f"{share}; vt_session=gone") == 200
    assert stats(cookie=veras, x_share_token=token) == 200, "what is sent on purpose wins"
    key = make("/api/v1/keys", {"name": "k", "scopes": ["read"], "site": "default"})["key"]
    assert stats(cookie=veras, authorization=f"Bearer {key}") == 200
    assert stats(cookie=root, authorization="Bearer vt_wrong") == 401, "a wrong proof is none, whatever else is there"
