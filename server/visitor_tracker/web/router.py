"""Find the handler of a request, and turn what goes wrong into answers."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import msgspec

from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response, error_response
from visitor_tracker.ingest.dropped import CELL_OF
from visitor_tracker.metrics import Counters
from visitor_tracker.web.guards import Guards

log = logging.getLogger(__name__)

Handler = Callable[[Request], Answer]

_FAST_BODY_BYTES = 8 * 1024  # a body that the loop may read: a few events
_HSTS: Headers = (("Strict-Transport-Security", "max-age=31536000"),)


@dataclass(frozen=True, slots=True)
class Route:
    """One URL: who may use it, and whether its handler may run on the loop (never blocks, microseconds).

    A path may end in a part in braces, as `/sessions/{id}` does: any one part that is no other route's; the handler
    gets it by `argument`. Such a route is not fast.

    access `public`: anybody, also pages of other origins; `read`: numbers, see Guards.read; `own`: anybody,
    for this server's own pages and monitors.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: Literal["public", "read", "own"] = "public"
    fast: bool = False
    body_most: int = 0  # bytes; 0: as many as any other


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
        self._fast = frozenset(key for key, route in self._table.items() if route.fast)
        self._methods: dict[str, str] = {}
        for method, path in sorted(self._table):
            self._methods[path] = self._methods.get(path, "OPTIONS") + ", " + method
        self._with_argument = {_folder(path): path for path in self._methods if path.endswith("}")}

    def is_fast(self, request: Request) -> bool:
        """Prefetches leave the fast lane, because they only read, and reading may wait.

        So do requests with credentials, which may say more than others, and what takes long to unpack or read.
        """
        if (request.method, request.path) not in self._fast or len(request.body) > _FAST_BODY_BYTES:
            return False
        headers = request.headers
        return "content-encoding" not in headers and "authorization" not in headers and not is_prefetch(request)

    def body_limit(self, method: str, path: str) -> int:
        return self._body_most.get((method, path), 0)

    def __call__(self, request: Request) -> Answer:
        route = self._table.get((request.method, request.path))
        try:
            if route is None:
                route = self._table.get((request.method, self._path_of(request)))
            if route is None:
                return self._without_route(request)
            if route.access == "read":
                self._guards.read(request)
            answer = route.handler(request)
            if self._hsts and request.peer.secure and isinstance(answer, Response):
                return msgspec.structs.replace(answer, headers=answer.headers + _HSTS)
            return answer  # noqa: TRY300
        except HttpError as error:
            return self._refuse(error, request, route)
        except (StoreUnavailable, OutcomeUnknown) as error:
            log.debug("answered 503: %s", error)
            away = HttpError(503, "store_unavailable", "the store is away", "try again", retry_after=2)
            return self._refuse(away, request, route)
        except StoreError as error:
            log.error("the store refused: %s", error)  # noqa: TRY400
            return self._refuse(HttpError(500, "store_error", "the store refused this request"), request, route)

    def _path_of(self, request: Request) -> str:
        """Return the path of the routes that a request is for: its own, or one that ends in an argument."""
        path = request.path
        if path in self._methods or path.endswith("/"):
            return path
        return self._with_argument.get(_folder(path), path)

    def _without_route(self, request: Request) -> Response:
        path = self._path_of(request)
        methods = self._methods.get(path)
        if methods is None:
            if request.method == "OPTIONS" and request.path == "*":
                return Response(204, headers=(("Allow", "GET, HEAD, OPTIONS, POST"),))
            raise HttpError(404, "not_found", "there is no such page", "GET / lists what there is")
        if request.method != "OPTIONS":
            raise HttpError(405, "method_not_allowed", f"{request.method} is not possible here", f"use {methods}")
        if self._is_public(path):
            return self._guards.cors.preflight(request, methods)
        return Response(204, headers=(("Allow", methods),))

    def _is_public(self, path: str) -> bool:
        return any(route.path == path and route.access == "public" for route in self.routes)

    def _refuse(self, error: HttpError, request: Request, route: Route | None) -> Response:
        headers: Headers = ()
        if route is None or route.access == "public":
            headers = self._guards.cors.headers(request)
        if error.dropped:
            self._counters.add(CELL_OF[error.dropped])
            headers += (("X-Tracker", f"dropped: {error.dropped}"),)
        if error.status == 405:
            headers += (("Allow", self._methods[self._path_of(request)]),)
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


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _without_lane(route: Route) -> Route:
    return Route("HEAD", route.path, route.handler, route.summary, route.access)
