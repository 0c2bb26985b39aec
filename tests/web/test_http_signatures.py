"""HTTP Message Signatures, RFC 9421, by the library that most programs have."""

import re
import secrets
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import http_message_signatures as rfc9421
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.web.conftest import REMOTE, Build, Site
from tests.web.signers import HOST, MINE, Signer, changed, code_of, new_signer, registered
from visitor_tracker.http.message import Peer


class Keys(rfc9421.HTTPSignatureKeyResolver):
    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return self._signer.private


@dataclass(frozen=True)
class Message:
    method: str
    url: str
    headers: dict[str, str]


TARGET_URI = ("@method", "@target-uri")
PATH_AND_QUERY = ("@method", "@path", "@query")


def standard(  # noqa: PLR0913
    signer: Signer,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    covered: tuple[str, ...] = TARGET_URI,
    base: str = "http://stats.example.com",
    **parameters: object,
) -> dict[str, str]:
    message = Message(method, base + target, dict(HOST))
    given: dict[str, object] = {"nonce": secrets.token_urlsafe(16)} | parameters
    rfc9421.HTTPMessageSigner(signature_algorithm=rfc9421.algorithms.ED25519, key_resolver=Keys(signer)).sign(
        message,
        key_id=signer.key_id,
        covered_component_ids=covered,
        body=body or None,
        **given,  # type: ignore[arg-type]
    )
    return {name.lower(): value for name, value in message.headers.items()}


@pytest.mark.parametrize("covered", [TARGET_URI, PATH_AND_QUERY, ("@method", "@request-target", "host")])
def test_http_message_signatures_open_what_their_key_is_for(site: Site, covered: tuple[str, ...]) -> None:
    signer = registered(site)
    headers = standard(signer, MINE, covered=covered)
    assert site.ask(MINE, peer=REMOTE, headers=headers).status == 200
    assert site.ask(MINE, peer=REMOTE, headers=headers).status == 401, "once"


def test_http_message_signatures_know_the_address_that_the_settings_tell(build: Build) -> None:
    site = build()
    signer = registered(site)
    secure = Peer("192.0.2.7", secure=True)
    headers = standard(signer, MINE, base="https://stats.example.com")
    assert site.ask(MINE, peer=secure, headers=headers).status == 200
    headers = standard(signer, MINE, base="https://stats.example.com")
    assert site.ask(MINE, peer=REMOTE, headers=headers).status == 401
    behind = build(server=replace(site.app.config.server, public_url="https://stats.example.com/"))
    assert behind.ask(MINE, peer=REMOTE, headers=headers).status == 200


@pytest.mark.parametrize(
    ("covered", "parameters"),
    [
        (("@method",), {}),
        (("@method", "@path"), {}),
        (("@path", "@query"), {}),
        (("@target-uri",), {}),
        (TARGET_URI, {"nonce": None}),
        (TARGET_URI, {"nonce": "short"}),
        (TARGET_URI, {"nonce": 'a"b' * 10}),
    ],
)
def test_http_message_signatures_must_cover_enough(
    site: Site, covered: tuple[str, ...], parameters: dict[str, Any]
) -> None:
    headers = standard(registered(site), MINE, covered=covered, **parameters)
    refused = site.ask(MINE, peer=REMOTE, headers=headers)
    assert (refused.status, code_of(refused)) == (401, "invalid_signature")


@pytest.mark.parametrize(
    "forge",
    [
        lambda signer: standard(signer, "/stats?site_id=shop"),
        lambda signer: standard(signer, MINE, method="POST"),
        lambda signer: standard(signer, MINE, base="http://other.example"),
        lambda signer: standard(Signer(new_signer().private, signer.key_id), MINE),
        lambda signer: standard(Signer(signer.private, "0" * 16), MINE),
        lambda signer: changed(standard(signer, MINE), signature="pyhms=:AAAA:"),
        lambda signer: {name: text for name, text in standard(signer, MINE).items() if name != "signature"},
        lambda signer: changed(standard(signer, MINE), signature_input="("),
        lambda signer: changed(standard(signer, MINE), signature_input="x" * 5000),
        lambda signer: twice(standard(signer, MINE)),
        lambda signer: older(standard(signer, MINE)),
        lambda signer: standard(signer, MINE, created=datetime.now(UTC) - timedelta(seconds=301)),
        lambda signer: standard(signer, MINE, created=datetime.now(UTC) + timedelta(seconds=302)),
        lambda signer: standard(signer, MINE, expires=datetime.now(UTC) - timedelta(seconds=1)),
    ],
)
def test_other_http_message_signatures_open_nothing(site: Site, forge: Callable[[Signer], dict[str, str]]) -> None:
    refused = site.ask(MINE, peer=REMOTE, headers=forge(registered(site)))
    assert (refused.status, code_of(refused)) == (401, "invalid_signature")


def older(headers: dict[str, str]) -> dict[str, str]:
    changed_input = re.sub("created=[0-9]+", f"created={int(time.time()) - 1}", headers["signature-input"])
    return headers | {"signature-input": changed_input}


def twice(headers: dict[str, str]) -> dict[str, str]:
    return headers | {name: f"{headers[name]}, b{headers[name]}" for name in ("signature", "signature-input")}


def test_a_body_is_covered_by_its_digest(site: Site) -> None:
    signer = registered(site, "admin")
    reader = registered(site)
    target = f"/api/v1/sites/default/signing-keys/{reader.key_id}"
    body = b'{"a": 1}'
    signed = standard(signer, target, method="DELETE", body=body)
    for forged in (b'{"a": 2}', b""):
        assert site.ask(target, method="DELETE", body=forged, peer=REMOTE, headers=signed).status == 401
    bare = standard(signer, target, method="DELETE")
    assert site.ask(target, method="DELETE", body=body, peer=REMOTE, headers=bare).status == 401
    digest = {"content-digest": f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"}
    assert site.ask(target, method="DELETE", body=body, peer=REMOTE, headers=bare | digest).status == 401
    assert site.ask(target, method="DELETE", body=body, peer=REMOTE, headers=signed).status == 204
