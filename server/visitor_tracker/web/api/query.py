"""The query API: numbers of a site by any metrics, dimensions and filters."""

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.forecasting import FORECAST_MOST
from visitor_tracker.reports.asking.glossary import Glossary, glossary
from visitor_tracker.reports.asking.named import goal_named, segment_named
from visitor_tracker.reports.asking.reading import (
    LIMIT_MOST,
    LIMIT_OF_FILES,
    About,
    Format,
    StatsQuery,
    read_query,
)
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.asking.spans import Range
from visitor_tracker.reports.asking.tables import csv_of, ndjson_of
from visitor_tracker.reports.asking.trees import Tree
from visitor_tracker.reports.query import WEEK_STARTS, QueryError
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api import presets, properties
from visitor_tracker.web.api.kept import NoQuery, owner_of
from visitor_tracker.web.api.queries import answer_in_turn, refusal
from visitor_tracker.web.api.several import SeveralRoutes
from visitor_tracker.web.asked import answer, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of

PATH = "/api/v1/stats/query"

_MEDIA: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
}
_FILES: dict[Format, Callable[[Answered], bytes]] = {"csv": csv_of, "ndjson": ndjson_of}
_PLACE = re.compile(r" - at `\$\.(\w+)")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


class QueryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query in the address: as the body of POST, lists with commas between."""

    site: Annotated[str, Meta(description="Name or alias")] = "default"
    metrics: Annotated[str, Meta(description="Such as visitors,visits,bounce_rate")] = ""
    dimensions: Annotated[str, Meta(description="None, one or two, such as source,page or time:day")] = ""
    filters: Annotated[str, Meta(description="A filter as text, or as JSON")] = ""
    segment: Annotated[str, Meta(description="Name of a segment of the site")] = ""
    goal: Annotated[str, Meta(description="Name of a goal, of which conversions and conversion_rate are")] = ""
    date_range: Annotated[str, Meta(description="Such as 30d, month, lifetime, 2026-01-01,2026-03-31")] = "30d"
    interval: Annotated[str, Meta(description="hour, day, week or month")] = ""
    timezone: Annotated[str, Meta(description="Whose days; the site's by default")] = ""
    compare: Annotated[str, Meta(description="previous, year, or two days")] = ""
    order_by: Annotated[str, Meta(description="Such as visits:desc,page")] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_OF_FILES, description="Rows; in JSON at most 1,000")] | None = None
    cursor: Annotated[str, Meta(description="Of an answer: the rows that follow")] = ""
    forecast: Annotated[
        int, Meta(ge=0, le=FORECAST_MOST, description="Hours, days, weeks or months to foretell: by time, no filters")
    ] = 0
    format: Annotated[Format, Meta(description="Instead of the header Accept")] | None = None
    week_start: Annotated[str, Meta(description=f"{', '.join(WEEK_STARTS)}: what weeks begin with")] = ""


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    return [*QueryRoutes(parts).routes(), *presets.routes(parts), *properties.routes(parts)]


class QueryRoutes:
    """Handlers of the query language; for readers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)
        self._insight = InsightTable(parts.store.database)

    def routes(self) -> list[Route]:
        summary = "numbers of a site by metrics, dimensions and filters"
        return [
            Route("POST", PATH, self.post, summary, "read", query=NoQuery, body=StatsQuery, answer=Answered),
            Route("GET", PATH, self.get, summary, "read", query=QueryParameters, answer=Answered),
            *SeveralRoutes(self._table, self.understood).routes(),
            Route(
                "GET", "/api/v1/stats/definitions", self.definitions, "what each metric means", "own", answer=Glossary
            ),
        ]

    def post(self, request: Request) -> Answer:
        """POST /api/v1/stats/query: {query, rows, totals, meta, cursor}."""
        query_as(request, NoQuery)
        return self.answer(request, body_query(request))

    def get(self, request: Request) -> Answer:
        """GET /api/v1/stats/query: the same of parameters."""
        return self.answer(request, _of_parameters(question_of(request, QueryParameters)))

    def definitions(self, request: Request) -> Answer:
        """GET /api/v1/stats/definitions: {metrics: [{metric, definition, unit, …}]}."""
        return answer(glossary())

    def answer(self, request: Request, query: StatsQuery) -> Answer:
        """Answer a query in the format that was asked for."""
        kind = query.format or _accepted(request)
        if query.forecast and kind != "json":
            raise HttpError(400, "invalid_forecast", f"{kind} has no place for a forecast", "ask for JSON")
        try:
            ask = self.understood(request, query, LIMIT_MOST if kind == "json" else LIMIT_OF_FILES)
            found = answer_in_turn(self._table, ask)
        except QueryError as error:
            raise refusal(error) from error
        return _response(found, kind, ask.question.site)

    def understood(self, request: Request, query: StatsQuery, limit_most: int = LIMIT_MOST) -> Ask:
        """Return what a query asks; raises HttpError 404 where its site is unknown, and QueryError."""
        snapshot = visible(self._parts.snapshot(), request)
        site = site_named(query.site, snapshot)
        about = About(
            site,
            snapshot.policy_of(site.id).visitor,
            known=partial(self._table.known, site.id),
            segment=partial(segment_named, self._insight, site.id, owner_of(who_of(request))),
            goal=partial(goal_named, self._insight, site.id),
        )
        return read_query(query, about, self._parts.clock(), limit_most)


def body_query(request: Request) -> StatsQuery:
    """Return the query of a body; raises HttpError 400 that names the part."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=StatsQuery)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        hint = f"use {', '.join(StatsQuery.__struct_encode_fields__)}"
        code = f"invalid_{place[1]}" if place else "invalid_body"
        raise HttpError(400, code, str(error).replace("`$.", "`").replace(" - at `$`", ""), hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, "invalid_body", f"the body is no JSON: {error}", "see docs/query.md") from error


def _of_parameters(given: QueryParameters) -> StatsQuery:
    return StatsQuery(
        given.site,
        _list(given.metrics),
        _list(given.dimensions),
        _tree(given.filters),
        given.segment,
        given.goal,
        _range(given.date_range),
        given.interval,
        given.timezone,
        _range(given.compare) if given.compare else None,
        _list(given.order_by),
        given.limit or 0,
        given.cursor,
        given.forecast,
        given.format,
        given.week_start,
    )


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _range(text: str) -> Range:
    return _list(text) if "," in text else text


def _tree(text: str) -> Tree | None:
    if not text.lstrip().startswith(("{", "[")):
        return text or None
    try:
        found: Tree = msgspec.json.decode(text, type=list[object] | dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, "invalid_filters", f"filters are no JSON: {error}", "see docs/query.md") from error
    return found


def _accepted(request: Request) -> Format:
    """Return the format that Accept asks for: the first of those that it names, JSON where it names none."""
    for part in request.headers.get("accept", "").lower().split(","):
        media = part.partition(";")[0].strip()
        if media == "text/csv":
            return "csv"
        if media in ("application/x-ndjson", "application/ndjson"):
            return "ndjson"
        if media in ("application/json", "*/*", "application/*"):
            return "json"
    return "json"


def _response(found: Answered, kind: Format, site: Site) -> Response:
    if kind == "json":
        return answer(found)
    days = found.meta.first if found.meta.first == found.meta.last else f"{found.meta.first}-{found.meta.last}"
    name = f"{_NOT_IN_NAMES.sub('_', site.name)}-{days}.{kind}"
    headers: Headers = (
        ("Content-Type", _MEDIA[kind]),
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Vary", "Accept"),
    )
    if found.cursor is not None:
        headers += (("X-Cursor", found.cursor),)
    return Response(200, _FILES[kind](found), headers)
