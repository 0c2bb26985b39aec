"""How often somebody may try to log in: token buckets per address and per account, shared by all nodes of a store.

Both are found under a keyed hash: who reads the store learns neither addresses nor names. Nobody is locked out for
good: a bucket that was emptied by strangers gives one attempt again within a minute, and a browser in which somebody
has logged in before has a bucket of its own (see `device`).
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from visitor_tracker.errors import HttpError
from visitor_tracker.store.logins import Bucket, ThrottleTable
from visitor_tracker.store.sql import SqlStore

COOKIE: Final = "vt_device"

_ID_BYTES = 16
_BURST = 10  # attempts at once
_ADDRESS_MS = 20_000  # until an address has one more
_ACCOUNT_MS = 60_000  # until an account has
_MAX_AGE_SECONDS = 400 * 86_400
_TEXT_LENGTH = 43  # of 32 bytes in base64url without padding


class Taken(NamedTuple):
    """The buckets that an attempt was taken from, by id; `account` is b"" for one at no account."""

    address: bytes
    account: bytes


class Throttle:
    """Methods raise what the store raises; any thread."""

    def __init__(
        self, store: SqlStore, secret: bytes, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """`secret` is the server's; `clock` is epoch ms."""
        self._table = ThrottleTable(store.database)
        self._key = blake2b(blake2b(secret, digest_size=64).digest(), digest_size=32, person=b"login-throttle").digest()
        self._clock = clock

    def take(self, address: str, account: bytes = b"", device: bytes = b"") -> Taken:
        """Count an attempt and return what `reset` needs when it succeeds; raises HttpError 429.

        `account` is the digest of its name, b"" for attempts at no account; `device` what `device` returned for it.
        """
        kind = b"device" if device else b"account"
        taken = Taken(
            self._id(b"address", _network(address).encode()), self._id(kind, account + device) if account else b""
        )
        buckets = [Bucket(taken.address, _ADDRESS_MS, _ADDRESS_MS * (_BURST - 1))]
        if account:
            buckets.append(Bucket(taken.account, _ACCOUNT_MS, _ACCOUNT_MS * (_BURST - 1)))
        buckets.sort()  # of two that lock both, one waits
        if wait := self._table.take(buckets, self._clock()):
            seconds = -(-wait // 1000)
            raise HttpError(
                429, "too_many_attempts", "too many attempts to log in", f"wait {seconds} s", retry_after=seconds
            )
        return taken

    def reset(self, taken: Taken) -> None:
        """Forget the attempts at the account, because one has succeeded; the address gets that one back.

        No more than that: who has an account could else guess at all others from one address, with a success of
        their own now and then.
        """
        self._table.reset(taken.account, taken.address, _ADDRESS_MS)

    def give_back(self, taken: Taken) -> None:
        """Take an attempt as not made, because nobody had the time to judge it."""
        self._table.give_back({taken.address: _ADDRESS_MS, taken.account: _ACCOUNT_MS})

    def device(self, header: str, account: bytes) -> bytes:
        """Return the id of a browser that logged in to that account before, by its Cookie header; else b""."""
        for pair in header.split(";") if COOKIE in header else ():
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE and (found := self._read(value.strip(), account)):
                return found
        return b""

    def device_header(self, account: bytes, *, secure: bool) -> tuple[str, str]:
        """Return the header by which a browser that has logged in to an account is known again."""
        made = secrets.token_bytes(_ID_BYTES)
        text = base64.urlsafe_b64encode(made + self._tag(made, account)).decode().rstrip("=")
        cookie = f"{COOKIE}={text}; Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
        return "Set-Cookie", f"{cookie}; Secure" if secure else cookie

    def _read(self, text: str, account: bytes) -> bytes:
        if len(text) != _TEXT_LENGTH or not text.isascii():
            return b""
        try:
            raw = base64.b64decode(text + "=", altchars=b"-_", validate=True)
        except binascii.Error:
            return b""
        made, tag = raw[:_ID_BYTES], raw[_ID_BYTES:]
        return made if hmac.compare_digest(tag, self._tag(made, account)) else b""

    def _tag(self, made: bytes, account: bytes) -> bytes:
        return self._id(b"device-tag", made + account)

    def _id(self, kind: bytes, what: bytes) -> bytes:
        return blake2b(what, digest_size=_ID_BYTES, key=self._key, person=kind).digest()


def _network(address: str) -> str:
    """Return the /64 of an IPv6 address: one household or host has at least that much to choose from."""
    try:
        return IPv6Address(address.partition("%")[0]).packed[:8].hex()
    except ValueError:
        return address
