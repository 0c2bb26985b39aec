"""API keys: list, make and revoke them, and what they prove."""

from typing import Annotated

import msgspec

from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.lifetimes import PATTERN, lifetime
from visitor_tracker.access.send_keys import NAME_PATTERN, key_name
from visitor_tracker.access.who import Scope, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.api_keys import ApiKey
from visitor_tracker.web.api.entrance import bearer
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, answer_with, nothing
from visitor_tracker.web.asked import answer, body_as, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, who_of
from visitor_tracker.web.router import Route

PREFIX = "vt_"

KeyName = Annotated[
    str, msgspec.Meta(pattern=NAME_PATTERN, description="who has it, e.g. backend: A-Z a-z 0-9 _ . @ -, 64 at most")
]
Lifetime = Annotated[
    str, msgspec.Meta(pattern=PATTERN, description="how long it is good for, such as 12h, 90d or 26w; 3650d at most")
]


class KeyAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make; without `site` it is for every site that its maker has, without `expires_in` for ever."""

    name: KeyName
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=3)]
    site: str | None = None
    expires_in: Lifetime | None = None


class KeyShown(msgspec.Struct, frozen=True):
    """A key; `site` null: every site, `user` null: made on the server's own machine, times null: never."""

    id: str
    name: str
    site: str | None
    scopes: tuple[str, ...]
    user: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class KeyMade(KeyShown, frozen=True):
    """A new key; `key` is what a program sends, and is not shown again."""

    key: str = ""


class KeysShown(msgspec.Struct, frozen=True):
    """Keys, the oldest first."""

    keys: tuple[KeyShown, ...]


class KeyRoutes:
    """`/api/v1/keys`."""

    def __init__(self, parts: Parts, keys: ApiKeys) -> None:
        self._parts = parts
        self._keys = keys

    def routes(self) -> list[Route]:
        path = "/api/v1/keys"
        return [
            Route(
                "GET",
                path,
                self._list,
                "your API keys, and those of your sites",
                "known",
                query=NoQuery,
                answer=KeysShown,
            ),
            Route(
                "POST",
                path,
                self._make,
                "make an API key, which is shown once",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=KeyAsked,
                answer=KeyMade,
                status=201,
            ),
            Route("DELETE", f"{path}/{{id}}", self._revoke, "revoke an API key", "known", query=NoQuery, status=204),
        ]

    def _list(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        return answer(KeysShown(tuple(self._shown(key) for key in self._keys.of(who_of(request)))))

    def _make(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        asked, who = body_as(request, KeyAsked), who_of(request)
        site = None if asked.site is None else self._site(asked.site, who)
        key, text = self._keys.add(
            self._parts.audit,
            who,
            name_of_key(asked.name),
            site_id=site.id if site else 0,
            scopes=asked.scopes,
            expires_at=ends_at(asked.expires_in, self._parts.clock()),
        )
        return answer_with(KeyMade(**msgspec.structs.asdict(self._shown(key)), key=text), status=201)

    def _revoke(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        who, key_id = who_of(request), argument_named(request, "id")
        key = next((key for key in self._keys.of(who) if key.id == key_id), None)
        if key is None or not self._keys.revoke(self._parts.audit, who, key):
            raise HttpError(404, "unknown_key", "there is no such key", "GET /api/v1/keys  lists them")
        return nothing()

    def _site(self, name: str, who: Who) -> Site:
        """Return a site that somebody has; raises HttpError 404 for the others."""
        snapshot = self._parts.snapshot()
        mine = tuple(site for site in snapshot.sites if who.role(site.id) is not None)
        return site_named(name, msgspec.structs.replace(snapshot, sites=mine))

    def _shown(self, key: ApiKey) -> KeyShown:
        return KeyShown(
            key.id,
            key.name,
            site_name(self._parts, key.site_id) if key.site_id else None,
            tuple(key.scopes.split()),
            key.user_id or None,
            iso(key.created_at),
            iso(key.expires_at) if key.expires_at else None,
            iso(key.last_used_at) if key.last_used_at else None,
        )


class KeyScheme:
    """`Authorization: Bearer vt_…` or `X-API-Key: vt_…`."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    def identify(self, request: Request) -> Who | None:
        text = bearer(request)
        if not text.startswith(PREFIX):
            text = request.headers.get("x-api-key", "").strip()
        return self._keys.who(text) if text.startswith(PREFIX) else None


def ends_at(text: str | None, now_ms: int) -> int:
    """Return when what is made now ends, 0: never; raises HttpError 400."""
    if text is None:
        return 0
    try:
        return now_ms + lifetime(text)
    except ValueError as error:
        raise HttpError(400, "invalid_expires_in", f"expires_in: {error}") from error


def name_of_key(text: str) -> str:
    """Return the name if a key may have it; raises HttpError 400."""
    try:
        return key_name(text)
    except ValueError as error:  # what a pattern of JSON Schema lets pass: a line feed at the end
        raise HttpError(400, "invalid_name", str(error)) from error


def site_name(parts: Parts, site_id: int) -> str:
    """Return what a site is called; one that is no more has its id."""
    site = parts.snapshot().by_id.get(site_id)
    return str(site_id) if site is None else site.name
