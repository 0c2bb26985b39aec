"""GET /api/v1/quality: how many events of a site were lost on their way."""

import threading
import time
from collections.abc import Callable

import msgspec

from visitor_tracker.days import date_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.quality import quality
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.asked import answer, fields_of, site_named
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route

_FIELDS = ("site", "site_id", "period")
_PERIOD = "30d"
_LONG_WAIT_SECONDS = 5.0  # for the answer to another question


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class QualityRoutes:
    """The handler of losses; for readers."""

    def __init__(self, store: SqlStore, snapshot: Callable[[], Snapshot], clock: Callable[[], int] = now_ms) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._clock = clock
        self._long = threading.Lock()

    def routes(self) -> list[Route]:
        return [Route("GET", "/api/v1/quality", self.quality, "how many events were lost: ?site=&period=", "read")]

    def quality(self, request: Request) -> Answer:
        """GET /api/v1/quality: {site, from, to, timezone, interval, tabs, received, expected, lost, …, points}."""
        fields = fields_of(request)
        if unknown := sorted(set(fields) - set(_FIELDS)):
            raise HttpError(
                400, "unknown_parameter", f"there is no parameter {unknown[0][:40]!r}", f"use {', '.join(_FIELDS)}"
            )
        site = site_named(fields.get("site") or fields.get("site_id") or "default", visible(self._snapshot(), request))
        span = self._span(fields.get("period") or _PERIOD, site)
        # One after the other: the tabs of a busy week keep a core busy that visits need too.
        if not self._long.acquire(timeout=_LONG_WAIT_SECONDS):
            raise HttpError(503, "busy", "another such question is being answered", "try again", retry_after=5)
        try:
            found = quality(self._database, site, span)
        finally:
            self._long.release()
        days = {"from": date_of(span.first_day).isoformat(), "to": date_of(span.last_day).isoformat()}
        return answer({"site": site.name, **days, "timezone": span.timezone, **msgspec.structs.asdict(found)})

    def _span(self, period: str, site: Site) -> Span:
        table = ReportTable(self._database)
        try:
            return read_span(period, site.timezone, self._clock(), lambda: table.known(site.id))
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
