"""Serve every collect endpoint: whose request it is, its dialect's reading, the journal, its dialect's answer."""

import logging
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.access.last_use import LastUse
from visitor_tracker.access.send_keys import find as find_send_key
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DropReason
from visitor_tracker.http.message import Answer, Deferred, Headers, Request, Response, error_response
from visitor_tracker.ingest.address import address_of
from visitor_tracker.ingest.hit import Client, Hit, Malformed, Receipt
from visitor_tracker.ingest.intake import Intake
from visitor_tracker.ingest.pipeline import opts_out
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sites import SendKey, Snapshot
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.router import PREFETCHING, Route, is_prefetch

log = logging.getLogger(__name__)

_ACCEPTED: Headers = (("X-Tracker", "accepted"),)
_USUAL_MOST = 64
_ONE: list[DropReason | None] = [None]
_RATIO_MOST = 100  # unpacked ÷ packed; text that people write stays below 20
_CROWD_BYTES, _CROWD = 16 * 1024, 20_000  # objects in a body that are too many to be read at all
_EVENTS_A_TOKEN = 50  # of the rate limit
_COUNTRY_LENGTH = 2


class Clients:
    """Tells for whom a request comes: the same for collecting and counting."""

    def __init__(
        self,
        guards: Guards,
        snapshot: Callable[[], Snapshot],
        cookies: VisitorCookies,
        country_header: str,
        uses: LastUse[bytes],
    ) -> None:
        """`uses` notes when a send key was used last, by its digest."""
        self._uses = uses
        self._guards = guards
        self._snapshot = snapshot
        self._cookies = cookies
        self._country_header = country_header.lower()
        self.telling = frozenset(("authorization", "x-api-key", "cookie", self._country_header))

    def of(self, request: Request, ip: str, token: str = "") -> Client:
        """Return the facts of a request from that address; raises 401 for a send key that is none of ours."""
        headers = request.headers
        if not token and headers.keys().isdisjoint(self.telling):
            return Client(ip, headers.get("user-agent", ""), headers)
        peer, trusted = request.peer, self._guards.trusted
        key = None
        if "x-api-key" in headers and headers["x-api-key"].startswith("vt_"):  # others have keys of that name, too
            token = headers["x-api-key"]
        if token or "authorization" in headers:
            key = self._send_key(headers.get("authorization", ""), token)
        country = ""
        if self._country_header in headers and (peer.unix or trusted.holds_peer(peer.address)):
            country = headers[self._country_header].strip().upper()
            if len(country) != _COUNTRY_LENGTH or not country.isalnum():
                country = ""
        if key is not None and "x-forwarded-for" in headers:
            ip = address_of(headers["x-forwarded-for"].partition(",")[0]) or ip
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
        if key is not None:
            self._uses.note(key.digest, time.time_ns() // 1_000_000)
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
        self._unusual = clients.telling | PREFETCHING | {"content-encoding"}

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
        return partial(self._collect, dialect)

    def _most(self, dialect: Dialect) -> int:
        return self._batch_most if dialect.body_most == BATCH else dialect.body_most

    def _collect(self, dialect: Dialect, request: Request) -> Answer:
        guards = self._guards
        address = guards.count(request)
        cors = guards.cors.headers(request)
        headers = request.headers
        if dialect.token is None and request.method != "HEAD" and headers.keys().isdisjoint(self._unusual):
            client = Client(address, headers.get("user-agent", ""), headers)  # as most are
        else:
            if request.method == "HEAD" or is_prefetch(request):
                self._counters.add(Cell.DROPPED_PREFETCH)
                return _with(dialect.write(request, Receipt(["prefetch"])), (("X-Tracker", "dropped: prefetch"), *cors))
            if "content-encoding" in headers:
                request = unpacked(request, self._most(dialect) or self._body_most)
            token = "" if dialect.token is None else dialect.token(request)
            client = self._clients.of(request, address, token)
        cookie = ""
        if self._snapshot().uses_cookies:
            client, cookie = self._with_cookie(client)
        if len(request.body) > _CROWD_BYTES and request.body.count(b"{") > _CROWD:
            raise unreadable("more events than one request may have", "send them in several")
        parts = dialect.read(request)
        if len(parts) != 1:
            self._charge(parts, request, client)
        deferred = Deferred()
        done = _Answering(self, dialect, request, cors, cookie, deferred)
        if dialect.asks_first:
            self._intake.submit_and_ask(parts, client, done)
        else:
            self._intake.submit(parts, client, done)
        return deferred

    def _charge(self, parts: Sequence[Hit | Malformed], request: Request, client: Client) -> None:
        """Let a batch cost the sender more of its rate limit than a single event."""
        if not parts:
            raise unreadable("there is no event in this request", "send at least one")
        if len(parts) >= _EVENTS_A_TOKEN and not client.vouched:
            for _ in range(len(parts) // _EVENTS_A_TOKEN):
                self._guards.limit(request)

    def safely_answered(self, dialect: Dialect, request: Request, receipt: Receipt | None, cookie: str) -> Response:
        """Answer even where the dialect fails: what is stored is stored."""
        try:
            return self._answer(dialect, request, receipt, cookie)
        except Exception:
            log.exception("%s %s: a stored request cannot be answered", dialect.method, dialect.path)
            return error_response(HttpError(500, "internal_error", "the answer could not be made"))

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
        if client.cookie or client.vouched or opts_out(client):
            return client, ""
        made, value = self._cookies.issue()
        return msgspec.structs.replace(client, cookie=made), value

    def _policy_is_cookie(self, receipt: Receipt) -> bool:
        event = receipt.first
        return event is not None and self._snapshot().policy_of(event.site_id).visitor == "cookie"


class _Answering(msgspec.Struct, frozen=True, gc=False):
    """Answers a request when it is known what became of it; a function with all of this bound costs twice as much."""

    routes: CollectRoutes
    dialect: Dialect
    request: Request
    cors: Headers
    cookie: str
    deferred: Deferred

    def __call__(self, receipt: Receipt | None) -> None:
        usual = self.dialect.accepted
        if usual is not None and receipt is not None and receipt.verdicts == _ONE and not self.cookie:
            found = _usual.get((id(usual), id(self.cors)))
            self.deferred.complete(_accepted(usual, self.cors) if found is None else found[0])
        else:
            self.deferred.complete(self.routes.safely_answered(self.dialect, self.request, receipt, self.cookie))


# Usual answers with the headers of an origin. By identity, since hashing headers costs more than adding them; what
# an id belongs to is kept beside it, so that nothing else can have it.
_usual: dict[tuple[int, int], tuple[Response, Response, Headers]] = {}


def _accepted(response: Response, cors: Headers) -> Response:
    """Make the usual answer, once for each origin's headers."""
    if len(_usual) >= _USUAL_MOST:
        _usual.clear()
    made = _with(response, cors + _ACCEPTED)
    _usual[id(response), id(cors)] = made, response, cors
    return made


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
    by_ratio = max(len(packed) * _RATIO_MOST, 1024)
    try:
        body = unpacker.decompress(packed, min(most, by_ratio) + 1)
    except zlib.error as error:
        raise unreadable(f"the body is not {coding}: {error}") from error
    if len(body) > most:
        raise HttpError(413, "too_large", "the unpacked body is too large", f"send at most {most} bytes at once")
    if len(body) > by_ratio:
        problem = f"the body unpacks to more than {_RATIO_MOST} times its size"
        raise HttpError(413, "too_large", problem, "send it without Content-Encoding")
    if not unpacker.eof or unpacker.unused_data:
        raise unreadable("the packed body is cut off, or something follows it")
    return msgspec.structs.replace(request, body=body)
