"""Keys of signed requests: register, pair, list and revoke them, and what signatures prove."""

from typing import Annotated

import msgspec

from visitor_tracker.access.signatures import Signatures
from visitor_tracker.access.signing_keys import SigningKeys, SigningScope, public_key_of
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.signing import SigningKey
from visitor_tracker.web.api.keys import KeyName, name_of_key
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, answer_with, nothing
from visitor_tracker.web.asked import JSON, answer, body_as, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route

PublicKey = Annotated[
    str, msgspec.Meta(min_length=64, max_length=64, description="public key of Ed25519, 32 bytes as 64 hex digits")
]


class OldKeyAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only key of a site, as clients of an earlier tracker register it; `scope` admin: it may change the site."""

    public_key_hex: PublicKey
    site_id: str = "default"
    scope: SigningScope = "read"


class Registered(msgspec.Struct, frozen=True):
    status: str = "ok"
    message: str = "Public key registered"


class AuthStatus(msgspec.Struct, frozen=True):
    """Whether requests for a site can be signed, and where its numbers are."""

    site_id: str
    is_locked: bool
    db_path: str


class SigningKeyAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to register for a site; `scope` admin: it may change the site."""

    name: KeyName
    public_key: PublicKey
    scope: SigningScope = "read"


class SigningKeyShown(msgspec.Struct, frozen=True):
    """A registered key; `id` is what X-Key-Id says."""

    id: str
    name: str
    site: str
    scope: str
    public_key: str
    created_at: str
    last_used_at: str | None


class SigningKeysShown(msgspec.Struct, frozen=True):
    """Keys, the oldest first."""

    signing_keys: tuple[SigningKeyShown, ...]


class SigningRoutes:
    """`/register-key`, `/debug/auth-status/{site_id}` and `/api/v1/sites/{site}/signing-keys`."""

    def __init__(self, parts: Parts, keys: SigningKeys) -> None:
        self._parts = parts
        self._keys = keys

    def routes(self) -> list[Route]:
        path = "/api/v1/sites/{site}/signing-keys"
        return [
            Route(
                "POST",
                "/register-key",
                self._register_first,
                "register the key with which requests for a site are signed; 400 if it has one",
                "admin",
                body_most=BODY_MOST,
                query=NoQuery,
                body=OldKeyAsked,
                answer=Registered,
            ),
            Route(
                "GET",
                "/debug/auth-status/{site_id}",
                self._status,
                "whether a site has a key to sign with",
                "admin",
                query=NoQuery,
                answer=AuthStatus,
            ),
            Route("GET", path, self._list, "keys to sign with", "manage", query=NoQuery, answer=SigningKeysShown),
            Route(
                "POST",
                path,
                self._register,
                "register a public key to sign with",
                "manage",
                body_most=BODY_MOST,
                query=NoQuery,
                body=SigningKeyAsked,
                answer=SigningKeyShown,
                status=201,
            ),
            Route(
                "DELETE",
                f"{path}/{{id}}",
                self._revoke,
                "revoke a key to sign with",
                "manage",
                query=NoQuery,
                status=204,
            ),
        ]

    def _register_first(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        asked = body_as(request, OldKeyAsked)
        site = site_named(asked.site_id, visible(self._parts.snapshot(), request))
        try:
            self._keys.register(
                self._parts.audit,
                who_of(request),
                site,
                public_key_of(asked.public_key_hex),
                name="registered",
                scope=asked.scope,
                most=1,
            )
        except HttpError as error:
            if error.status != 409:
                raise
            return already_registered()
        return answer(Registered())

    def _status(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site = self._site(request, "site_id")
        return answer(AuthStatus(site.name, bool(self._keys.of_site(site)), self._parts.store.describe()))

    def _list(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site = self._site(request, "site")
        return answer(SigningKeysShown(tuple(_shown(key, site) for key in self._keys.of_site(site))))

    def _register(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, asked = self._site(request, "site"), body_as(request, SigningKeyAsked)
        public_key, name = public_key_of(asked.public_key), name_of_key(asked.name)
        key = self._keys.register(self._parts.audit, who_of(request), site, public_key, name=name, scope=asked.scope)
        return answer_with(_shown(key, site), status=201)

    def _revoke(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, key_id = self._site(request, "site"), argument_named(request, "id")
        if not self._keys.revoke(self._parts.audit, who_of(request), site.id, key_id):
            raise HttpError(404, "unknown_key", "the site has no such key", "GET …/signing-keys  lists them")
        return nothing()

    def _site(self, request: Request, part: str) -> Site:
        return site_named(argument_named(request, part), visible(self._parts.snapshot(), request))


class SignatureScheme:
    """Signed requests: X-Signature, or Signature-Input."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures

    def identify(self, request: Request) -> Who | None:
        return self._signatures.identify(request)


def already_registered() -> Response:
    """Return the refusal in both shapes: that of clients of an earlier tracker, and ours."""
    message = "Public key already registered"
    error = {
        "code": "already_registered",
        "message": message,
        "hint": "revoke the site's key first, or pair with force",
    }
    return Response(400, msgspec.json.encode({"detail": message, "error": error}), JSON)


def _shown(key: SigningKey, site: Site) -> SigningKeyShown:
    return SigningKeyShown(
        key.id,
        key.name,
        site.name,
        key.scope,
        key.public_key.hex(),
        iso(key.created_at),
        iso(key.last_used_at) if key.last_used_at else None,
    )
