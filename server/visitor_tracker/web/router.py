"""Find the handler of a request, and turn what goes wrong into answers."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

import msgspec

from visitor_tracker.access.who import NOBODY, Access
from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response, error_response
from visitor_tracker.ingest.dropped import CELL_OF
from visitor_tracker.metrics import Counters
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.routed import routed, who_of

log = logging.getLogger(__name__)

Handler = Callable[[Request], Answer]

HTML = "text/html"
_FAST_BODY_BYTES = 8 * 1024  # a body that the loop may read: a few events
_NO_ARGUMENTS: Mapping[str, str] = {}
PREFETCHING = frozenset(("sec-purpose", "purpose", "x-moz"))  # fields in which browsers say that they fetch ahead
_NOT_AT_ONCE = PREFETCHING | {"content-encoding", "authorization"}
_HSTS: Headers = (("Strict-Transport-Security", "max-age=31536000"),)


@dataclass(frozen=True, slots=True)
class Route:
    """One URL: who may use it, and whether its handler may run on the loop (never blocks, microseconds).

    Parts of a path in braces, as in `/sessions/{id}`, stand for any one part; where a route without braces fits too,
    that one is meant. The handler gets them by `argument` or `argument_named`. Such a route is not fast.

    access    who may use it                                     for
    public    anybody, also pages of other origins               counting, and what is shown to visitors
    own       anybody, from this server's own pages              pages, files, log-in, monitors
    read      who reads a site, also by its share link           numbers
    visitors  who has a role on a site                           single visits, recordings
    manage    who owns a site                                    changes of it; its visitors' rights
    known     whoever is known                                   one's own account
    operate   who reads every site                               figures of the server itself
    admin     admins

    `query`, `body` and `answer` are the types by which the handler reads and writes (see `asked`), from which the
    description of the API is made; `status` is that of success.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: Access = "public"
    fast: bool = False
    body_most: int = 0  # bytes; 0: as many as any other
    query: type[msgspec.Struct] | None = None
    body: object = None  # a type
    answer: object = None  # a type
    status: int = 200
    media: str = "application/json"  # of the answer


class Router:
    """The Application that the socket server calls."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        guards: Guards,
        counters: Counters,
        flush: Callable[[], None],
        hsts: bool = False,
    ) -> None:
        self.routes = tuple(routes)
        self.flush = flush
        self._guards = guards
        self._counters = counters
        self._hsts = hsts
        self._table = {(route.method, route.path): route for route in self.routes}
        for route in self.routes:
            if route.method == "GET":  # its handler sees request.method and counts nothing
                self._table.setdefault(("HEAD", route.path), _without_lane(route))
        self._body_most = {key: route.body_most for key, route in self._table.items() if route.body_most}
        self._fast = {  # who may use the others is for `__call__` to find out
            key: route if route.access == "public" else replace(route, handler=self)
            for key, route in self._table.items()
            if route.fast
        }
        self._methods: dict[str, str] = {}
        for method, path in sorted(self._table):
            self._methods[path] = self._methods.get(path, "OPTIONS") + ", " + method
        self._templates: dict[int, list[tuple[str, ...]]] = {}
        for path in sorted(self._methods, key=_braces):
            if "{" in path:
                parts = tuple(path.split("/"))
                self._templates.setdefault(len(parts), []).append(parts)

    def at_once(self, request: Request) -> Answer | None:
        """Prefetches leave the fast lane, because they only read, and reading may wait.

        So do requests with credentials, which may say more than others, and what takes long to unpack or read.
        """
        route = self._fast.get((request.method, request.path))
        if route is None or len(request.body) > _FAST_BODY_BYTES:
            return None
        headers = request.headers
        if not headers.keys().isdisjoint(_NOT_AT_ONCE) and (
            "content-encoding" in headers or "authorization" in headers or is_prefetch(request)
        ):
            return None
        try:
            answer = route.handler(request)
        except (HttpError, StoreUnavailable, OutcomeUnknown, StoreError) as error:
            return self._failed(error, request, route)
        # What is not public has been through `__call__`.
        return self._secured(answer, request) if self._hsts and route.access == "public" else answer

    def body_limit(self, method: str, path: str) -> int:
        place = path if path in self._methods else self._place_of(path)[0]
        return self._body_most.get((method, place), 0)

    def __call__(self, request: Request) -> Answer:
        route, arguments = self._table.get((request.method, request.path)), _NO_ARGUMENTS
        if route is None or "{" in request.path:  # a client may send braces, too
            path, arguments = self._place_of(request.path)
            route = self._table.get((request.method, path))
        try:
            if route is None:
                return self._without_route(request)
            if route.access != "public" or arguments:
                request = self._admitted(request, route, arguments)
            return self._secured(self._handled(request, route), request)
        except (HttpError, StoreUnavailable, OutcomeUnknown, StoreError) as error:
            return self._failed(error, request, route)

    def _secured(self, answer: Answer, request: Request) -> Answer:
        if self._hsts and request.peer.secure and isinstance(answer, Response):
            return msgspec.structs.replace(answer, headers=answer.headers + _HSTS)
        return answer

    def _failed(self, error: Exception, request: Request, route: Route | None) -> Response:
        """Answer for a handler that raised."""
        if isinstance(error, HttpError):
            return self._refuse(error, request, route)
        if isinstance(error, (StoreUnavailable, OutcomeUnknown)):
            log.debug("answered 503: %s", error)
            away = HttpError(503, "store_unavailable", "the store is away", "try again", retry_after=2)
            return self._refuse(away, request, route)
        log.error("the store refused: %s", error)
        return self._refuse(HttpError(500, "store_error", "the store refused this request"), request, route)

    def _handled(self, request: Request, route: Route) -> Answer:
        if route.access != "read":
            return route.handler(request)
        with self._guards.strangers.place(who_of(request)):
            return route.handler(request)

    def _admitted(self, request: Request, route: Route, arguments: Mapping[str, str]) -> Request:
        """Return what the handler gets; raises HttpError where who asks may not use the route at all."""
        who = NOBODY if route.access in ("public", "own") else self._guards.admit(request, route.access)
        return routed(request, who, route.access, arguments)

    def _place_of(self, path: str) -> tuple[str, Mapping[str, str]]:
        """Return the path of the routes that a request's path is for, and what stands for its parts in braces."""
        if path in self._methods and "{" not in path:
            return path, _NO_ARGUMENTS
        parts = path.split("/")
        for template in self._templates.get(len(parts), ()):
            if all(
                mine == theirs or (mine[:1] == "{" and theirs) for mine, theirs in zip(template, parts, strict=True)
            ):
                return "/".join(template), {
                    mine[1:-1]: unquote(theirs, errors="replace")
                    for mine, theirs in zip(template, parts, strict=True)
                    if mine[:1] == "{"
                }
        return path, _NO_ARGUMENTS

    def _without_route(self, request: Request) -> Response:
        path, _ = self._place_of(request.path)
        methods = self._methods.get(path)
        if methods is None:
            if request.method == "OPTIONS" and request.path == "*":
                return Response(204, headers=(("Allow", "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"),))
            raise HttpError(404, "not_found", "there is no such page", "GET / lists what there is")
        if request.method != "OPTIONS":
            raise HttpError(405, "method_not_allowed", f"{request.method} is not possible here", f"use {methods}")
        if self._is_public(path):
            return self._guards.cors.preflight(request, methods)
        return Response(204, headers=(("Allow", methods),))

    def _is_public(self, path: str) -> bool:
        return any(route.path == path and route.access == "public" for route in self.routes)

    def _refuse(self, error: HttpError, request: Request, route: Route | None) -> Response:
        if error.code == "unknown_site" and route is not None and route.access == "read" and _is_nobody(request):
            error = self._guards.refusal(NOBODY)  # it may be there, for somebody who logs in
        if error.status == 401 and route is not None and route.media == HTML and self._guards.has_accounts:
            place = request.path + ("?" + request.query if request.query else "")
            return Response(303, headers=(("Location", f"/login?next={quote(place)}"), ("Cache-Control", "no-store")))
        headers: Headers = ()
        path = self._place_of(request.path)[0] if route is None else route.path
        if path not in self._methods or (self._is_public(path) if route is None else route.access == "public"):
            headers = self._guards.cors.headers(request)
        if error.dropped:
            self._counters.add(CELL_OF[error.dropped])
            headers += (("X-Tracker", f"dropped: {error.dropped}"),)
        if error.status == 405:
            headers += (("Allow", self._methods[path]),)
        if error.status == 401:
            headers += (("WWW-Authenticate", 'Bearer realm="visitor-tracker"'),)
        return error_response(error, headers)


def argument(request: Request) -> str:
    """Return the last part of a request's path, decoded: what stands for the part in braces of its route."""
    return unquote(request.path.rpartition("/")[2], errors="replace")


def is_prefetch(request: Request) -> bool:
    """Say whether a browser fetches ahead of a visit that may never come."""
    headers = request.headers
    if "sec-purpose" in headers or "purpose" in headers or "x-moz" in headers:
        sent = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-moz", "")
        return "prefetch" in sent.lower() or "preview" in sent.lower()
    return False


def _is_nobody(request: Request) -> bool:
    return who_of(request).kind == "nobody"


def _braces(path: str) -> tuple[bool, ...]:
    """Return by what templates are tried: those that say more of a path first."""
    return tuple(part.startswith("{") for part in path.split("/"))


def _without_lane(route: Route) -> Route:
    return replace(route, method="HEAD", fast=False)
