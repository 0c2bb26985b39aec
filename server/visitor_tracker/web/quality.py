"""GET /api/v1/quality: how many events of a site were lost on their way."""

import time
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.quality import Point, quality
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.asked import answer
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfDays, OfPeriod, over_days
from visitor_tracker.web.turns import long_turn
from visitor_tracker.web.typed import question_of


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Losses(OfDays, frozen=True, kw_only=True):
    """How many events of tabs came, and how many should have by the numbers that tabs give them."""

    tabs: int
    received: int
    expected: int
    lost: int
    share_lost: Annotated[float | None, Meta(description="null where nothing was expected")]
    interval: Literal["hour", "day"]
    note: str
    points: Annotated[list[Point], Meta(description="The hours or days that have tabs")]


class QualityRoutes:
    """The handler of losses; for readers."""

    def __init__(self, store: SqlStore, snapshot: Callable[[], Snapshot], clock: Callable[[], int] = now_ms) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._clock = clock

    def routes(self) -> list[Route]:
        summary = "how many events were lost: ?site=&period="
        return [
            Route("GET", "/api/v1/quality", self.quality, summary, "read", query=OfPeriod, answer=Losses),
        ]

    def quality(self, request: Request) -> Answer:
        """GET /api/v1/quality: {site, from, to, timezone, interval, tabs, received, expected, lost, …, points}."""
        asked = question_of(request, OfPeriod)
        site = asked.among(visible(self._snapshot(), request))
        span = self._span(asked.period, site)
        # One after the other: the tabs of a busy week keep a core busy that visits need too.
        with long_turn():
            found = quality(self._database, site, span)
        return answer(over_days(Losses, site, span, found))

    def _span(self, period: str, site: Site) -> Span:
        table = ReportTable(self._database)
        try:
            return read_span(period, site.timezone, self._clock(), lambda: table.known(site.id))
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
