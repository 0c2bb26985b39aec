"""GET /api/v1/errors and /api/v1/vitals: what goes wrong on a site's pages, and how quick they are."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.days import date_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports import problems, vitals
from visitor_tracker.reports.problems import Problem
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.reports.vitals import Vital, VitalsRow
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
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


class VitalsQuery(ProblemsQuery, frozen=True):
    """The same, and by what the vitals are listed besides."""

    by: Annotated[vitals.By | None, Meta(description="List them by the values of this, too")] = None


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


class ProblemRoutes:
    """Handlers of errors and vitals; for readers."""

    def __init__(
        self, store: SqlStore, snapshot: Callable[[], Snapshot], *, clock: Callable[[], int] | None = None
    ) -> None:
        """`clock` is epoch ms."""
        self._database = store.database
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
        with self._reading(request, asked) as (site, span):
            found = problems.problems(self._database, site, span, asked.limit)
        return answer(over_days(Errors, site, span, found))

    def vitals(self, request: Request) -> Answer:
        """GET /api/v1/vitals: {site, from, to, vitals, by, rows, rows_in_all}."""
        asked = question_of(request, VitalsQuery)
        with self._reading(request, asked) as (site, span):
            found = vitals.vitals(self._database, site, span, asked.by, asked.limit)
        told = over_days(WebVitals, site, span, found)
        if not asked.by:
            told = msgspec.structs.replace(told, by=UNSET, rows=UNSET, rows_in_all=UNSET)
        return answer(told)

    @contextmanager
    def _reading(self, request: Request, asked: ProblemsQuery) -> Iterator[tuple[Site, Span]]:
        """Read one question after the other: each may keep a core busy that visits need too."""
        site = asked.among(visible(self._snapshot(), request))
        try:
            with long_turn():
                yield site, self._span(asked, site)
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error

    def _span(self, asked: ProblemsQuery, site: Site) -> Span:
        """Return the days asked for; `from` alone goes on until today, `to` alone is that day."""
        now_ms = self._clock()
        first, last = asked.first, asked.to
        if not first and not last:
            table = ReportTable(self._database)
            return read_span(asked.period or _PERIOD, site.timezone, now_ms, lambda: table.known(site.id))
        today = date_of(read_span("today", site.timezone, now_ms, lambda: None).today).isoformat()
        return read_span(f"{first or last}..{last or max(first, today)}", site.timezone, now_ms, lambda: None)
