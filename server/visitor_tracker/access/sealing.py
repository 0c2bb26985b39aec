"""What the server must read again and nobody else may: under AES-256-GCM (NIST SP 800-38D) by a key of its secret."""

import secrets
from hashlib import blake2b

from visitor_tracker.errors import TrackerError

_NONCE_BYTES = 12


class SealBroken(TrackerError):
    """It was sealed under another server.secret_key, or for another place."""


class Sealer:
    """Any thread. `what` tells the keys of different uses apart."""

    def __init__(self, secret: bytes, what: bytes) -> None:
        """`what` has 16 bytes at most."""
        self._key = blake2b(blake2b(secret, digest_size=64).digest(), digest_size=32, person=what).digest()

    def seal(self, value: bytes, place: bytes) -> bytes:
        """Return it sealed; it can be opened for the same place only."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # few processes need it

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, value, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return what was sealed; raises SealBroken."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise SealBroken("it was stored under another server.secret_key") from None
