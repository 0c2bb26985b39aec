"""Signed requests, and the keys that sign them."""

import json
import re
import secrets
import time
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from tests.web.people import set_up
from tests.web.signers import HOST, MINE, Signer, body_of, changed, code_of, new_signer, post, registered


def test_a_site_has_one_key_of_the_old_sort(site: Site) -> None:
    signer = new_signer()
    asked = {"site_id": "default", "public_key_hex": signer.public_hex}
    first = post(site, "/register-key", asked, headers=site.admin)
    assert (first.status, body_of(first)) == (200, {"status": "ok", "message": "Public key registered"})
    again = post(site, "/register-key", asked | {"public_key_hex": new_signer().public_hex}, headers=site.admin)
    assert (again.status, body_of(again)["detail"]) == (400, "Public key already registered")
    status = body_of(site.ask("/debug/auth-status/default", headers=site.admin))
    assert (status["site_id"], status["is_locked"]) == ("default", True)
    assert "v.db" in str(status["db_path"])
    assert site.ask(MINE, peer=REMOTE, headers=signer.first()).status == 200


@pytest.mark.parametrize("text", ["", "a" * 63, "g" * 64, "0" * 64, "01" + "0" * 62, "ff" * 32])
def test_what_is_no_key_is_not_registered(site: Site, text: str) -> None:
    asked = {"site_id": "default", "public_key_hex": text}
    assert post(site, "/register-key", asked, headers=site.admin).status == 400
    assert body_of(site.ask("/debug/auth-status/default", headers=site.admin))["is_locked"] is False


@pytest.mark.parametrize("target", ["/pair/default", "/debug/auth-status/default", "/register-key"])
def test_strangers_register_nothing(site: Site, target: str) -> None:
    method = "POST" if target == "/register-key" else "GET"
    asked = msgspec.json.encode({"site_id": "default", "public_key_hex": new_signer().public_hex})
    assert site.ask(target, method=method, body=asked, peer=REMOTE, headers=HOST).status == 401
    assert body_of(site.ask("/debug/auth-status/default", headers=site.admin))["is_locked"] is False


def test_the_first_version_opens_reads_of_its_site(site: Site) -> None:
    signer = registered(site)
    assert site.ask(MINE, peer=REMOTE, headers=signer.first()).status == 200
    assert site.ask("/stats", peer=REMOTE, headers=signer.first()).status == 200
    assert site.ask(MINE, method="HEAD", peer=REMOTE, headers=signer.first()).status == 200


@pytest.mark.parametrize(
    "forge",
    [
        lambda signer: signer.first(at=int(time.time()) - 301),
        lambda signer: signer.first(at=int(time.time()) + 302),
        lambda signer: signer.first("shop"),
        lambda signer: new_signer().first(),
        lambda signer: changed(signer.first(), x_timestamp=str(int(time.time()) - 1)),
        lambda signer: changed(signer.first(), x_timestamp=""),
        lambda signer: changed(signer.first(), x_timestamp="1e9"),
        lambda signer: changed(signer.first(), x_timestamp="٥" * 10),
        lambda signer: changed(signer.first(), x_timestamp="9" * 5000),
        lambda signer: changed(signer.first(), x_signature=""),
        lambda signer: changed(signer.first(), x_signature="00" * 64),
        lambda signer: changed(signer.first(), x_signature="zz" * 64),
        lambda signer: changed(signer.first(), x_signature=signer.first()["x-signature"] + " "),
        lambda signer: changed(signer.first(), x_signature_version="3"),
        lambda signer: changed(signer.first(), x_signature_version="2"),
        lambda signer: {**HOST, "x-signature-version": "1"},
    ],
)
def test_other_signatures_open_nothing(site: Site, forge: Callable[[Signer], dict[str, str]]) -> None:
    signer = registered(site)
    registered(site)
    refused = site.ask(MINE, peer=REMOTE, headers=forge(signer))
    assert (refused.status, code_of(refused)) == (401, "invalid_signature")


def test_a_signature_for_one_site_opens_no_other(build: Build) -> None:
    site = build()
    assert post(site, "/api/v1/events", {"type": "pageview", "site": "shop", "url": "https://s.example/"}).status == 202
    signer = registered(site)
    for target in ("/stats?site_id=shop", "/stats?site=shop"):
        for headers in (signer.first(), signer.first("shop")):
            assert site.ask(target, peer=REMOTE, headers=headers).status == 401
    assert site.ask("/stats?site_id=shop", peer=REMOTE, headers=signer.second("/stats?site_id=shop")).status == 404


def test_the_first_version_changes_nothing(site: Site) -> None:
    signer = registered(site, "admin")
    path = "/api/v1/sites/default/signing-keys"
    assert site.ask(f"{path}?site=default", peer=REMOTE, headers=signer.first()).status == 403
    refused = site.ask(f"{path}/{signer.key_id}", method="DELETE", peer=REMOTE, headers=signer.first())
    assert refused.status == 401


def test_the_second_version_passes_once(site: Site) -> None:
    signer = registered(site)
    headers = signer.second(MINE)
    assert site.ask(MINE, peer=REMOTE, headers=headers).status == 200
    again = site.ask(MINE, peer=REMOTE, headers=headers)
    assert (again.status, code_of(again), "before" in str(again.body)) == (401, "invalid_signature", True)


@pytest.mark.parametrize("nonce", ["a" * 32, "AB" * 32, "-_" * 11, "x" * 43 + "=", "A" * 22 + "=="])
def test_nonces_are_hex_or_base64url(site: Site, nonce: str) -> None:
    signer = registered(site)
    assert site.ask(MINE, peer=REMOTE, headers=signer.second(MINE, nonce=nonce)).status == 200


@pytest.mark.parametrize(
    "forge",
    [
        lambda signer: signer.second("/stats?site_id=shop"),
        lambda signer: signer.second("/stats"),
        lambda signer: signer.second(MINE, "POST"),
        lambda signer: signer.second(MINE, body=b"x"),
        lambda signer: signer.second(MINE, at=int(time.time()) - 301),
        lambda signer: signer.second(MINE, nonce="a" * 21),
        lambda signer: signer.second(MINE, nonce="a" * 65),
        lambda signer: signer.second(MINE, nonce="a" * 21 + "\x00"),
        lambda signer: changed(signer.second(MINE), x_nonce=secrets.token_urlsafe(16)),
        lambda signer: changed(signer.second(MINE), x_key_id=""),
        lambda signer: changed(signer.second(MINE), x_key_id="0" * 16),
        lambda signer: changed(signer.second(MINE), x_key_id=signer.key_id.upper() + "x"),
        lambda signer: changed(signer.second(MINE), x_timestamp=str(int(time.time()) + 1)),
        lambda signer: changed(new_signer().second(MINE), x_key_id=signer.key_id),
    ],
)
def test_other_signatures_of_the_second_version_open_nothing(
    site: Site, forge: Callable[[Signer], dict[str, str]]
) -> None:
    refused = site.ask(MINE, peer=REMOTE, headers=forge(registered(site)))
    assert (refused.status, code_of(refused)) == (401, "invalid_signature")


def test_the_second_version_changes_what_its_key_is_for(site: Site) -> None:
    reader, changer = registered(site), registered(site, "admin")
    path = f"/api/v1/sites/default/signing-keys/{reader.key_id}"
    assert site.ask(path, method="DELETE", peer=REMOTE, headers=reader.second(path, "DELETE")).status == 403
    assert site.ask(path, method="DELETE", peer=REMOTE, headers=changer.second(path, "DELETE")).status == 204
    assert site.ask(MINE, peer=REMOTE, headers=reader.second(MINE)).status == 401
    asked = msgspec.json.encode({"name": "child", "public_key": new_signer().public_hex, "scope": "admin"})
    target = "/api/v1/sites/default/signing-keys"
    forged = site.ask(
        target, method="POST", body=asked + b" ", peer=REMOTE, headers=changer.second(target, "POST", asked)
    )
    assert forged.status == 401, "the body is signed too"
    more = site.ask(target, method="POST", body=asked, peer=REMOTE, headers=changer.second(target, "POST", asked))
    assert more.status == 403, "keys make no keys"


QR = re.compile(r"<svg .*</svg>", re.DOTALL)


def test_a_pair_is_shown_once_and_signs(build: Build) -> None:
    site = build()
    page = site.ask("/pair/default", headers=site.admin)
    assert (page.status, "default-src 'none'" in header(page, "content-security-policy")) == (200, True)
    assert header(page, "cache-control") == "no-store"
    text = page.body.decode()
    assert QR.search(text)
    assert "<script" not in text
    assert " style=" not in text
    shown = json.loads(re.findall(r"<code>(\{.*?\})</code>", text)[0].replace("&quot;", '"'))
    assert (shown["base_url"], shown["site_id"]) == ("http://localhost:8000", "default")
    signer = Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(shown["private_key"])))
    assert site.ask(MINE, peer=REMOTE, headers=signer.first()).status == 200
    assert site.ask("/pair/default", headers=site.admin).status == 403
    assert shown["private_key"] not in str(site.app.store.execute("select * from signing_keys"))
    again = site.ask("/pair/default?force=true", headers=site.admin)
    assert again.status == 200
    assert site.ask(MINE, peer=REMOTE, headers=signer.first()).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "accept": "text/html"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "accept": "text/html"},
        {"accept": "text/html"},
        {"sec-fetch-site": "none", "sec-purpose": "prefetch", "accept": "text/html"},
    ],
)
def test_nobody_is_made_to_pair(site: Site, headers: dict[str, str]) -> None:
    browser = set_up(site)
    browser.peer = LOCAL
    page = browser.ask("GET", "/pair/default?force=true", headers=headers)
    assert page.status == 200
    assert b"<svg" not in page.body
    assert body_of(site.ask("/debug/auth-status/default", headers=site.admin))["is_locked"] is False
    link = re.findall(r'href="(/pair/[^"]+)"', page.body.decode())[0].replace("&amp;", "&")
    wrong = browser.ask("GET", link[:-1] + "x", headers={"accept": "text/html"})
    assert b"<svg" not in wrong.body
    assert b"<svg" in browser.ask("GET", link, headers={"accept": "text/html"}).body


def test_a_look_at_the_head_pairs_nothing(site: Site) -> None:
    assert site.ask("/pair/default", method="HEAD", headers=site.admin).status == 200
    assert body_of(site.ask("/debug/auth-status/default", headers=site.admin))["is_locked"] is False


def test_the_address_in_a_pair_is_never_a_strangers_host(build: Build) -> None:
    site = build()
    refused = site.ask("/pair/default", peer=REMOTE, headers=site.admin | {"host": "evil.example"})
    assert (refused.status, code_of(refused)) == (409, "no_public_url")
    assert body_of(site.ask("/debug/auth-status/default", headers=site.admin))["is_locked"] is False


def test_what_was_made_and_revoked_is_in_the_audit_log(site: Site) -> None:
    first, second = registered(site), registered(site)
    site.ask(f"/api/v1/sites/default/signing-keys/{first.key_id}", method="DELETE", headers=site.admin)
    site.ask("/pair/default?force=true", headers=site.admin)
    rows = site.app.store.execute("select name, action, site_id, detail from audit order by id")
    actions = ["signing_key.added", "signing_key.added", "signing_key.revoked", "signing_key.paired"]
    assert [(row[0], row[1], row[2]) for row in rows[1:]] == [("operator", action, 1) for action in actions]
    assert second.key_id in str(rows[2][3])
