"""Serve every collect endpoint: whose request it is, its dialect's reading, the journal, its dialect's answer."""

import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.access.send_keys import find as find_send_key
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DropReason
from visitor_tracker.http.message import Answer, Deferred, Headers, Request, Response, error_response
from visitor_tracker.ingest.hit import Client, Receipt
from visitor_tracker.ingest.intake import Intake
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sites import SendKey, Snapshot
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.router import Route, is_prefetch

_ACCEPTED: Headers = (("X-Tracker", "accepted"),)
_ONE: list[DropReason | None] = [None]
_RATIO_MOST = 100  # unpacked ÷ packed; text that people write stays below 20
_COUNTRY_LENGTH = 2


class Clients:
    """Tells for whom a request comes: the same for collecting and counting."""

    def __init__(
        self, guards: Guards, snapshot: Callable[[], Snapshot], cookies: VisitorCookies, country_header: str
    ) -> None:
        self._guards = guards
        self._snapshot = snapshot
        self._cookies = cookies
        self._country_header = country_header.lower()

    def of(self, request: Request, ip: str, token: str = "") -> Client:
        """Return the facts of a request from that address; raises 401 for a send key that is none of ours."""
        headers = request.headers
        peer, trusted = request.peer, self._guards.trusted
        key = None
        if token or "authorization" in headers:
            key = self._send_key(headers.get("authorization", ""), token)
        country = ""
        if self._country_header in headers and (peer.unix or trusted.holds_peer(peer.address)):
            country = headers[self._country_header].strip().upper()
            if len(country) != _COUNTRY_LENGTH or not country.isalnum():
                country = ""
        if key is not None and "x-forwarded-for" in headers:
            ip = headers["x-forwarded-for"].partition(",")[0].strip() or ip
        cookie = b""
        if "cookie" in headers and self._snapshot().uses_cookies:
            cookie = self._cookies.read(headers["cookie"]) or b""
        site = 0 if key is None else key.site_id
        return Client(ip, headers.get("user-agent", ""), headers, key is not None, site, country, cookie)

    def _send_key(self, authorization: str, token: str) -> SendKey | None:
        scheme, _, given = authorization.partition(" ")
        text = token or (given.strip() if scheme.lower() == "bearer" else "")
        key = find_send_key(self._snapshot(), text) if text else None
        if key is None and text.startswith("vt_"):
            raise HttpError(
                401, "unknown_key", "this send key is not known", "make one with  visitor-tracker key add NAME"
            )
        return key  # another tracker's token is worth nothing here, but no reason to lose a visit


class CollectRoutes:
    """One route for each dialect's endpoint."""

    def __init__(  # noqa: PLR0913
        self,
        dialects: Sequence[Dialect],
        *,
        intake: Intake,
        clients: Clients,
        guards: Guards,
        cookies: VisitorCookies,
        snapshot: Callable[[], Snapshot],
        counters: Counters,
        body_most: int,
        batch_most: int,
    ) -> None:
        self._dialects = dialects
        self._intake = intake
        self._clients = clients
        self._guards = guards
        self._cookies = cookies
        self._snapshot = snapshot
        self._counters = counters
        self._body_most = body_most
        self._batch_most = batch_most

    def routes(self) -> list[Route]:
        return [
            Route(
                dialect.method,
                dialect.path,
                self.handler(dialect),
                dialect.summary,
                fast=dialect.fast and not dialect.asks_first,
                body_most=self._most(dialect),
            )
            for dialect in self._dialects
        ]

    def handler(self, dialect: Dialect) -> Callable[[Request], Answer]:
        """Return the handler of one endpoint."""

        def handle(request: Request) -> Answer:
            return self._collect(dialect, request)

        return handle

    def _most(self, dialect: Dialect) -> int:
        return self._batch_most if dialect.body_most == BATCH else dialect.body_most

    def _collect(self, dialect: Dialect, request: Request) -> Answer:
        guards = self._guards
        address = guards.count(request)
        cors = guards.cors.headers(request)
        if request.method == "HEAD" or is_prefetch(request):
            self._counters.add(Cell.DROPPED_PREFETCH)
            return _with(dialect.write(request, Receipt(["prefetch"])), (("X-Tracker", "dropped: prefetch"), *cors))
        if "content-encoding" in request.headers:
            request = unpacked(request, self._most(dialect) or self._body_most)
        client = self._clients.of(request, address, dialect.token(request))
        client, cookie = self._with_cookie(client)
        parts = dialect.read(request)
        if not parts:
            raise unreadable("there is no event in this request", "send at least one")
        deferred = Deferred()

        def done(receipt: Receipt | None) -> None:
            if receipt is not None and receipt.verdicts == _ONE and dialect.accepted is not None and not cookie:
                deferred.complete(_accepted(dialect.accepted, cors))
            else:
                deferred.complete(self._answer(dialect, request, receipt, cookie))

        if dialect.asks_first:
            self._intake.submit_and_ask(parts, client, done)
        else:
            self._intake.submit(parts, client, done)
        return deferred

    def _answer(self, dialect: Dialect, request: Request, receipt: Receipt | None, cookie: str) -> Response:
        cors = self._guards.cors.headers(request)
        if receipt is None:
            return error_response(cannot_store(), (*cors, ("X-Tracker", "dropped: unavailable")))
        extra = cors + (_ACCEPTED if receipt.accepted else (("X-Tracker", f"dropped: {receipt.verdicts[0]}"),))
        if cookie and self._policy_is_cookie(receipt):
            extra += (("Set-Cookie", self._cookies.header(cookie, secure=request.peer.secure)),)
        return _with(dialect.write(request, receipt), extra)

    def _with_cookie(self, client: Client) -> tuple[Client, str]:
        """Give a client without a visitor cookie one, where a site wants it; return the cookie to set."""
        if client.cookie or client.vouched or not self._snapshot().uses_cookies:
            return client, ""
        made, value = self._cookies.issue()
        return msgspec.structs.replace(client, cookie=made), value

    def _policy_is_cookie(self, receipt: Receipt) -> bool:
        event = receipt.first
        return event is not None and self._snapshot().policy_of(event.site_id).visitor == "cookie"


@lru_cache(64)
def _accepted(response: Response, cors: Headers) -> Response:
    """Return the usual answer, made once for each origin's headers."""
    return _with(response, cors + _ACCEPTED)


def _with(response: Response, headers: Headers) -> Response:
    return Response(response.status, response.body, response.headers + headers, response.close)


def cannot_store() -> HttpError:
    """Return the refusal of hits that cannot be made durable."""
    return HttpError(
        503, "journal_unavailable", "nothing can be stored now; this was not counted", "send it again", retry_after=2
    )


def unpacked(request: Request, most: int) -> Request:
    """Return the request with its body unpacked; raises HttpError 413 beyond `most` bytes, 415 for other codings."""
    coding = request.headers["content-encoding"].strip().lower()
    if coding in ("", "identity"):
        return request
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise HttpError(415, "unknown_encoding", f"{coding[:40]} is not understood here", "send gzip, or plain text")
    packed = request.body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its first bytes
    most = min(most, max(len(packed) * _RATIO_MOST, 1024))
    try:
        body = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise unreadable(f"the body is not {coding}: {error}") from error
    if len(body) > most:
        raise HttpError(413, "too_large", "the unpacked body is too large", f"send at most {most} bytes at once")
    if not unpacker.eof or unpacker.unused_data:
        raise unreadable("the packed body is cut off, or something follows it")
    return msgspec.structs.replace(request, body=body)
