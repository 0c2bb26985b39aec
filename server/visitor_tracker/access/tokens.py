"""Signed tokens: the security token of a counted visit, and the token that opens reads.

A security token is 32 bytes, written as 64 hex digits as pages of older counters expect it: visit count
(8 bytes), moment in epoch ms (8 bytes), and a keyed BLAKE2b-128 (RFC 7693) over both and the page. It
proves that this server gave this page this number at that moment; nothing has to be stored for it.
"""

import hmac
from collections.abc import Callable
from hashlib import blake2b
from struct import Struct

import msgspec

_CLAIM = Struct(">QQ")
_MAC_BYTES = 16


class Claim(msgspec.Struct, frozen=True):
    """What a valid security token says; `at` is epoch milliseconds."""

    visit_count: int
    at: int


class TokenSigner:
    """Signs and checks with one key; frozen, so any thread may use it."""

    __slots__ = ("_fresh",)

    def __init__(self, key: bytes) -> None:
        base = blake2b(key=blake2b(key, digest_size=32).digest(), digest_size=_MAC_BYTES, person=b"visit-token")
        self._fresh: Callable[[], blake2b] = base.copy

    def sign(self, page_hash: bytes, visit_count: int, at: int) -> str:
        """Return the token of one counted visit, 64 hex digits."""
        claim = _CLAIM.pack(visit_count, at)
        mac = self._fresh()
        mac.update(page_hash + claim)
        return (claim + mac.digest()).hex()

    def verify(self, page_hash: bytes, token: str) -> Claim | None:
        """Return what the token says, or None when it is not ours or was made for another page."""
        if len(token) != 2 * (_CLAIM.size + _MAC_BYTES):
            return None
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            return None
        if len(raw) != _CLAIM.size + _MAC_BYTES:  # fromhex skips white space
            return None
        claim = raw[: _CLAIM.size]
        mac = self._fresh()
        mac.update(page_hash + claim)
        if not hmac.compare_digest(mac.digest(), raw[_CLAIM.size :]):
            return None
        return Claim(*_CLAIM.unpack(claim))


class ReadToken:
    """The token that opens reads to clients from elsewhere, until there are accounts."""

    __slots__ = ("text",)

    def __init__(self, secret: bytes) -> None:
        self.text = secret.hex()

    def matches(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.text.encode())
