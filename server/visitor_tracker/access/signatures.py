"""Requests that are signed with Ed25519 (RFC 8032): the public keys, and three ways to sign.

    version  what is signed                                                            opens
    1        site_id:timestamp                                                         reads, for five minutes each
    2        method, path and query, digest of the body, timestamp, nonce              what the key is for, once
    3        the components of HTTP Message Signatures, RFC 9421 (`http_signatures`)   what the key is for, once

Version 1 is what clients of an older tracker send; who overhears such a request can repeat it until its time is over.
A version 2 request is taken once: its nonce stays in the store as long as its timestamp would be taken.

What costs nothing is looked at first, then the store is asked, then the signature is verified, and only then something
is written: a stranger's headers are refused before that.
"""

import re
import time
from collections.abc import Callable
from hashlib import blake2b, sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from visitor_tracker.access.http_signatures import is_signed, read_signature, refused
from visitor_tracker.access.last_use import LastUse
from visitor_tracker.access.makers import Makers, lent
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.message import Request
from visitor_tracker.http.url import parse_query
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.signing import NonceTable, SigningKey, SigningKeyTable
from visitor_tracker.store.sql import SqlStore

WINDOW_SECONDS = 300  # that a timestamp may be off, either way

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}").fullmatch
_SIGNATURE = re.compile(r"[0-9A-Fa-f]{128}").fullmatch
_KEY_ID = re.compile(r"[0-9a-f]{16}").fullmatch
_NONCE = re.compile(r"(?:[0-9A-Fa-f]{2}){16,32}|[A-Za-z0-9_-]{22,43}={0,2}").fullmatch


class Signatures:
    """Any thread. `clock` is epoch ms; `public_url` is the address of this server, "" where nobody told it."""

    def __init__(
        self,
        store: SqlStore,
        snapshot: Callable[[], Snapshot],
        public_url: str = "",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._keys = SigningKeyTable(store.database)
        self._nonces = NonceTable(store.database)
        self._makers = Makers(store)
        self._snapshot = snapshot
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self.uses = LastUse(self._keys.used)

    def identify(self, request: Request) -> Who | None:
        """Return who signed a request, None where nobody did; raises HttpError 401 and what stores do."""
        headers = request.headers
        if is_signed(request):
            return self._by_standard(request)
        if "x-signature" not in headers and "x-signature-version" not in headers:
            return None
        version = headers.get("x-signature-version", "1")
        if version not in ("1", "2"):
            raise refused("there is no such version of signatures", "send  X-Signature-Version: 1  or  2")
        timestamp, signature = headers.get("x-timestamp", ""), headers.get("x-signature", "")
        if not _SIGNATURE(signature):
            raise refused("X-Signature is no signature", "send the 64 bytes of Ed25519 as 128 hex digits")
        self._check_time(timestamp)
        if version == "1":
            return self._first(request, timestamp, bytes.fromhex(signature))
        return self._second(request, timestamp, bytes.fromhex(signature))

    def renewed(self, who: Who) -> Who | None:
        """Return who signed earlier as somebody who reads, by what the key opens now; None: nothing any more.

        For what goes on after the request: a signature passes once.
        """
        key = self._keys.find(who.id)
        try:
            return None if key is None else self._who(key, "read")
        except HttpError:
            return None

    def _first(self, request: Request, timestamp: str, signature: bytes) -> Who:
        if request.method not in _SAFE_METHODS:
            raise refused("such a signature opens reads only", "sign with version 2, see docs/authentication.md")
        name, site = self._site_of(request)
        text = text_1(name, timestamp)
        for key in self._keys.of_site(site.id):
            if verifies(key.public_key, signature, text):
                return self._who(key, "read")
        raise refused("the signature is of none of the site's keys")

    def _second(self, request: Request, timestamp: str, signature: bytes) -> Who:
        nonce, key_id = request.headers.get("x-nonce", ""), request.headers.get("x-key-id", "")
        if not _NONCE(nonce):
            raise refused("X-Nonce is no nonce", "send 16 to 32 random bytes in hex or base64url")
        key = self._key(key_id)
        if not verifies(key.public_key, signature, text_2(request, timestamp, nonce)):
            raise refused("the signature is not of that key over this request")
        self._take(key, nonce, int(timestamp))
        return self._who(key, key.scope)

    def _by_standard(self, request: Request) -> Who:
        found = read_signature(request)
        self._check_time(str(found.created))
        if found.expires is not None and found.expires * 1000 <= self._clock():
            raise refused("the signature has expired")
        key = self._key(found.key_id)
        found.verify(key.public_key, self._public_url)
        self._take(key, found.nonce, found.created)
        return self._who(key, key.scope)

    def _check_time(self, timestamp: str) -> None:
        if not _TIMESTAMP(timestamp):
            raise refused("the request has no timestamp", "send the time in whole seconds since 1970")
        if abs(self._clock() - int(timestamp) * 1000) > WINDOW_SECONDS * 1000:
            raise refused(
                "the timestamp is too far from now", f"set the clock: it may be off by {WINDOW_SECONDS} seconds"
            )

    def _key(self, key_id: str) -> SigningKey:
        key = self._keys.find(key_id) if _KEY_ID(key_id) else None
        if key is None:
            raise refused("the signature is of no key that is known here", "name the key by the id it was given here")
        return key

    def _site_of(self, request: Request) -> tuple[str, Site]:
        """Return the site that a query names, and how it does; a query that names none means the first one."""
        try:
            fields = parse_query(request.query)
        except ValueError as error:
            raise HttpError(400, "invalid_query", str(error)) from error
        snapshot = self._snapshot()
        name = fields.get("site_id") or fields.get("site") or ""
        site = snapshot.by_name.get(name) if name else snapshot.by_id.get(DEFAULT_SITE)
        if site is None:
            raise refused("the signature is of none of the site's keys")
        return name or site.name, site

    def _take(self, key: SigningKey, nonce: str, timestamp: int) -> None:
        """Let a signature pass once; raises HttpError 401 the second time."""
        digest = blake2b(f"{key.id}\n{nonce}".encode(), digest_size=32).digest()
        if not self._nonces.take(digest, (timestamp + WINDOW_SECONDS) * 1000):
            raise refused("this request was made before", "sign each request with a nonce of its own")

    def _who(self, key: SigningKey, scope: str) -> Who:
        maker = self._makers.who(key.user_id)
        if maker is None or key.site_id not in self._snapshot().by_id:
            raise refused("the signature is of no key that is known here")
        self.uses.note(key.id, self._clock())
        return lent(maker, Who("signature", key.name, key.id), key.site_id, "admin" if scope == "admin" else "read")


def text_1(site: str, timestamp: str) -> bytes:
    """Return what version 1 signs."""
    return f"{site}:{timestamp}".encode()


def text_2(request: Request, timestamp: str, nonce: str) -> bytes:
    """Return what version 2 signs: six lines, no line feed behind the last."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    digest = sha256(request.body).hexdigest()
    return "\n".join(("VT2", request.method, target, digest, timestamp, nonce)).encode()


def verifies(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """Say whether a signature is that of a text."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
