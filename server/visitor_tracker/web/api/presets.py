"""The most frequent queries under names of their own, and who is on a site now."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.live import MINUTES, NOW_MINUTES, LiveView, MinuteViews, Share
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api.queries import answer_in_turn, refusal
from visitor_tracker.web.asked import answer, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of
from visitor_tracker.web.visitors import JUDGE

_METRICS = ["visitors", "visits", "views", "events", "bounce_rate", "engaged", "duration"]


class OfPeriod(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site and some days of it."""

    site: Annotated[str, Meta(description="Name or alias")] = "default"
    period: Annotated[str, Meta(description="Such as 30d, 12mo, lifetime, 2026-01-01..2026-03-31")] = ""


class OfSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site."""

    site: Annotated[str, Meta(description="Name or alias")] = "default"


class Realtime(msgspec.Struct, frozen=True):
    """A site at one moment, in numbers. `visitors_minutes` is less than 30 on a very busy site."""

    site: str
    time: str
    visitors_5_minutes: int
    visitors_30_minutes: int
    visitors_minutes: int
    views_30_minutes: int
    views_per_minute: tuple[MinuteViews, ...]
    pages: tuple[Share, ...]
    sources: tuple[Share, ...]
    countries: tuple[Share, ...]


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file."""
    presets = Presets(parts)
    return [*presets.routes(), RealtimeRoute(parts).route()]


class Presets:
    """Handlers that ask one query each."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)

    def routes(self) -> list[Route]:
        by_day = StatsQuery(metrics=_METRICS, dimensions=["time:day"], date_range="30d", limit=1_000)
        by_month = StatsQuery(metrics=_METRICS, dimensions=["time:month"], date_range="12mo", limit=1_000)
        ever = StatsQuery(metrics=_METRICS, date_range="lifetime")
        browsers = StatsQuery(metrics=[*_METRICS, "share"], dimensions=["browser"], date_range="30d", limit=1_000)
        return [
            self._route("days", by_day, "numbers of each day"),
            self._route("months", by_month, "numbers of each month"),
            self._route("lifetime", ever, "numbers of all time"),
            self._route("browsers", browsers, "numbers of each browser"),
        ]

    def _route(self, name: str, query: StatsQuery, summary: str) -> Route:
        return Route(
            "GET", f"/api/v1/stats/{name}", self._handler(query), summary, "read", query=OfPeriod, answer=Answered
        )

    def _handler(self, query: StatsQuery) -> Callable[[Request], Answer]:
        def handle(request: Request) -> Answer:
            given = question_of(request, OfPeriod)
            snapshot = visible(self._parts.snapshot(), request)
            site = site_named(given.site, snapshot)
            asked = msgspec.structs.replace(query, date_range=given.period or query.date_range)
            about = About(site, snapshot.policy_of(site.id).visitor, known=partial(self._table.known, site.id))
            try:
                return answer(answer_in_turn(self._table, read_query(asked, about, self._parts.clock())))
            except QueryError as error:
                raise refusal(error, {"date_range": "period"}) from error

        return handle


class RealtimeRoute:
    """Who is here, without anything about single visitors: what share links may show."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live = LiveView(parts.store.database, JUDGE)

    def route(self) -> Route:
        summary = f"visitors of the last {NOW_MINUTES} and {MINUTES} minutes, and what they see"
        return Route("GET", "/api/v1/stats/realtime", self.realtime, summary, "read", query=OfSite, answer=Realtime)

    def realtime(self, request: Request) -> Answer:
        """GET /api/v1/stats/realtime?site=."""
        site = site_named(question_of(request, OfSite).site, visible(self._parts.snapshot(), request))
        live = self._live.read(site, self._parts.clock())
        return answer(
            Realtime(
                live.site,
                live.time,
                live.now,
                live.visitors,
                live.visitors_minutes,
                live.views,
                live.minutes,
                live.pages,
                live.sources,
                live.countries,
            )
        )
