"""Programs with keys, and what they send."""

import json
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.web.conftest import Site
from visitor_tracker.http.message import Response

HOST = {"host": "stats.example.com"}
MINE = "/stats?site_id=default"


@dataclass(frozen=True)
class Signer:
    """A program with a registered key."""

    private: Ed25519PrivateKey
    key_id: str = ""

    @property
    def public_hex(self) -> str:
        return self.private.public_key().public_bytes_raw().hex()

    def first(self, site: str = "default", at: int | None = None) -> dict[str, str]:
        timestamp = str(int(time.time()) if at is None else at)
        return {
            **HOST,
            "x-timestamp": timestamp,
            "x-signature": self.private.sign(f"{site}:{timestamp}".encode()).hex(),
        }

    def second(
        self, target: str, method: str = "GET", body: bytes = b"", *, at: int | None = None, nonce: str = ""
    ) -> dict[str, str]:
        timestamp, nonce = str(int(time.time()) if at is None else at), nonce or secrets.token_urlsafe(16)
        text = "\n".join(("VT2", method, target, sha256(body).hexdigest(), timestamp, nonce))
        return {
            **HOST,
            "x-signature-version": "2",
            "x-timestamp": timestamp,
            "x-nonce": nonce,
            "x-key-id": self.key_id,
            "x-signature": self.private.sign(text.encode()).hex(),
        }


def new_signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def body_of(response: Response) -> dict[str, object]:
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


def code_of(response: Response) -> str:
    return str(json.loads(response.body)["error"]["code"])


def post(site: Site, target: str, body: object, **more: object) -> Response:
    return site.ask(target, method="POST", body=msgspec.json.encode(body), **more)  # type: ignore[arg-type]


def registered(site: Site, scope: str = "read", name: str = "default") -> Signer:
    """Register a key of a site as its owner would."""
    signer = new_signer()
    asked = {"name": f"robot-{signer.public_hex[:8]}", "public_key": signer.public_hex, "scope": scope}
    made = post(site, f"/api/v1/sites/{name}/signing-keys", asked, headers=site.admin)
    assert made.status == 201, made.body
    return Signer(signer.private, str(body_of(made)["id"]))


def changed(headers: dict[str, str], **changes: str) -> dict[str, str]:
    return headers | {name.replace("_", "-"): value for name, value in changes.items()}
