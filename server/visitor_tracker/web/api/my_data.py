"""What a visitor may ask for itself: all that is stored of it, and to have that erased.

    proof                                            by
    the cookie vt_visitor (policy cookie)            pages of the site's own address, and links
    a token of POST /api/v1/my-data/token            any page, in the header Authorization
        which gives it for the cookie, for the id that the page gave (policy client), or for being the
        visitor of now: the same address and browser under the key of today

A page of another web site gets no token for what its visitor's browser proves by itself: it might read what the visitor
did elsewhere.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from visitor_tracker.access.cookies import NAME, VisitorCookies
from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.my_data import MyDataTokens
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.hit import Client
from visitor_tracker.ingest.subjects import Match, Subject
from visitor_tracker.ingest.visitor import of_cookie
from visitor_tracker.ingest.visitor import visitor as visitor_now
from visitor_tracker.reports.export import Export
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web.api.visitors import export_response
from visitor_tracker.web.asked import JSON, body_as, query_as, site_named
from visitor_tracker.web.guards import is_local
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.rights import Erased, Rights
from visitor_tracker.web.router import Route

VISITOR = Who("nobody", "the visitor")  # in the audit log
_PATH = "/api/v1/my-data"
_PER_SECOND, _BURST = 0.1, 10  # of an address
_ERASE_SECONDS = 3.0
_RECORDINGS_MOST = 8 << 20  # bytes of one answer, unpacked
_BUSY_SECONDS = 2.0
_BODY_MOST = 4_096
_RECORD_NOTE = (
    "there is a record of your address too; others may share the address, so that it is shown by who runs this server"
    " only. It is erased with all else"
)
NO_COOKIE: Headers = (("Set-Cookie", f"{NAME}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"),)
_KEY_GONE = (
    "under this site's policy a visit belongs to a hash whose key is destroyed when its day, or month, is over: what"
    " was counted before cannot be found any more, by nobody"
)


class MyDataQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The site that a cookie is meant for; a token names its site itself."""

    site: Annotated[str, msgspec.Meta(max_length=128)] = ""
    token: Annotated[str, msgspec.Meta(max_length=256, description="where no header can be sent")] = ""


class TokenAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`client_id` is the visitor id of the page, under the policy client."""

    site: Annotated[str, msgspec.Meta(max_length=128)] = "default"
    client_id: Annotated[str, msgspec.Meta(max_length=2_048)] = ""


class TokenGiven(msgspec.Struct, frozen=True):
    """A token that opens `GET` and `DELETE /api/v1/my-data` until it expires."""

    site: str
    token: str
    expires_at: str


class MyDataRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._guards = parts.guards
        self._rights = Rights(parts.store, parts.config, parts.audit, parts.clock)
        self._tokens = MyDataTokens(parts.secret)
        self._limiter = RateLimiter(_PER_SECOND, _BURST, enabled=parts.config.rate_limit.enabled)
        self._turn = threading.BoundedSemaphore(1)  # of a process: each reads all days of its visitor

    def routes(self) -> list[Route]:
        return [
            Route("GET", _PATH, self.export, "all that is stored of who asks", query=MyDataQuestion, answer=Export),
            Route("DELETE", _PATH, self.erase, "erase it", query=MyDataQuestion, answer=Erased),
            Route(
                "POST", f"{_PATH}/token", self.give, "a token for it, for who proves to be the visitor",
                body=TokenAsked, answer=TokenGiven, status=201, body_most=_BODY_MOST,
            ),
        ]  # fmt: skip

    def export(self, request: Request) -> Answer:
        """GET /api/v1/my-data?site=."""
        self.limit(request)
        site, match, _ = self._proved(request)
        return self.exported(site, match, self._guards.cors.headers(request))

    def erase(self, request: Request) -> Answer:
        """DELETE /api/v1/my-data?site=."""
        self.limit(request)
        site, match, by_cookie = self._proved(request)
        erased = self.erased(site, match)
        headers = (*JSON, *self._guards.cors.headers(request), *(NO_COOKIE if by_cookie else ()))
        return Response(200, msgspec.json.encode(erased), headers)

    def exported(self, site: Site, match: Match, headers: Headers = ()) -> Response:
        """Return all that is stored of a visitor."""
        notes = (*match.notes, _RECORD_NOTE) if match.addresses else match.notes
        shown = msgspec.structs.replace(match, addresses=(), notes=notes)
        with self._alone():
            self._rights.note_export(VISITOR, site, match)
            return export_response(b"".join(self._rights.export(site, shown, _RECORDINGS_MOST)), headers)

    def erased(self, site: Site, match: Match) -> Erased:
        """Erase it."""
        with self._alone():
            return self._rights.erase(VISITOR, site, match, _ERASE_SECONDS)

    def give(self, request: Request) -> Answer:
        """POST /api/v1/my-data/token."""
        address = self.limit(request)
        asked, snapshot = body_as(request, TokenAsked), self._parts.snapshot()
        site = site_named(asked.site, snapshot)
        visitors = self.who_asks(request, snapshot, site, address, asked.client_id)
        token, expires = self._tokens.issue(site.id, visitors, self._parts.clock())
        given = msgspec.json.encode(TokenGiven(site.name, token, iso(expires)))
        return Response(201, given, (*JSON, *self._guards.cors.headers(request)))

    def who_asks(
        self, request: Request, snapshot: Snapshot, site: Site, address: str, client_id: str
    ) -> tuple[bytes, ...]:
        """Return who asks: by the id that it knows, by its cookie, or by where it comes from now."""
        policy = snapshot.policy_of(site.id)
        if not (client_id and policy.visitor == "client"):
            self._refuse_other_pages(request, snapshot, site)
        headers = request.headers
        cookie = self._cookies(snapshot).read(headers.get("cookie", "")) or b""
        client = Client(address, headers.get("user-agent", ""), headers, cookie=cookie)
        day = local_day(site.timezone, self._parts.clock())
        who, previous, is_missing = visitor_now(snapshot, site, policy, client, day, own=client_id)
        if is_missing:
            raise HttpError(503, "no_key", "the keys of visitors are not here now", "try again later", retry_after=60)
        return (who, previous) if previous else (who,)

    def _proved(self, request: Request) -> tuple[Site, Match, bool]:
        """Return whose data is asked for, and whether a cookie proves it; raises HttpError 401 without proof."""
        asked, snapshot = query_as(request, MyDataQuestion), self._parts.snapshot()
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        text = sent.strip() if scheme.lower() == "bearer" else asked.token
        if text:
            claim = self._tokens.read(text, self._parts.clock())
            site = snapshot.by_id.get(claim.site_id) if claim else None
            if claim is None or site is None:
                raise HttpError(401, "invalid_token", "the token is over, or none of ours", f"POST {_PATH}/token")
            return site, self.match(snapshot, site, claim.visitors), False
        site = site_named(asked.site or "default", snapshot)
        cookie = self._cookies(snapshot).read(request.headers.get("cookie", ""))
        if cookie is None:
            raise HttpError(
                401,
                "proof_needed",
                "this shows what is stored of a visitor to that visitor only",
                f"send the cookie {NAME}, or a token of  POST {_PATH}/token  in the header Authorization",
            )
        if request.method not in ("GET", "HEAD"):
            self._refuse_other_pages(request, snapshot, site)
        return site, self.match(snapshot, site, (of_cookie(snapshot, site, cookie),)), True

    def match(self, snapshot: Snapshot, site: Site, visitors: tuple[bytes, ...]) -> Match:
        """Return what is stored of these visitors, and of whom they were before and after midnight."""
        found = [self._rights.find(snapshot, site, Subject(visitor=each)) for each in visitors if each]
        notes = (_KEY_GONE,) if snapshot.policy_of(site.id).visitor in ("daily", "monthly") else ()
        stored = {visitor for match in found for visitor in match.visitors}
        return Match(
            tuple(sorted(stored)),
            tuple(sorted({address for match in found for address in match.addresses})),
            notes,
            tuple(sorted({visitor for match in found for visitor in match.unstored} - stored)),
        )

    def _refuse_other_pages(self, request: Request, snapshot: Snapshot, site: Site) -> None:
        """Raise 403 where a page that is neither the site's nor this server's makes a browser ask.

        Of a site without hosts no page is known to be its own.
        """
        headers = request.headers
        origin = headers.get("origin")
        if origin is None and headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
            return
        place, host = _origin(origin or "")
        is_sites = bool(site.hostnames) and bool(host) and site.holds(host)
        if not (is_sites or (place == headers.get("host", "").lower() and self._is_here(request, snapshot, host))):
            raise HttpError(
                403,
                "other_site",
                "another web site asks for this",
                "open /privacy of this server, or give the site its hosts with  visitor-tracker site set",
            )

    def _is_here(self, request: Request, snapshot: Snapshot, host: str) -> bool:
        """Say whether a host that a request names is this server's own.

        A page can let its own name lead here (DNS rebinding), and the first-party paths of all sites do.
        """
        if public_url := self._parts.config.server.public_url:
            return host == urlsplit(public_url).hostname or is_local(request)
        return not any(other.hostnames and other.holds(host) for other in snapshot.sites)

    def _cookies(self, snapshot: Snapshot) -> VisitorCookies:
        return VisitorCookies(snapshot.secrets.get("cookie", b""))

    def limit(self, request: Request) -> str:
        """Return the client's address; raises HttpError 429 where it asks too often."""
        address = self._guards.limit(request)
        if wait := self._limiter.allow(address):
            raise HttpError(
                429, "rate_limited", "this was asked too often from this address", f"wait {wait} s", retry_after=wait
            )
        return address

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=_BUSY_SECONDS):
            raise HttpError(503, "busy", "somebody else's data is being read just now", "try again", retry_after=2)
        try:
            yield
        finally:
            self._turn.release()


def _origin(text: str) -> tuple[str, str]:
    """Return host with port, and host alone, of a page's origin; both are "" for what is none."""
    try:
        parts = urlsplit(text.lower())
    except ValueError:
        return "", ""
    return parts.netloc, parts.hostname or ""
