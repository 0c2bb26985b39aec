"""API keys: what each lets a program do, now.

    scope    lets a program
    ingest   say for whom it sends (client address, user agent, time)
    read     read the numbers and visits of its site, or of all
    admin    do what an owner of its site may; of all sites: what who made it may

A key is "vt_" and 32 random bytes in base64url (see `send_keys`), shown once and found by its digest. A key that an
account made never lets a program do more than that account may at this moment.
"""

import time
from collections.abc import Callable, Collection
from typing import get_args

from visitor_tracker.access import send_keys
from visitor_tracker.access.audit import Audit
from visitor_tracker.access.last_use import LastUse
from visitor_tracker.access.makers import Makers, lent
from visitor_tracker.access.who import Scope, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.sites import SendKey
from visitor_tracker.store.api_keys import ApiKey, ApiKeyTable
from visitor_tracker.store.sql import SqlStore

MOST = 200  # keys of one maker
_ID_DIGITS = 16


class ApiKeys:
    """Any thread. `clock` is epoch ms. Methods raise what stores do."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._table = ApiKeyTable(store.database)
        self._makers = Makers(store)
        self._clock = clock
        self.uses = LastUse(self._table.used)

    def all(self) -> list[ApiKey]:
        """Return every key, the oldest first."""
        return self._table.all()

    def of(self, who: Who) -> list[ApiKey]:
        """Return the keys that somebody may see and revoke: their own, those of sites that they own, an admin all."""
        mine = self._makers.id_of(who)
        return [key for key in self._table.all() if _may_manage(who, mine, key)]

    def who(self, text: str) -> Who:
        """Return who comes with a key; raises HttpError 401 for what is no key (any more), 403 for an ingest key."""
        now = self._clock()
        key = self._table.find(send_keys.digest(text)) if send_keys.is_key(text) else None
        maker = None if key is None or key.is_over(now) else self._makers.who(key.user_id)
        if key is None or maker is None:
            raise unknown_key()
        self.uses.note(key.digest, now)
        who = Who("key", key.name, key.id)
        scopes = scopes_of(key)
        if "admin" in scopes:
            return lent(maker, who, key.site_id, "admin")
        if "read" in scopes:
            return lent(maker, who, key.site_id, "read")
        raise HttpError(
            403, "ingest_only", "this key is for sending events", "make one that reads: visitor-tracker key add --scope"
        )

    def send_keys(self, now_ms: int) -> tuple[SendKey, ...]:
        """Return the keys with which programs may send, by digest."""
        found = [key for key in self._table.all() if "ingest" in scopes_of(key) and not key.is_over(now_ms)]
        makers = {user_id: self._makers.who(user_id) for user_id in {key.user_id for key in found}}
        kept = [key for key in found if _may_send(makers[key.user_id], key.site_id)]
        return tuple(sorted((SendKey(key.digest, key.name, key.site_id) for key in kept), key=lambda key: key.digest))

    def add(  # noqa: PLR0913 - the rest by keyword
        self, audit: Audit, who: Who, name: str, *, site_id: int, scopes: Collection[Scope], expires_at: int
    ) -> tuple[ApiKey, str]:
        """Make a key and return it with its text, which nobody can see again; raises HttpError 403 or 409."""
        user_id = self._makers.id_of(who)
        if user_id is None:
            raise HttpError(403, "forbidden", f"{who.name} may not make keys", "log in, and make them there")
        mine = [key for key in self._table.all() if key.user_id == user_id]
        if any(key.name == name for key in mine):
            raise HttpError(409, "name_taken", f"there is a key {name} already", "choose another name, or revoke it")
        if len(mine) >= MOST:
            raise HttpError(409, "too_many_keys", f"there are {MOST} keys already", "revoke those that nobody needs")
        _check_rights(who, site_id, scopes)
        expires_at = self._no_later(who, expires_at)
        text = send_keys.make()
        digest = send_keys.digest(text)
        key = ApiKey(
            digest, digest.hex()[:_ID_DIGITS], name, site_id, in_order(scopes), user_id, self._clock(), expires_at
        )
        detail = {"id": key.id, "scopes": key.scopes.split(), "expires_at": expires_at}
        self._table.add(key, audit.row(who, "key.added", site_id=site_id, target=name, detail=detail))
        return key, text

    def _no_later(self, who: Who, expires_at: int) -> int:
        """Return when a key must end: what a key makes does not outlive it."""
        parent = self._table.by_id(who.id) if who.kind == "key" else None
        if parent is None or not parent.expires_at:
            return expires_at
        return min(expires_at or parent.expires_at, parent.expires_at)

    def of_account(self, user_id: str) -> list[ApiKey]:
        """Return the keys that an account has made and that are good."""
        now = self._clock()
        return [key for key in self._table.all() if key.user_id == user_id and not key.is_over(now)]

    def revoke_of_account(self, audit: Audit, who: Who, user_id: str) -> int:
        """Make the keys of an account worthless; return how many."""
        return sum(self.revoke(audit, who, key) for key in self.of_account(user_id))

    def revoke(self, audit: Audit, who: Who, key: ApiKey) -> bool:
        """Make a key worthless; False: it is so already."""
        note = audit.row(who, "key.revoked", site_id=key.site_id, target=key.name, detail={"id": key.id})
        return self._table.revoke(key.id, note)


def scopes_of(key: ApiKey) -> frozenset[Scope]:
    """Return what a key is for; what a newer version may have written is left out."""
    words = key.scopes.split()
    return frozenset(scope for scope in get_args(Scope) if scope in words)


def in_order(scopes: Collection[Scope]) -> str:
    """Return scopes as they are stored."""
    return " ".join(scope for scope in get_args(Scope) if scope in scopes)


def unknown_key() -> HttpError:
    """Return the one answer to keys that are none, that were revoked or are over, and whose maker is gone."""
    return HttpError(
        401,
        "unknown_key",
        "this key is not known",
        "it may be revoked or over: make one with  visitor-tracker key add NAME",
    )


def _check_rights(who: Who, site_id: int, scopes: Collection[Scope]) -> None:
    """Raise HttpError 403 where a key would be for more than its maker may."""
    role = who.role(site_id) if site_id else None
    owns = role == "owner" if site_id else who.is_admin
    if "ingest" in scopes and not owns:
        raise HttpError(403, "forbidden", "keys that send are made by owners of the site", "name a site that you own")
    if "admin" in scopes and not (owns or (not site_id and "owner" in who.roles.values())):
        raise HttpError(403, "forbidden", "keys that change a site are made by its owners", "name a site that you own")
    if site_id and role is None:
        raise HttpError(403, "forbidden", "you do not see that site", "name a site that you see")


def _may_send(maker: Who | None, site_id: int) -> bool:
    if maker is None:
        return False
    return maker.role(site_id) == "owner" if site_id else maker.is_admin


def _may_manage(who: Who, mine: str | None, key: ApiKey) -> bool:
    if who.is_admin or (who.kind == "user" and key.user_id == mine):
        return True
    return bool(key.site_id) and who.role(key.site_id) == "owner"
