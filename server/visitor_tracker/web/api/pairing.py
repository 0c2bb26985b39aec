"""`/pair/{site_id}`: make a pair of keys and show the private one as a QR code, for an app to read. It is kept nowhere.

The page makes something though it is asked for with GET, because clients of an earlier tracker do so. So a browser
that another web site has sent here, or one that does not say, is asked to confirm it with a link of its own.
"""

import hmac
from html import escape
from typing import Annotated
from urllib.parse import quote

import msgspec
import segno

from visitor_tracker.access.keyed import key_for, keyed
from visitor_tracker.access.signing_keys import SigningKeys
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.sites import Site
from visitor_tracker.web.asked import site_named
from visitor_tracker.web.guards import is_local
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.plain_page import plain_page
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import HTML, Route, is_prefetch
from visitor_tracker.web.typed import question_of

_CONFIRM_MS = 600_000  # that a link to confirm is good for, up to twice that
_OWN = ("none", "same-origin")  # Sec-Fetch-Site where nobody else made a browser ask


class PairAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`force`: a new pair, though there is one; all older keys of the site are worthless then."""

    force: bool = False
    confirm: Annotated[str, msgspec.Meta(max_length=64, description="of the link on the page that asks")] = ""


class Pairing(msgspec.Struct, frozen=True):
    """What the QR code says; keys are hex."""

    base_url: str
    site_id: str
    private_key: str


class PairingRoutes:
    def __init__(self, parts: Parts, keys: SigningKeys) -> None:
        self._parts = parts
        self._keys = keys
        self._key = key_for(parts.secret, b"pairing")

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/pair/{site_id}",
                self._pair,
                "make a pair of keys to sign with, and show it as a QR code; 403 if the site has one",
                "admin",
                query=PairAsked,
                media=HTML,
            )
        ]

    def _pair(self, request: Request) -> Answer:
        asked = question_of(request, PairAsked)
        site = site_named(argument_named(request, "site_id"), visible(self._parts.snapshot(), request))
        base_url = base_url_of(request, self._parts.config.server.public_url)
        who = who_of(request)
        if request.method == "HEAD" or is_prefetch(request) or not self._is_meant(request, who, site, asked):
            return self._question(site, who, force=asked.force)
        try:
            key, private = self._keys.pair(self._parts.audit, who, site, replace=asked.force)
        except HttpError as error:
            if error.status != 403 or "text/html" not in request.headers.get("accept", ""):
                raise
            return plain_page(
                self._parts.assets, "Not paired", f"<p>{escape(error.message)}: {escape(error.hint)}.</p>", status=403
            )
        return self._shown(Pairing(base_url, site.name, private.hex()), key.id)

    def _is_meant(self, request: Request, who: Who, site: Site, asked: PairAsked) -> bool:
        """Say whether who asks wants a pair, and not another web site that has sent them here."""
        if not who.is_ambient:
            return True
        came_from = request.headers.get("sec-fetch-site", "")
        if came_from in _OWN or (not came_from and "text/html" not in request.headers.get("accept", "")):
            return True
        now = self._parts.clock() // _CONFIRM_MS
        good = (self._token(who, site, period) for period in (now, now - 1))
        return any(hmac.compare_digest(token, asked.confirm.encode()) for token in good)

    def _token(self, who: Who, site: Site, period: int) -> bytes:
        return keyed(self._key, f"{who.kind}:{who.id}:{who.login}:{site.id}:{period}").encode()

    def _question(self, site: Site, who: Who, *, force: bool) -> Answer:
        token = self._token(who, site, self._parts.clock() // _CONFIRM_MS).decode()
        query = f"?{'force=true&amp;' if force else ''}confirm={token}"
        older = "<p>What signs with an older key of this site is refused from then on.</p>" if force else ""
        return plain_page(
            self._parts.assets,
            f"Pair an app with {site.name}?",
            f"<p>An app that reads the QR code sees the numbers of this site.</p>{older}"
            f'<p><a href="/pair/{quote(site.name, safe="")}{query}">Make a pair of keys</a></p>',
        )

    def _shown(self, pairing: Pairing, key_id: str) -> Answer:
        text = msgspec.json.encode(pairing).decode()
        return plain_page(
            self._parts.assets,
            f"Pair an app with {pairing.site_id}",
            f"<p>Scan this with the app. It is shown once: the private key is kept nowhere.</p>"
            f"<figure>{_qr(text)}</figure><pre><code>{escape(text)}</code></pre>"
            f"<p>The id of the key is <code>{key_id}</code>.</p>",
        )


def base_url_of(request: Request, public_url: str) -> str:
    """Return the address of this server; a Host header is believed on the server's own machine only.

    Raises HttpError 409 where nobody told it.
    """
    if public_url:
        return public_url.rstrip("/")
    if is_local(request):
        return f"{'https' if request.peer.secure else 'http'}://{request.headers['host']}"
    raise HttpError(
        409,
        "no_public_url",
        "this server does not know its own address",
        "set server.public_url, e.g. https://stats.example.com",
    )


def _qr(text: str) -> str:
    """Return a QR code as SVG without styles of its own; always dark on light, or cameras cannot read it."""
    return segno.make(text, error="m", micro=False).svg_inline(scale=6, dark="#000", light="#fff", omitsize=False)
