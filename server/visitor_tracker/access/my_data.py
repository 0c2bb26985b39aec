"""Tokens with which a visitor reads and erases what is stored of itself, for an hour.

A token is base64url of version ‖ site (8 bytes) ‖ expiry (epoch ms, 8 bytes) ‖ visitors (16 bytes each) ‖ tag (16
bytes); the tag is a keyed BLAKE2b (RFC 7693) of what is before it. Nothing has to be stored for it.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct

import msgspec

LASTS_MS = 3_600_000
_HEAD = Struct(">BQQ")
_VERSION = 1
_HASH_BYTES = _TAG_BYTES = 16
_MOST_VISITORS = 4
_MOST_TEXT = 200


class Claim(msgspec.Struct, frozen=True):
    """What a valid token says."""

    site_id: int
    visitors: tuple[bytes, ...]


class MyDataTokens:
    """Makes and reads tokens under one secret; frozen, so any thread may use it."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(secret, digest_size=32, person=b"my-data").digest()

    def issue(self, site_id: int, visitors: Sequence[bytes], now: int) -> tuple[str, int]:
        """Return a token and when it expires; both times are epoch ms."""
        expires = now + LASTS_MS
        claim = _HEAD.pack(_VERSION, site_id, expires) + b"".join(visitors[:_MOST_VISITORS])
        return base64.urlsafe_b64encode(claim + self._tag(claim)).decode().rstrip("="), expires

    def read(self, text: str, now: int) -> Claim | None:
        """Return what a token says; None for one that is not ours, or over."""
        if len(text) > _MOST_TEXT or not text.isascii():
            return None
        try:
            found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        claim, tag = found[:-_TAG_BYTES], found[-_TAG_BYTES:]
        if len(claim) < _HEAD.size + _HASH_BYTES or (len(claim) - _HEAD.size) % _HASH_BYTES:
            return None
        if not hmac.compare_digest(self._tag(claim), tag):
            return None
        version, site_id, expires = _HEAD.unpack_from(claim)
        if version != _VERSION or now >= expires:
            return None
        places = range(_HEAD.size, len(claim), _HASH_BYTES)
        return Claim(site_id, tuple(claim[place : place + _HASH_BYTES] for place in places))

    def _tag(self, claim: bytes) -> bytes:
        return blake2b(claim, digest_size=_TAG_BYTES, key=self._key).digest()
