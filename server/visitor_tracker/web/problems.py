"""GET /api/v1/errors and /api/v1/vitals: what goes wrong on a site's pages, and how quick they are."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from visitor_tracker.days import date_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.http.url import parse_query
from visitor_tracker.reports import problems, vitals
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route

_JSON: Headers = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
_FIELDS = ("site", "site_id", "from", "to", "period", "limit")
_PERIOD = "30d"
_DIGITS_MOST = 9  # of a number
_LONG_WAIT_SECONDS = 5.0  # for the answer to another question


class ProblemRoutes:
    """Handlers of errors and vitals; for readers."""

    def __init__(
        self, store: SqlStore, snapshot: Callable[[], Snapshot], *, clock: Callable[[], int] | None = None
    ) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._long = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/api/v1/errors", self.errors, "errors of a site's pages: ?site=&from=&to=", "visitors"),
            Route("GET", "/api/v1/vitals", self.vitals, "Web Vitals of a site: ?site=&from=&to=&by=page", "read"),
        ]

    def errors(self, request: Request) -> Answer:
        """GET /api/v1/errors: {site, from, to, errors, groups, problems}."""
        fields = _fields(request, _FIELDS)
        limit = _limit(fields, problems.LIMIT, problems.LIMIT_MOST)
        with self._reading(request, fields) as (site, span):
            found = problems.problems(self._database, site, span, limit)
        return _answer(site, span, found)

    def vitals(self, request: Request) -> Answer:
        """GET /api/v1/vitals: {site, from, to, vitals, by, rows, rows_in_all}."""
        fields = _fields(request, (*_FIELDS, "by"))
        limit = _limit(fields, vitals.LIMIT, vitals.LIMIT_MOST)
        by = next((each for each in vitals.BY if each == fields.get("by")), None)
        if by is None and fields.get("by"):
            raise HttpError(400, "invalid_by", "by cannot be that", f"use by={', '.join(vitals.BY)}")
        with self._reading(request, fields) as (site, span):
            found = vitals.vitals(self._database, site, span, by, limit)
        return _answer(site, span, found)

    @contextmanager
    def _reading(self, request: Request, fields: dict[str, str]) -> Iterator[tuple[Site, Span]]:
        """Read one question after the other: each may keep a core busy that visits need too."""
        site = self._site(request, fields)
        if not self._long.acquire(timeout=_LONG_WAIT_SECONDS):
            raise HttpError(503, "busy", "another such question is being answered", "try again", retry_after=5)
        try:
            yield site, self._span(fields, site)
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
        finally:
            self._long.release()

    def _site(self, request: Request, fields: dict[str, str]) -> Site:
        site = visible(self._snapshot(), request).by_name.get(fields.get("site") or fields.get("site_id") or "default")
        if site is None:
            raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows the names")
        return site

    def _span(self, fields: dict[str, str], site: Site) -> Span:
        """Return the days asked for; `from` alone goes on until today, `to` alone is that day."""
        now_ms = self._clock()
        first, last = fields.get("from", ""), fields.get("to", "")
        if not first and not last:
            table = ReportTable(self._database)
            return read_span(fields.get("period") or _PERIOD, site.timezone, now_ms, lambda: table.known(site.id))
        today = date_of(read_span("today", site.timezone, now_ms, lambda: None).today).isoformat()
        return read_span(f"{first or last}..{last or max(first, today)}", site.timezone, now_ms, lambda: None)


def _fields(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    try:
        fields = parse_query(request.query)
    except ValueError as error:
        raise HttpError(400, "invalid_query", str(error)) from error
    if unknown := sorted(set(fields) - set(known)):
        raise HttpError(
            400, "unknown_parameter", f"there is no parameter {unknown[0][:40]!r}", f"use {', '.join(known)}"
        )
    return fields


def _limit(fields: dict[str, str], default: int, most: int) -> int:
    text = fields.get("limit") or str(default)
    if not (len(text) <= _DIGITS_MOST and text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise HttpError(400, "invalid_limit", "limit cannot be that", f"use limit=1 to limit={most}")
    return int(text)


def _answer(site: Site, span: Span, found: msgspec.Struct) -> Response:
    days = {"from": date_of(span.first_day).isoformat(), "to": date_of(span.last_day).isoformat()}
    body = {"site": site.name, **days, "timezone": span.timezone, **msgspec.to_builtins(found)}
    return Response(200, msgspec.json.encode(body), _JSON)
