"""The visitor cookie of the policy `cookie`: a random id that only this server can have given.

Its text is id(16) ‖ tag(16) in base64url; the tag is a keyed BLAKE2b (RFC 7693) of the id, so nobody can make up
visitors. What is stored is never the id but its hash.
"""

import base64
import binascii
import hmac
import secrets
from hashlib import blake2b

NAME = "vt_visitor"
MAX_AGE_SECONDS = 400 * 86_400  # browsers keep no cookie longer, RFC 6265bis, 5.5
ID_BYTES = 16

_TAG_BYTES = 16
_TEXT_LENGTH = 43  # of 32 bytes in base64url without padding
_MOST_TRIED = 4  # cookies of one request that bear our name; other paths and hosts may have set some


class VisitorCookies:
    """Gives and reads visitor cookies under one secret; frozen, so any thread may use it."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(secret, digest_size=32, person=b"visitor-cookie").digest()

    def issue(self) -> tuple[bytes, str]:
        """Return a new id and the cookie's value for it."""
        made = secrets.token_bytes(ID_BYTES)
        return made, self._text(made)

    def verify(self, value: str) -> bytes | None:
        """Return the id, or None when the value is not one that this server gave."""
        if len(value) != _TEXT_LENGTH or not value.isascii():
            return None
        try:
            found = base64.b64decode(value + "=", altchars=b"-_", validate=True)[:ID_BYTES]
        except binascii.Error:
            return None
        # Whole texts are compared: base64 has more than one text for the same bytes.
        return found if hmac.compare_digest(self._text(found), value) else None

    def read(self, header: str) -> bytes | None:
        """Return the id that a Cookie header brings, or None."""
        if NAME not in header:
            return None
        tried = 0
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == NAME:
                found = self.verify(value.strip())
                tried += 1
                if found or tried == _MOST_TRIED:
                    return found
        return None

    def header(self, value: str, *, secure: bool) -> str:
        """Return the text of Set-Cookie; `secure` is whether the request came by https."""
        cookie = f"{NAME}={value}; Max-Age={MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
        return f"{cookie}; Secure" if secure else cookie

    def _text(self, id: bytes) -> str:
        tag = blake2b(id, digest_size=_TAG_BYTES, key=self._key).digest()
        return base64.urlsafe_b64encode(id + tag).decode().rstrip("=")
