"""The per-page visit counter: /update, /count, /api/v1/visits, /pixel.gif, /verify."""

import base64
import re
from datetime import UTC, datetime
from functools import lru_cache, partial
from urllib.parse import urlencode

import msgspec

from visitor_tracker.access.tokens import TokenSigner
from visitor_tracker.errors import HttpError
from visitor_tracker.event import Counted, Event, PageCount, Visit
from visitor_tracker.http.message import Answer, Deferred, Headers, Request, Response, error_response
from visitor_tracker.http.url import parse_query
from visitor_tracker.ingest.agent import Reading
from visitor_tracker.ingest.counter import Counter, Outcome, Unnumbered
from visitor_tracker.ingest.counting_apart import CountingApart
from visitor_tracker.ingest.hit import Client
from visitor_tracker.ingest.intake import Intake
from visitor_tracker.ingest.scrub import scrub_url, tells
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import PagePage, Store
from visitor_tracker.web.collect import Clients
from visitor_tracker.web.counted import (
    CountedVisit,
    OfPage,
    OfPages,
    OfReferer,
    OfToken,
    PageList,
    PageRow,
    SentVisit,
    Verified,
)
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.ids import read_id
from visitor_tracker.web.pages import Page, PageReader
from visitor_tracker.web.router import Handler, Route, is_prefetch
from visitor_tracker.web.typed import question_of

_JSON: Headers = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
_TEXT: Headers = (("Content-Type", "text/plain; charset=utf-8"), *_JSON[1:])
_IMAGE: Headers = (("Content-Type", "image/gif"), *_JSON[1:])
_ACCEPTED: Headers = (("X-Tracker", "accepted"),)
_UNAVAILABLE: Headers = (("X-Tracker", "dropped: unavailable"),)
_DUPLICATE: Headers = (("X-Tracker", "dropped: duplicate"),)
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PENDING = b',"visit_count":null,"last_visited":null,"created_at":null,"security_token":null,"pending":true}'
_OPTED_OUT = _PENDING.replace(b"pending", b"opted_out")
_NOT_COUNTED: Headers = (("X-Tracker", "dropped: opt_out"),)
_BY_PATH = re.compile(r"(?:^|&)p=").search


_read_sent = msgspec.json.Decoder(SentVisit).decode


class CounterRoutes:
    """Handlers; the fast ones run on the loop and answer when the batch is durable."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        counter: Counter | CountingApart,
        store: Store,
        intake: Intake,
        clients: Clients,
        guards: Guards,
        pages: PageReader,
        signer: TokenSigner,
        counters: Counters,
        path_pixel: Handler,
    ) -> None:
        """`path_pixel` answers GET /count?p=, which is another tracker's way to count a page."""
        self._path_pixel = path_pixel
        self._counter = counter
        self._store = store
        self._intake = intake
        self._clients = clients
        self._guards = guards
        self._pages = pages
        self._signer = signer
        self._counters = counters

    def routes(self) -> list[Route]:
        count = "count a visit to ?url= and return the page's new count"
        once = "count a visit, once per id: {url, id?}"
        read = "the count of ?url=, or the list of all pages"
        image = "count a visit to ?url= and return an invisible image"
        visits, many = "/api/v1/visits", PageRow | list[PageRow]
        return [
            Route("GET", "/update", self.update, count, fast=True, query=OfPage, answer=CountedVisit),
            Route("GET", "/count", self.count, read, query=OfPages, answer=many),
            Route("POST", visits, self.post_visit, once, fast=True, body=SentVisit, answer=CountedVisit),
            Route("GET", visits, self.get_visits, read, query=OfPages, answer=PageRow | PageList),
            Route("GET", "/pixel.gif", self.pixel, image, fast=True, query=OfReferer, media="image/gif"),
            Route(
                "GET", "/verify", self.verify, "check a security token: ?url=&token=", query=OfToken, answer=Verified
            ),
        ]

    def update(self, request: Request) -> Answer:
        """GET /update?url= (a counter of old: errors are plain text)."""
        try:
            page = self._pages.from_query(request.query)
        except ValueError:
            page = None
        if page is None:
            return self._invalid(request)
        if request.method == "HEAD" or is_prefetch(request):
            return self._only_read(page, request)
        return self._count(page, page.visit, request)

    def post_visit(self, request: Request) -> Answer:
        """POST /api/v1/visits: JSON, also sent as text/plain so that browsers need no preflight."""
        try:
            sent = _read_sent(request.body)
            visit_id = None if sent.id is None else read_id(sent.id)
        except (ValueError, RecursionError) as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
            raise HttpError(
                400,
                "invalid_event",
                str(error),
                'send {"url": "https://…", "id": "32 hex digits"}',
                dropped="invalid_event",
            ) from error
        page = self._page(sent.url)
        visit = page.visit if visit_id is None else Visit(page.hash, page.url, visit_id)
        return self._count(page, visit, request)

    def pixel(self, request: Request) -> Answer:
        """GET /pixel.gif?url=, or of the page that shows the image (Referer)."""
        try:
            page = self._pages.from_query(request.query)
        except ValueError as error:
            raise _invalid_url(error) from error
        page = page or self._page(request.headers.get("referer", ""))
        if request.method == "HEAD" or is_prefetch(request):
            self._counters.add(Cell.DROPPED_PREFETCH)
            return Response(
                200, _PIXEL, _IMAGE + self._guards.cors.headers(request) + (("X-Tracker", "dropped: prefetch"),)
            )
        return self._count(page, page.visit, request, image=True)

    def count(self, request: Request) -> Answer:
        """GET /count: one row, or the rows of all pages as an array that Link continues."""
        if _BY_PATH(request.query) and "url" not in _fields(request):
            return self._path_pixel(request)
        one = self._one(request)
        if one is not None:
            return one
        found = self._list(request)
        headers = _JSON
        if found.cursor is not None:
            fields = parse_query(request.query) | {"cursor": found.cursor}
            headers += (("Link", f'</count?{urlencode(fields)}>; rel="next"'),)
        return Response(200, b"[" + b",".join(map(_row, found.pages)) + b"]", headers)

    def get_visits(self, request: Request) -> Answer:
        """GET /api/v1/visits: one row, or {pages, cursor}."""
        one = self._one(request)
        if one is not None:
            return one
        found = self._list(request)
        cursor = msgspec.json.encode(found.cursor)
        return Response(200, b'{"pages":[' + b",".join(map(_row, found.pages)) + b'],"cursor":' + cursor + b"}", _JSON)

    def verify(self, request: Request) -> Answer:
        """GET /verify?url=&token=: what the token proves."""
        self._guards.limit(request)
        asked = question_of(request, OfToken)
        page = self._page(asked.url)
        claim = self._signer.verify(page.hash, asked.token)
        says: dict[str, object] = {"valid": claim is not None, "page_url": page.url}
        if claim is not None:
            says |= {"visit_count": claim.visit_count, "at": iso(claim.at)}
        return Response(200, msgspec.json.encode(says), _JSON + self._guards.cors.headers(request))

    def _count(self, page: Page, visit: Visit, request: Request, *, image: bool = False) -> Answer:
        """Let the visit, and the event that reports have of it, join the batch; the answer comes when it is stored."""
        guards = self._guards
        address = guards.count(request)
        cors = guards.cors.headers(request)
        client = self._clients.of(request, address)
        is_shared = not tells(page.sent, client.ip, client.user_agent)
        if not is_shared:  # such a page is this visitor's alone
            page = self._page(scrub_url(page.sent, client.ip, client.user_agent))
            visit = Visit(page.hash, page.url, visit.id)
        deferred = Deferred()
        counting = _Counting(self, page, visit, client, cors, deferred, is_shared, image)
        known = self._intake.known(client.user_agent)
        if known is not None:
            self.join(counting, known)
        else:
            self._intake.with_reading(client.user_agent, partial(self.join, counting))
        return deferred

    def join(self, counting: "_Counting", reading: Reading) -> None:
        """Let the visit wait for the next batch, with its event."""
        page, visit, cors, deferred = counting.page, counting.visit, counting.cors, counting.deferred
        event = self._intake.event_of(page.sent, visit.id, counting.client, reading, is_shared=counting.is_shared)
        if event == "hostname":
            self._counters.add(Cell.DROPPED_HOSTNAME)
            deferred.complete(error_response(_foreign(), (*cors, ("X-Tracker", "dropped: hostname"))))
        elif event == "opt_out":
            self._counters.add(Cell.DROPPED_OPT_OUT)
            deferred.complete(Response(200, page.json + _OPTED_OUT, _JSON + _NOT_COUNTED + cors))
        elif not self._counter.add(visit, counting, event if isinstance(event, Event) else None):
            self._counters.add(Cell.DROPPED_UNAVAILABLE)
            deferred.complete(error_response(_away(), cors + _UNAVAILABLE))

    def answer(self, page: Page, outcome: Outcome, cors: Headers, *, image: bool) -> Response:
        """Return the answer to a visit of which this became."""
        if isinstance(outcome, Counted):
            state = _DUPLICATE if outcome.duplicate else _ACCEPTED
            if image:
                return Response(200, _PIXEL, _IMAGE + state + cors)
            return Response(200, self._counted(page, outcome), _JSON + state + cors)
        if outcome is not Unnumbered.PENDING:
            return error_response(_away(), cors + _UNAVAILABLE)
        if image:
            return Response(200, _PIXEL, _IMAGE + _ACCEPTED + cors)
        return Response(202, page.json + _PENDING, _JSON + _ACCEPTED + cors)

    def _counted(self, page: Page, counted: Counted) -> bytes:
        token = self._signer.sign(page.hash, counted.visit_count, counted.last_visited)
        return b'%b,"visit_count":%d,"last_visited":"%b","created_at":"%b","security_token":"%b"%b}' % (
            page.json,
            counted.visit_count,
            _iso_bytes(counted.last_visited),
            _iso_bytes(counted.created_at),
            token.encode(),
            b',"duplicate":true' if counted.duplicate else b"",
        )

    def _one(self, request: Request) -> Response | None:
        """Answer for the page that url= names; None when no page is named."""
        try:
            page = self._pages.from_query(request.query)
        except ValueError as error:
            if request.path == "/count":
                return self._invalid(request)
            raise _invalid_url(error) from error
        if page is None:
            return None
        self._guards.limit(request)
        return Response(200, self._row_of(page), _JSON + self._guards.cors.headers(request))

    def _only_read(self, page: Page, request: Request) -> Response:
        """Answer a request that is no visit (yet) with the number as it is."""
        self._guards.limit(request)
        self._counters.add(Cell.DROPPED_PREFETCH)
        dropped: Headers = (("X-Tracker", "dropped: prefetch"),)
        return Response(200, self._row_of(page), _JSON + dropped + self._guards.cors.headers(request))

    def _row_of(self, page: Page) -> bytes:
        found = self._store.page(page.hash)
        return page.json + b',"visit_count":0,"last_visited":null,"created_at":null}' if found is None else _row(found)

    def _list(self, request: Request) -> PagePage:
        self._guards.read(request)
        asked = question_of(request, OfPages)
        try:
            return self._store.pages(order=asked.order, limit=asked.limit, cursor=asked.cursor or None)
        except ValueError as error:
            raise HttpError(400, "invalid_cursor", str(error), "use the cursor of the previous answer") from error

    def _page(self, url: str) -> Page:
        try:
            return self._pages.from_url(url)
        except ValueError as error:
            raise _invalid_url(error) from error

    def _invalid(self, request: Request) -> Response:
        self._counters.add(Cell.DROPPED_INVALID_URL)
        dropped: Headers = (("X-Tracker", "dropped: invalid_url"),)
        return Response(400, b"Invalid URL", _TEXT + dropped + self._guards.cors.headers(request))


class _Counting(msgspec.Struct, frozen=True, gc=False):
    """A visit on its way, which answers when called; a function with all of this bound costs twice as much."""

    routes: CounterRoutes
    page: Page
    visit: Visit
    client: Client
    cors: Headers
    deferred: Deferred
    is_shared: bool  # nothing of the client is in the page's URL
    image: bool

    def __call__(self, outcome: Outcome) -> None:
        if outcome is Unnumbered.UNKNOWN:
            self.deferred.abandon()
        else:
            self.deferred.complete(self.routes.answer(self.page, outcome, self.cors, image=self.image))


@lru_cache(4096)
def iso(milliseconds: int) -> str:
    """Return an epoch time in ms as ISO 8601, UTC."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


@lru_cache(4096)
def _iso_bytes(milliseconds: int) -> bytes:
    return iso(milliseconds).encode()


def _row(page: PageCount) -> bytes:
    return b'{"page_url":%b,"visit_count":%d,"last_visited":"%b","created_at":"%b"}' % (
        msgspec.json.encode(page.page_url),
        page.visit_count,
        iso(page.last_visited).encode(),
        iso(page.created_at).encode(),
    )


def _fields(request: Request) -> dict[str, str]:
    try:
        return parse_query(request.query)
    except ValueError as error:
        raise HttpError(400, "invalid_query", str(error)) from error


def _invalid_url(error: ValueError) -> HttpError:
    return HttpError(400, "invalid_url", "Invalid URL", str(error), dropped="invalid_url")


def _foreign() -> HttpError:
    return HttpError(
        403,
        "hostname_not_allowed",
        "pages of this host are not counted here",
        "add it:  visitor-tracker site set NAME --hostname HOST",
        dropped="hostname",
    )


def _away() -> HttpError:
    return HttpError(
        503,
        "store_unavailable",
        "neither store nor journal can take this visit now; it was not counted",
        "send it again",
        retry_after=2,
        dropped="unavailable",
    )
