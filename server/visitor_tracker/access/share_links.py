"""Share links: who has one sees the numbers of one site, and no single visitor.

The token of a link is 32 random bytes in base64url; the store has its digest only. Who opens a link goes on with

    token                 of a link without a password
    token "." proof       of one that has one: a keyed hash that says that the password was given

in a cookie or in X-Share-Token. A proof is good as long as the link is, and for that password only.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

from visitor_tracker.access.audit import Audit
from visitor_tracker.access.keyed import key_for, keyed
from visitor_tracker.access.last_use import LastUse
from visitor_tracker.access.passwords import Passwords
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.sites import Site
from visitor_tracker.store.shares import ShareLink, ShareTable
from visitor_tracker.store.sql import SqlStore

COOKIE: Final = "vt_share"
MOST = 200  # links of a site
ANYWHERE: Final = "*"  # pages of every origin
ORIGINS_MOST: Final = 20  # of a link

_TOKEN_BYTES = 32
_ID_DIGITS = 16
_MOST_TRIED = 4  # cookies of one request that bear our name; other paths and hosts may have set some
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
_MAX_AGE_SECONDS = 400 * 86_400  # browsers keep no cookie longer, RFC 6265bis, 5.5
# As Content-Security-Policy names a host, with nothing that could end its field; "*." is any host below.
_is_origin = re.compile(r"\*|https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?").fullmatch


class ShareLinks:
    """Any thread. Methods raise HttpError and what stores do; `clock` is epoch ms."""

    def __init__(
        self,
        store: SqlStore,
        secret: bytes,
        passwords: Passwords,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`secret` is the server's."""
        self._table = ShareTable(store.database)
        self._key = key_for(secret, b"share-password")
        self._passwords = passwords
        self._clock = clock
        self.uses = LastUse(self._table.used)

    def all(self) -> list[ShareLink]:
        """Return every link, the oldest first."""
        return self._table.all()

    def of_site(self, site: Site) -> list[ShareLink]:
        """Return a site's links, the oldest first."""
        return self._table.of_site(site.id)

    def add(  # noqa: PLR0913 - the rest by keyword
        self,
        audit: Audit,
        who: Who,
        site: Site,
        *,
        name: str,
        password: str,
        expires_at: int,
        origins: Sequence[str] = (),
    ) -> tuple[ShareLink, str]:
        """Make a link and return it with its token, which nobody can see again; raises 400 for an easy password.

        Pages of `origins` may show it in a frame; raises 400 for what is no origin.
        """
        framed = frame_origins(origins, has_password=bool(password))
        if len(self._table.of_site(site.id)) >= MOST:
            raise HttpError(
                409, "too_many_links", f"the site has {MOST} links already", "revoke those that nobody needs"
            )
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        digest = digest_of(token)
        link = ShareLink(
            digest,
            digest.hex()[:_ID_DIGITS],
            site.id,
            name,
            self._passwords.hash(password) if password else "",
            who.id if who.kind == "user" else "",
            self._clock(),
            expires_at,
            origins=framed,
        )
        detail: dict[str, object] = {"id": link.id, "password": bool(password), "expires_at": expires_at}
        if framed:
            detail["embed_in"] = framed.split()
        self._table.add(link, audit.row(who, "share.added", site_id=site.id, target=name, detail=detail))
        return link, token

    def revoke(self, audit: Audit, who: Who, link: ShareLink) -> bool:
        """Make a link worthless; False: it is so already."""
        note = audit.row(who, "share.revoked", site_id=link.site_id, target=link.name, detail={"id": link.id})
        return self._table.revoke(link.site_id, link.id, note)

    def find(self, token: str) -> ShareLink | None:
        """Return the link of a token; None where it is revoked, over, or was never made."""
        link = self._table.find(digest_of(token)) if _TOKEN(token) else None
        return None if link is None or link.is_over(self._clock()) else link

    def is_password(self, link: ShareLink, password: str) -> bool:
        """Say whether that is the password of a link; as slow as passwords are. Raises HttpError 503."""
        return self._passwords.verify(link.password, password) is not None

    def opened(self, link: ShareLink, token: str) -> str:
        """Return with what somebody goes on who has opened a link, and given its password."""
        return f"{token}.{self._proof(link)}" if link.password else token

    def who(self, text: str) -> Who | None:
        """Return who goes on with that; None for what opens nothing (any more)."""
        token, _, proof = text.partition(".")
        link = self.find(token)
        if link is None or (link.password and not hmac.compare_digest(proof.encode(), self._proof(link).encode())):
            return None
        self.uses.note(link.digest, self._clock())
        return Who("share", link.name or f"share link {link.id}", link.id, roles={link.site_id: "viewer"})

    def header(self, link: ShareLink, token: str, *, secure: bool) -> tuple[str, str]:
        """Return the header with the cookie by which a browser goes on; `secure` is whether it came by https."""
        left = (link.expires_at - self._clock()) // 1000 if link.expires_at else _MAX_AGE_SECONDS
        age = max(1, min(left, _MAX_AGE_SECONDS))
        cookie = f"{COOKIE}={self.opened(link, token)}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax"
        return "Set-Cookie", f"{cookie}; Secure" if secure else cookie

    def _proof(self, link: ShareLink) -> str:
        return keyed(self._key, f"{link.digest.hex()}:{link.password}")


def frame_origins(origins: Sequence[str], *, has_password: bool) -> str:
    """Return origins as they are stored, in lower case; raises HttpError 400 for what is none."""
    if origins and has_password:
        raise HttpError(
            400,
            "invalid_embed_in",
            "a link with a password cannot be shown in a frame",
            "leave out password, or embed_in",
        )
    wrong = next((text for text in origins if not _is_origin(text)), None)
    if wrong is not None:
        raise HttpError(
            400,
            "invalid_embed_in",
            f"{wrong[:100]!r} is not the origin of a web site",
            f"use at most {ORIGINS_MOST} such as https://example.com or https://*.example.com, or * for all",
        )
    if len(origins) > ORIGINS_MOST:
        raise HttpError(400, "invalid_embed_in", "these are too many origins", f"use at most {ORIGINS_MOST}, or *")
    return ANYWHERE if ANYWHERE in origins else " ".join(dict.fromkeys(origin.lower() for origin in origins))


def cookies(header: str) -> list[str]:
    """Return the cookies of opened links in a Cookie header."""
    if COOKIE not in header:
        return []
    pairs = (pair.partition("=") for pair in header.split(";"))
    return [value.strip() for name, _, value in pairs if name.strip() == COOKIE][:_MOST_TRIED]


def digest_of(token: str) -> bytes:
    """Return what is stored of a token."""
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32, person=b"share-link").digest()
