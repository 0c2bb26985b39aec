"""Sign requests with Ed25519, as docs/authentication.md says; the key never travels."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_NONCE_BYTES = 16


@dataclass(frozen=True)
class SigningKey:
    """A private key; with the `key_id` that the server gave it, requests are signed whole (version 2).

    Without one only the site and the time are (version 1, of an earlier tracker), which opens reads.
    """

    private_key: str = field(repr=False)  # 32 bytes as 64 hex digits
    key_id: str = ""

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key, which no server knows yet."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw().hex())

    @property
    def public_key(self) -> str:
        """What the server is told of it: 64 hex digits."""
        return self._key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def headers(
        self, method: str, target: str, body: bytes, *, site: str = "default", now: Callable[[], float] = time.time
    ) -> dict[str, str]:
        """Return the headers that sign a request for this target (path and query); raises ValueError for a bad key."""
        timestamp = str(int(now()))
        if not self.key_id:
            text = f"{site}:{timestamp}"
            return {"X-Timestamp": timestamp, "X-Signature": self._signed(text)}
        nonce = token_hex(_NONCE_BYTES)
        text = "\n".join(("VT2", method, target, sha256(body).hexdigest(), timestamp, nonce))
        return {
            "X-Signature-Version": "2",
            "X-Key-Id": self.key_id,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": self._signed(text),
        }

    def _signed(self, text: str) -> str:
        return self._key().sign(text.encode()).hex()

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private_key))
