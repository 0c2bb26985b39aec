"""GET /api/v1/quality and what is below it: what was lost on its way, what came of the rest, and which robots came."""

import time
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.arrivals import ArrivalPoint, arrivals
from visitor_tracker.reports.quality import Point, quality
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.reports.robots import LIMIT, LIMIT_MOST, Crawler, PagesOf, Reason, RobotPage, robots
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


class ArrivalsAnswer(OfDays, frozen=True, kw_only=True):
    """What came of the events that the server accepted."""

    accepted: Annotated[int, Meta(description="Events that were stored or known already")]
    stored: int
    duplicates: Annotated[int, Meta(description="Sent once more after they had been stored: counted once")]
    late: Annotated[int, Meta(description="Of those stored: more than ten minutes after they happened")]
    numbered: Annotated[int, Meta(description="Of those stored: with the number of a browser tab, by the script")]
    people: int
    robots: int
    doubtful: Annotated[int, Meta(description="Of people's: something speaks for a robot, but not enough")]
    interval: Literal["hour", "day"]
    since: Annotated[str | None, Meta(description="The first hour that was counted; null: nothing has arrived")]
    waiting: Annotated[int, Meta(description="Accepted and not stored yet, now")]
    set_aside: Annotated[int, Meta(description="What could not be stored: `visitor-tracker deadletter list`")]
    points: Annotated[list[ArrivalPoint], Meta(description="The hours or days in which something arrived")]


class RobotsQuery(OfPeriod, frozen=True):
    """Whose pages are told."""

    crawler: Annotated[str, Meta(description="Name of a crawler, as in `crawlers`; without it all")] = ""
    ai: Annotated[bool, Meta(description="Only crawlers that read for language models")] = False
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Pages")] = LIMIT


class RobotsAnswer(OfDays, frozen=True, kw_only=True):
    """Robots by reason, by name, and what they asked for."""

    events: int
    doubtful: Annotated[int, Meta(description="Events of visitors that speak for a robot, but not enough")]
    days_missing: Annotated[int, Meta(description="Days of the period whose events are not kept any more")]
    reasons: list[Reason]
    crawlers: list[Crawler]
    pages: list[RobotPage]
    pages_in_all: int


class QualityRoutes:
    """Handlers of losses, arrivals and robots; for readers."""

    def __init__(self, store: SqlStore, snapshot: Callable[[], Snapshot], clock: Callable[[], int] = now_ms) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._clock = clock

    def routes(self) -> list[Route]:
        summary = "how many events were lost: ?site=&period="
        return [
            Route("GET", "/api/v1/quality", self.quality, summary, "read", query=OfPeriod, answer=Losses),
            Route(
                "GET", "/api/v1/quality/arrivals", self.arrivals, "what came of accepted events", "read",
                query=OfPeriod, answer=ArrivalsAnswer,
            ),
            Route(
                "GET", "/api/v1/quality/robots", self.robots, "robots by reason, name and page", "read",
                query=RobotsQuery, answer=RobotsAnswer,
            ),
        ]  # fmt: skip

    def quality(self, request: Request) -> Answer:
        """GET /api/v1/quality: {site, from, to, timezone, interval, tabs, received, expected, lost, …, points}."""
        asked = question_of(request, OfPeriod)
        site = asked.among(visible(self._snapshot(), request))
        span = self._span(asked.period, site)
        # One after the other: the tabs of a busy week keep a core busy that visits need too.
        with long_turn():
            found = quality(self._database, site, span)
        return answer(over_days(Losses, site, span, found))

    def arrivals(self, request: Request) -> Answer:
        """GET /api/v1/quality/arrivals: {accepted, stored, duplicates, late, …, points}."""
        asked = question_of(request, OfPeriod)
        site = asked.among(visible(self._snapshot(), request))
        span = self._span(asked.period, site)
        return answer(over_days(ArrivalsAnswer, site, span, arrivals(self._database, site, span)))

    def robots(self, request: Request) -> Answer:
        """GET /api/v1/quality/robots: {events, doubtful, reasons, crawlers, pages}."""
        asked = question_of(request, RobotsQuery)
        site = asked.among(visible(self._snapshot(), request))
        span = self._span(asked.period, site)
        try:
            with long_turn():
                found = robots(self._database, site, span, PagesOf(asked.crawler, asked.ai, asked.limit))
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
        return answer(over_days(RobotsAnswer, site, span, found))

    def _span(self, period: str, site: Site) -> Span:
        table = ReportTable(self._database)
        try:
            return read_span(period, site.timezone, self._clock(), lambda: table.known(site.id))
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
