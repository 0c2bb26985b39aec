"""Single sign-on by OpenID Connect, also with a provider of another maker."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.web.conftest import REMOTE, Build, Site
from tests.web.sign_on.conftest import BASE, Browser, location, me, settings
from tests.web.sign_on.providers import CLIENT, EC, ED, RSA, FakeProvider
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.config import ServerConfig
from visitor_tracker.config.sections import AuthConfig


def test_the_log_in_page_is_told_of_the_ways(build: Build, provider: FakeProvider, site: Site) -> None:
    plain = json.loads(build().ask("/api/v1/login/ways", peer=REMOTE).body)
    assert plain == {"password": True, "oidc": None}
    named = build(auth=settings(provider, oidc_name="Team log-in"))
    ways = json.loads(named.ask("/api/v1/login/ways", peer=REMOTE).body)
    assert ways == {"password": True, "oidc": {"name": "Team log-in", "url": "/login/oidc"}}


def test_somebody_with_a_verified_address_comes_in(browser: Browser, ada: Account) -> None:
    entered = browser.log_in("/login/oidc?next=/replay%3Fsite=blog")
    assert location(entered) == "/replay?site=blog"
    assert list(browser.jar) == ["vt_session"]
    assert me(browser) == ada.username
    assert json.loads(browser.get("/api/v1/me").body)["username"] == ada.username
    form, authorization = browser.provider.asked[0]
    assert (form["client_id"], authorization) == (CLIENT, "")
    assert form["redirect_uri"] == f"{BASE}/login/oidc/callback"


def test_the_cookie_of_the_way_is_for_it_only(browser: Browser) -> None:
    answer = browser.get("/login/oidc")
    [cookie] = [value for name, value in answer.headers if name == "Set-Cookie"]
    assert re.fullmatch(r"vt_oidc=\S+; Max-Age=600; Path=/login/oidc; HttpOnly; SameSite=Lax", cookie)


def test_a_subject_stays_who_it_is_when_its_address_changes(browser: Browser, ada: Account) -> None:
    browser.log_in()
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, email="new@example.com")
    browser.log_in()
    assert me(browser) == ada.username
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, email=None)
    browser.log_in()
    assert me(browser) == ada.username
    linked = browser.site.app.store.execute("select count(*) from audit where action = 'identity.linked'")
    assert linked == [(1,)]


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": None}, {"email": "eve@example.com"}])
def test_an_address_that_is_not_verified_is_nobodys(browser: Browser, ada: Account, claims: dict[str, Any]) -> None:
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, **claims)
    assert browser.trouble(browser.log_in()) == "sign_on_unknown"
    assert ada.username not in str(browser.site.app.store.execute("select * from audit"))


def test_who_has_no_account_gets_one_where_that_is_wanted(build: Build, provider: FakeProvider) -> None:
    site = build(auth=settings(provider, create_users=True))
    accounts = Accounts(site.app.store)
    browser = Browser(site, provider)
    assert browser.trouble(browser.log_in()) == "sign_on_first"
    accounts.create("ada", is_admin=True)
    browser.log_in()
    made = accounts.by_name("ada@example.com")
    assert made is not None
    assert (made.username, made.is_admin, made.roles) == ("ada@example.com", False, {})
    provider.make_token = lambda nonce: provider.token(nonce, sub="2", email=None, preferred_username="böb <b>")
    browser.log_in()
    assert re.fullmatch("user-[0-9a-f]{8}", me(browser))
    browser.log_in()
    assert len(accounts.all()) == 3
    provider.make_token = lambda nonce: provider.token(nonce, sub="3", email=None, preferred_username="bob@example.com")
    browser.log_in()
    assert accounts.by_name("bob@example.com") is None, "an address that the provider does not vouch for"


def test_a_disabled_account_stays_outside(browser: Browser, ada: Account) -> None:
    accounts = Accounts(browser.site.app.store)
    accounts.create("root", is_admin=True, password_hash="x")
    accounts.change(ada, disabled=True)
    assert browser.trouble(browser.log_in()) == "sign_on_disabled"


def test_user_information_fills_what_the_token_lacks(browser: Browser, ada: Account) -> None:
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, email=None, email_verified=None)
    browser.provider.document["userinfo_endpoint"] = f"{browser.provider.issuer}/userinfo"
    browser.provider.userinfo = {"sub": "1234", "email": ada.email, "email_verified": True}
    browser.log_in()
    assert me(browser) == ada.username


def test_only_who_names_an_address_verifies_it(browser: Browser, ada: Account) -> None:
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, email=None, email_verified=True)
    browser.provider.document["userinfo_endpoint"] = f"{browser.provider.issuer}/userinfo"
    browser.provider.userinfo = {"sub": "1234", "email": ada.email}
    assert browser.trouble(browser.log_in()) == "sign_on_unknown"


def test_user_information_of_somebody_else_is_refused(browser: Browser, ada: Account) -> None:
    browser.provider.make_token = lambda nonce: browser.provider.token(nonce, email=None)
    browser.provider.document["userinfo_endpoint"] = f"{browser.provider.issuer}/userinfo"
    browser.provider.userinfo = {"sub": "other", "email": ada.email, "email_verified": True}
    assert browser.trouble(browser.log_in()) == "sign_on_refused"


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec"), (ED, "EdDSA", "ed")]
)
def test_three_sorts_of_signatures_are_known(
    browser: Browser, ada: Account, key: object, algorithm: str, key_id: str
) -> None:
    token = browser.provider.token
    browser.provider.make_token = lambda nonce: token(nonce, key=key, algorithm=algorithm, key_id=key_id)
    browser.log_in()
    assert me(browser) == ada.username


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/%0d%0aSet-Cookie:x",
        "javascript:x",
        "evil",
        "/\u2028x",
        "/" + "x" * 2000,
    ],
)
def test_the_log_in_leads_nowhere_else(browser: Browser, ada: Account, onward: str) -> None:
    entered = browser.log_in("/login/oidc?" + requests.compat.urlencode({"next": onward}))
    found = location(entered)
    assert found == "/" or (found.startswith("/%0d") and "\r" not in found)
    assert ada.username


def test_a_secret_is_sent_as_the_provider_wants_it(build: Build, provider: FakeProvider) -> None:
    site = build(auth=settings(provider, oidc_client_secret="pss:t/ü"))
    Accounts(site.app.store).create("ada", email="ada@example.com", is_admin=True)
    browser = Browser(site, provider)
    browser.log_in()
    provider.document["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    other = Browser(build(auth=settings(provider, oidc_client_secret="pss:t/ü")), provider)
    other.log_in()
    (first, basic), (second, nothing) = provider.asked
    assert ("client_secret" in first, basic) == (False, "Basic dmlzaXRvci10cmFja2VyOnBzcyUzQXQlMkYlQzMlQkM=")
    assert (second["client_id"], second["client_secret"], nothing) == (CLIENT, "pss:t/ü", "")


def test_the_way_back_is_the_address_that_the_settings_tell(
    build: Build, provider: FakeProvider, tmp_path: object
) -> None:
    server = ServerConfig(data_dir=str(tmp_path), public_url="https://stats.example.com/")
    site = build(auth=settings(provider), server=server)
    answer = site.ask("/login/oidc", peer=REMOTE, headers={"host": "evil.example"})
    asked = parse_qs(urlsplit(location(answer)).query)
    assert asked["redirect_uri"] == ["https://stats.example.com/login/oidc/callback"]
    assert all("; Secure" in value for name, value in answer.headers if name == "Set-Cookie")
    unknown = build(auth=settings(provider)).ask("/login/oidc", peer=REMOTE, headers={"host": "evil.example"})
    assert location(unknown) == "/login?error=no_public_url"


def test_without_a_provider_there_is_nowhere_to_go(build: Build) -> None:
    site = build()
    assert [site.ask(f"/login/oidc{end}").status for end in ("", "/callback?code=x")] == [404, 404]


def test_a_look_at_the_head_uses_up_nothing(browser: Browser, ada: Account) -> None:
    back = browser.provider.log_in(browser.leave()).removeprefix(BASE)
    browser.site.ask(back, method="HEAD", headers={"cookie": f"vt_oidc={browser.jar['vt_oidc']}"})
    assert browser.provider.asked == []
    browser.get(back)
    assert me(browser) == ada.username


OTHER_PROVIDER = """
import oidc_provider_mock, sys
grace = oidc_provider_mock.User(sub="77", claims={"email": "grace@example.com", "email_verified": True})
with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=[grace]) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_issuer() -> Iterator[str]:
    """A provider that somebody else has made, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", OTHER_PROVIDER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        yield f"http://localhost:{int(running.stdout.readline())}"
        running.communicate("")


def test_a_provider_of_another_maker_works(build: Build, other_issuer: str) -> None:
    auth = AuthConfig(oidc_issuer=other_issuer, oidc_client_id=CLIENT, oidc_client_secret="whatever")
    site = build(auth=auth)
    grace = Accounts(site.app.store).create("grace", email="grace@example.com", is_admin=True)
    browser = Browser(site, FakeProvider(other_issuer))
    with requests.Session() as session:
        session.trust_env = False
        place = browser.leave()
        with session.post(place, data={"sub": "77"}, allow_redirects=False, timeout=10) as answer:
            entered = browser.get(answer.headers["Location"].removeprefix(BASE))
        assert location(entered) == "/"
        assert me(browser) == grace.username
        again = browser.leave()
        with session.post(again, data={"sub": "78"}, allow_redirects=False, timeout=10) as answer:
            stranger = browser.get(answer.headers["Location"].removeprefix(BASE))
        assert location(stranger) == "/login?error=sign_on_unknown"
