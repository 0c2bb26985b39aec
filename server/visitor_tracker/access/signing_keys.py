"""The public keys with which programs sign for a site, and how they come to be: registered, or made here as a pair."""

import re
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from visitor_tracker.access.audit import Audit
from visitor_tracker.access.makers import Makers
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.sites import Site
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.signing import SigningKey, SigningKeyTable
from visitor_tracker.store.sql import SqlStore

SigningScope = Literal["read", "admin"]

MOST = 20  # keys of a site: a version 1 signature names none, so each is tried
_HEX = re.compile(r"[0-9A-Fa-f]{64}").fullmatch


class SigningKeys:
    """Any thread. Methods raise HttpError and what stores do; `clock` is epoch ms."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._table = SigningKeyTable(store.database)
        self._makers = Makers(store)
        self._clock = clock

    def all(self) -> list[SigningKey]:
        """Return every key, the oldest first."""
        return self._table.all()

    def of_site(self, site: Site) -> list[SigningKey]:
        """Return a site's keys, the oldest first."""
        return self._table.of_site(site.id)

    def register(  # noqa: PLR0913 - the rest by keyword
        self, audit: Audit, who: Who, site: Site, public_key: bytes, *, name: str, scope: SigningScope, most: int = MOST
    ) -> SigningKey:
        """Take a site's next key; raises HttpError 400 for what is none, 403, and 409 where there are enough."""
        key = self._key(who, site, public_key, name, scope)
        note = audit.row(who, "signing_key.added", site_id=site.id, target=name, detail=_detail(key))
        try:
            is_added = self._table.add(key, note, most=most)
        except DuplicateKey:
            raise HttpError(409, "known_key", "this key is registered already", "make another pair") from None
        if not is_added:
            raise HttpError(
                409,
                "too_many_keys",
                f"the site has {most} {'key' if most == 1 else 'keys'} already",
                "revoke one first",
            )
        return key

    def pair(  # noqa: PLR0913 - the rest by keyword
        self,
        audit: Audit,
        who: Who,
        site: Site,
        *,
        name: str = "paired",
        scope: SigningScope = "read",
        alone: bool = True,
        replace: bool = False,
    ) -> tuple[SigningKey, bytes]:
        """Make a pair and return its public key as it is stored, and the private one, which is kept nowhere.

        `alone`: HttpError 403 where the site has any key; `replace`: all of these are worthless after it.
        """
        private = Ed25519PrivateKey.generate()
        key = self._key(who, site, private.public_key().public_bytes_raw(), name, scope)
        note = audit.row(who, "signing_key.paired", site_id=site.id, target=key.name, detail=_detail(key))
        if replace:
            self._table.replace(key, note)
        elif not self._table.add(key, note, most=1 if alone else MOST):
            raise _paired(site) if alone else _enough(MOST)
        return key, private.private_bytes_raw()

    def revoke(self, audit: Audit, who: Who, site_id: int, key_id: str) -> bool:
        """Make a key worthless; False: the site has none with that id."""
        note = audit.row(who, "signing_key.revoked", site_id=site_id, target=key_id)
        return self._table.revoke(key_id, site_id, note)

    def _key(self, who: Who, site: Site, public_key: bytes, name: str, scope: SigningScope) -> SigningKey:
        user_id = self._makers.id_of(who)
        if user_id is None:
            raise HttpError(403, "forbidden", f"{who.name} may not register keys", "log in, and do it there")
        return SigningKey(key_id(site, public_key), site.id, public_key, name, scope, user_id, self._clock())


def key_id(site: Site, public_key: bytes) -> str:
    """Return what a key is called in X-Key-Id: the same whenever it is registered for the site."""
    return blake2b(site.seed + public_key, digest_size=8, person=b"signing-key").hexdigest()


def public_key_of(text: str) -> bytes:
    """Return the 32 bytes of a public key in hex; raises HttpError 400 for what is none."""
    if _HEX(text):
        raw = bytes.fromhex(text)
        try:
            Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            pass
        else:
            if not _is_weak(raw):
                return raw
    raise HttpError(400, "invalid_key", "this is no public key", "send the 32 bytes of an Ed25519 key as 64 hex digits")


def _is_weak(public_key: bytes) -> bool:
    """Say whether a point has small order, or two spellings: under such a key one signature fits every message."""
    number = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    return number >= _PRIME or number in _SMALL_ORDER


def _enough(most: int) -> HttpError:
    keys = "a key" if most == 1 else f"{most} keys"
    return HttpError(409, "too_many_keys", f"the site has {keys} already", "revoke one first")


def _paired(site: Site) -> HttpError:
    return HttpError(
        403,
        "already_paired",
        f"the site {site.name} is paired already",
        "add ?force=true to make a new pair: what signs with the old key is refused from then on",
    )


def _detail(key: SigningKey) -> dict[str, object]:
    return {"id": key.id, "scope": key.scope}


_PRIME = 2**255 - 19
# y of the points of order 1, 2, 4 and 8 (both signs of x share it).
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x5FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    }
)
