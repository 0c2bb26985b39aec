"""Links by which somebody who gets a report by mail says that he wants no more of it, without an account.

A token is base64url of site (8 bytes) ‖ schedule (16) ‖ recipient (16) ‖ tag (16); the tag is a keyed BLAKE2b (RFC
7693) of what is before it. It does not expire: mails are kept for years, and their links should work.
"""

import base64
import binascii
import hmac
from hashlib import blake2b
from struct import Struct

import msgspec

from visitor_tracker.access.keyed import key_for

_BODY = Struct(">Q16s16s")
_TAG_BYTES = 16
_TEXT = 75  # characters: 56 bytes


class Recipient(msgspec.Struct, frozen=True):
    """Whose mails of which schedule a token is about; the recipient is the digest of an address."""

    site_id: int
    schedule_id: bytes
    recipient: bytes


class UnsubscribeTokens:
    """Makes and reads tokens under the server's secret; frozen, so any thread may use it."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = key_for(secret, b"unsubscribe")

    def make(self, who: Recipient) -> str:
        body = _BODY.pack(who.site_id, who.schedule_id, who.recipient)
        return base64.urlsafe_b64encode(body + self._tag(body)).decode().rstrip("=")

    def read(self, text: str) -> Recipient | None:
        """Return what a token says; None for one that is not ours."""
        if len(text) != _TEXT or not text.isascii():
            return None
        try:
            found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        body, tag = found[:-_TAG_BYTES], found[-_TAG_BYTES:]
        if len(body) != _BODY.size or not hmac.compare_digest(self._tag(body), tag):
            return None
        return Recipient(*_BODY.unpack(body))

    def _tag(self, body: bytes) -> bytes:
        return blake2b(body, digest_size=_TAG_BYTES, key=self._key).digest()
