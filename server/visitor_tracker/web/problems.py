"""GET /api/v1/errors and /api/v1/vitals: what goes wrong on a site's pages, and how quick they are."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.days import date_of
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports import problems, vitals
from visitor_tracker.reports.problems import Problem
from visitor_tracker.reports.query import Question, Span, read_span
from visitor_tracker.reports.vitals import Part, Vital, VitalsPoint, VitalsRow
from visitor_tracker.reports.within import Within
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.api.kept import FilterText, SegmentName, filters_of, refused
from visitor_tracker.web.asked import answer
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfDays, OfSite, Period, over_days
from visitor_tracker.web.turns import long_turn
from visitor_tracker.web.typed import question_of

_PERIOD = "30d"


class ProblemsQuery(OfSite, frozen=True):
    """The days of a site: from and to, or a period."""

    first: Annotated[str, Meta(description="First day, such as 2026-03-01; alone it goes on until today")] = (
        msgspec.field(name="from", default="")
    )
    to: Annotated[str, Meta(description="Last day; alone that day")] = ""
    period: Annotated[Period, Meta(description="Where there are no from and to; 30d by default")] = ""
    limit: Annotated[int, Meta(ge=1, le=problems.LIMIT_MOST, description="How many at most")] = problems.LIMIT
    filter: FilterText = ""
    segment: SegmentName = ""


class VitalsQuery(ProblemsQuery, frozen=True):
    """The same, of which page, and by what the vitals are listed besides."""

    by: Annotated[vitals.By | None, Meta(description="List them by the values of this, too")] = None
    page: Annotated[str, Meta(description="Path of a page; without it all pages", max_length=2_048)] = ""
    series: Annotated[bool, Meta(description="Tell them by day too, of one day by hour")] = False


class Errors(OfDays, frozen=True, kw_only=True):
    """The problems of a period, the most frequent first; `errors` and `groups` are of all of them."""

    errors: int
    groups: int
    problems: list[Problem]


class WebVitals(OfDays, frozen=True, kw_only=True):
    """The vitals of a period, and by the values of what was asked for, the most measured first."""

    vitals: list[Vital]
    by: str | UnsetType = UNSET
    rows: list[VitalsRow] | UnsetType = UNSET
    rows_in_all: int | UnsetType = UNSET
    series: list[VitalsPoint] | UnsetType = UNSET


class ProblemRoutes:
    """Handlers of errors and vitals; for readers."""

    def __init__(
        self, store: SqlStore, snapshot: Callable[[], Snapshot], *, clock: Callable[[], int] | None = None
    ) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
        self._table = ReportTable(store.database)
        self._kept = InsightTable(store.database)
        self._snapshot = snapshot
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/api/v1/errors",
                self.errors,
                "errors of a site's pages: ?site=&from=&to=",
                "visitors",
                query=ProblemsQuery,
                answer=Errors,
            ),
            Route(
                "GET",
                "/api/v1/vitals",
                self.vitals,
                "Web Vitals of a site: ?site=&from=&to=&by=page",
                "read",
                query=VitalsQuery,
                answer=WebVitals,
            ),
        ]

    def errors(self, request: Request) -> Answer:
        """GET /api/v1/errors: {site, from, to, errors, groups, problems}."""
        asked = question_of(request, ProblemsQuery)
        with self._reading(request, asked) as (site, span, within):
            found = problems.problems(self._database, site, span, asked.limit, within)
        return answer(over_days(Errors, site, span, found))

    def vitals(self, request: Request) -> Answer:
        """GET /api/v1/vitals: {site, from, to, vitals, by, rows, rows_in_all, series}."""
        asked = question_of(request, VitalsQuery)
        with self._reading(request, asked) as (site, span, within):
            found = vitals.vitals(
                self._database,
                site,
                span,
                asked.by,
                asked.limit,
                part=Part(within, asked.page),
                with_series=asked.series,
            )
        told = over_days(WebVitals, site, span, found)
        if not asked.by:
            told = msgspec.structs.replace(told, by=UNSET, rows=UNSET, rows_in_all=UNSET)
        return answer(told if asked.series else msgspec.structs.replace(told, series=UNSET))

    @contextmanager
    def _reading(self, request: Request, asked: ProblemsQuery) -> Iterator[tuple[Site, Span, Within | None]]:
        """Read one question after the other: each may keep a core busy that visits need too."""
        snapshot = visible(self._snapshot(), request)
        site = asked.among(snapshot)
        with refused():
            filters = filters_of(self._kept, request, site, asked.filter, asked.segment)
            span = self._span(asked, site)
            with long_turn():
                policy = snapshot.policy_of(site.id).visitor
                question = Question(site, span, policy, filters=filters)
                yield site, span, Within(self._table, question) if filters is not None else None

    def _span(self, asked: ProblemsQuery, site: Site) -> Span:
        """Return the days asked for; `from` alone goes on until today, `to` alone is that day."""
        now_ms = self._clock()
        first, last = asked.first, asked.to
        if not first and not last:
            return read_span(asked.period or _PERIOD, site.timezone, now_ms, lambda: self._table.known(site.id))
        today = date_of(read_span("today", site.timezone, now_ms, lambda: None).today).isoformat()
        return read_span(f"{first or last}..{last or max(first, today)}", site.timezone, now_ms, lambda: None)
