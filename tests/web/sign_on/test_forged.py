"""Single sign-on with a provider, or a browser, that tells lies."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.web.sign_on.conftest import BASE, Browser
from tests.web.sign_on.providers import CLIENT, EC, OTHER_RSA, RSA, FakeProvider
from visitor_tracker.access.accounts import Account
from visitor_tracker.access.oidc import MOST_BYTES

LONG_AGO = int(time.time()) - 3600


def unsigned(provider: FakeProvider, nonce: str) -> str:
    return jwt.encode(provider.claims(nonce), "", algorithm="none", headers={"kid": "rsa"})


def confused(provider: FakeProvider, nonce: str) -> str:
    """Return a token whose HMAC is made with the public key, which everybody has."""
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = jwt.encode(provider.claims(nonce), "x" * 32, algorithm="HS256", headers={"kid": "rsa"}).split(".")
    mac = hmac.digest(public, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def cut(text: str) -> str:
    return text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        lambda provider, nonce: unsigned(provider, nonce).rstrip("."),
        lambda provider, nonce: provider.token(nonce, key=OTHER_RSA),
        lambda provider, nonce: confused(provider, nonce),
        lambda provider, nonce: provider.token(nonce, algorithm="RS512"),
        lambda provider, nonce: provider.token(nonce, key=EC, algorithm="ES256", key_id="rsa"),
        lambda provider, nonce: provider.token(nonce, key=OTHER_RSA, key_id="new"),
        lambda provider, nonce: provider.token(nonce, aud="another"),
        lambda provider, nonce: provider.token(nonce, aud=None),
        lambda provider, nonce: provider.token(nonce, aud=[CLIENT, "another"], azp="another"),
        lambda provider, nonce: provider.token(nonce, iss="https://other.example"),
        lambda provider, nonce: provider.token(nonce, exp=LONG_AGO),
        lambda provider, nonce: provider.token(nonce, exp=None),
        lambda provider, nonce: provider.token(nonce, iat=int(time.time()) + 3600),
        lambda provider, nonce: provider.token(nonce, sub=None),
        lambda provider, nonce: provider.token(nonce, sub=""),
        lambda provider, nonce: provider.token(nonce, sub="x" * 256),
        lambda provider, nonce: provider.token("another", sub="1"),
        lambda provider, nonce: provider.token(nonce, nonce=None),
        lambda provider, nonce: cut(provider.token(nonce)),
        lambda provider, nonce: "",
        lambda provider, nonce: "a.b.c",
        lambda provider, nonce: "." * 10_000,
    ],
)
def test_forged_tokens_open_nothing(browser: Browser, ada: Account, forge: Callable[[FakeProvider, str], str]) -> None:
    browser.provider.make_token = lambda nonce: forge(browser.provider, nonce)
    assert browser.trouble(browser.log_in()) == "sign_on_refused"
    assert "login.started" not in str(browser.site.app.store.execute("select action from audit"))
    assert ada.username


def test_an_algorithm_that_the_provider_does_not_name_is_refused(browser: Browser, ada: Account) -> None:
    browser.provider.document["id_token_signing_alg_values_supported"] = ["RS256"]
    token = browser.provider.token
    browser.provider.make_token = lambda nonce: token(nonce, key=EC, algorithm="ES256", key_id="ec")
    assert browser.trouble(browser.log_in()) == "sign_on_refused"
    assert ada.username


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/.well-known/openid-configuration", 500, b"{}"),
        ("/.well-known/openid-configuration", 200, b"<html>"),
        ("/.well-known/openid-configuration", 200, b" " * (MOST_BYTES + 1)),
        ("/.well-known/openid-configuration", 302, b"/jwks"),
        ("/.well-known/openid-configuration", 200, b'{"issuer": "https://other.example"}'),
        ("/token", 400, b'{"error": "invalid_grant"}'),
        ("/token", 200, b'{"access_token": "x"}'),
        ("/token", 302, b"/jwks"),
        ("/jwks", 200, b"[" * 100_000),
        ("/jwks", 200, b'{"keys": [{"kty": "RSA", "kid": "rsa", "n": "!", "e": "AQAB"}]}'),
        ("/jwks", 200, b'{"keys": []}'),
    ],
)
def test_a_provider_that_fails_ends_on_the_log_in_page(
    browser: Browser, ada: Account, path: str, status: int, body: bytes
) -> None:
    browser.provider.raw[path] = (status, body)
    if path.startswith("/.well"):
        answer = browser.get("/login/oidc")
        assert browser.trouble(answer) == "sign_on_unreachable"
        browser.get("/login/oidc")
        assert len(browser.provider.requests) == 1, "it is left alone for a while"
    else:
        assert browser.trouble(browser.log_in()) in ("sign_on_unreachable", "sign_on_refused")
    assert ada.username


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
@pytest.mark.parametrize(
    "url", ["http://id.example/x", "javascript:alert(1)", "//id.example", "http://127.0.0.1.nip.example/"]
)
def test_a_provider_may_not_lead_to_where_others_listen(browser: Browser, name: str, url: str) -> None:
    browser.provider.document[name] = url
    assert browser.trouble(browser.get("/login/oidc")) == "sign_on_unreachable"


def test_only_who_was_sent_comes_back(browser: Browser, ada: Account) -> None:
    back = browser.provider.log_in(browser.leave()).removeprefix(BASE)
    stranger = Browser(browser.site, browser.provider)
    assert stranger.trouble(stranger.get(back)) == "sign_on_expired"
    forged = back.partition("state=")[0] + "state=" + "0" * 32
    assert browser.trouble(browser.get(forged)) == "sign_on_expired"
    assert browser.provider.asked == []
    assert ada.username


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("error=access_denied", "sign_on_denied"),
        ("error=server_error&error_description=%3Cscript%3E", "sign_on_refused"),
        ("", "sign_on_refused"),
        ("code=" + "x" * 5000, "sign_on_refused"),
    ],
)
def test_a_refusal_of_the_provider_is_told(browser: Browser, query: str, code: str) -> None:
    state = parse_qs(urlsplit(browser.leave()).query)["state"][0]
    assert browser.trouble(browser.get(f"/login/oidc/callback?{query}&state={state}")) == code
    assert browser.provider.asked == []


def test_a_forged_or_old_cookie_is_none(browser: Browser, ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    back = browser.provider.log_in(browser.leave()).removeprefix(BASE)
    good = browser.jar["vt_oidc"]
    for bad in (good[:-1] + ("0" if good[-1] != "0" else "1"), "x" + good, good.partition(".")[2], "." * 3000, ""):
        browser.jar = {"vt_oidc": bad}
        assert browser.trouble(browser.get(back)) == "sign_on_expired"
    browser.jar = {"vt_oidc": good}
    later = time.time_ns() + 601 * 1_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert browser.trouble(browser.get(back)) == "sign_on_expired"
    assert ada.username
