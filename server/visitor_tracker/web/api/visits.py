"""The visits of a site in a list, and what was clicked: from here one goes to single sessions."""

from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.ingest.recording import Viewport, size_of, viewport_class
from visitor_tracker.reports import clicked, visit_list
from visitor_tracker.reports.clicked import Clicked, Spot
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.visit_list import IDS_MOST, VisitList, Wanted, With, cursor_of, mark_of
from visitor_tracker.web.api.kept import Chosen, Desk, FilterText, SegmentName, page_named
from visitor_tracker.web.asked import answer
from visitor_tracker.web.routed import may
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfDays, Period, over_days
from visitor_tracker.web.typed import question_of

_IDS_LENGTH = IDS_MOST * 48  # with all other parameters it must fit into an address


class VisitsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some visits of a site: those of a period that a filter selects."""

    period: Period = "30d"
    filter: FilterText = ""
    segment: SegmentName = ""
    having: Annotated[With | None, Meta(description="Only visits that have one")] = msgspec.field(
        name="with", default=None
    )
    ids: Annotated[
        str,
        Meta(
            description=f"Up to {IDS_MOST} ids of visits, with commas: these and no others, of any period",
            max_length=_IDS_LENGTH,
        ),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=visit_list.LIMIT_MOST, description="How many at most")] = visit_list.LIMIT
    cursor: Annotated[str, Meta(max_length=64, description="`cursor` of the answer before")] = ""


class ClicksQuery(Chosen, frozen=True, forbid_unknown_fields=True):
    """What was clicked in some visits of a site."""

    url: Annotated[str, Meta(description="Address of a page; without it all pages", max_length=2_048)] = ""
    viewport: Annotated[Viewport | None, Meta(description="Width of the visitors' screens; without it any")] = None
    near: Annotated[
        str,
        Meta(
            description="A cell of its heatmap, COLUMN,ROW: only clicks around it",
            pattern=r"^([0-9]{1,4},[0-9]{1,4})?$",
        ),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=clicked.LIMIT_MOST, description="How many spots at most")] = clicked.LIMIT


class Clicks(OfDays, frozen=True, kw_only=True):
    """Spots, those with most trouble first, then the most clicked; the numbers are of all of them."""

    clicks: int
    rage: int
    dead: int
    spots: list[Spot]
    spots_in_all: int


class VisitRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/sites/{site}/visits", self.visits, "visits of a site, the newest first: ?period=",
                "visitors", query=VisitsQuery, answer=VisitList,
            ),
            Route(
                "GET", "/api/v1/clicks", self.clicks, "what was clicked, in rage or in vain first: ?site=&url=", "read",
                query=ClicksQuery, answer=Clicks,
            ),
        ]  # fmt: skip

    def visits(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/visits: {visits, cursor, looked_at}."""
        asked, site = question_of(request, VisitsQuery), self._desk.site(request)
        wanted = _wanted(asked)
        chosen = Chosen(site.name, period=asked.period, filter=asked.filter, segment=asked.segment)
        policy = self._desk.parts.snapshot().policy_of(site.id)
        with self._desk.asked(request, chosen, site) as question:
            return answer(visit_list.visits_of(self._desk.table, question, policy, wanted))

    def clicks(self, request: Request) -> Answer:
        """GET /api/v1/clicks: {site, from, to, clicks, rage, dead, spots}."""
        asked = question_of(request, ClicksQuery)
        page = page_named(asked.url) if asked.url else None
        with self._desk.asked(request, asked) as question:
            found = self._clicked(request, question, asked, page)
            return answer(over_days(Clicks, question.site, question.span, found))

    def _clicked(
        self, request: Request, question: Question, asked: ClicksQuery, page: tuple[str, str] | None
    ) -> Clicked:
        viewport = asked.viewport
        is_shown = None if viewport is None else lambda text: viewport_class(size_of(text)[0]) == viewport
        with_sessions = may(request, "visitors", question.site)
        return clicked.clicked(
            self._desk.table,
            question,
            page=page,
            is_shown=is_shown,
            near=_cell(asked.near),
            limit=asked.limit,
            with_sessions=with_sessions,
        )


def _cell(text: str) -> clicked.Cell | None:
    if not text:
        return None
    column, row = text.split(",")
    return int(column), int(row)


def _wanted(asked: VisitsQuery) -> Wanted:
    try:
        after = cursor_of(asked.cursor) if asked.cursor else Wanted().after
    except ValueError:
        raise HttpError(
            400, "invalid_cursor", "this is no cursor of this list", "leave it out to begin at the first"
        ) from None
    try:
        ids = tuple(mark_of(each.strip()) for each in asked.ids.split(",")) if asked.ids else None
    except ValueError as error:
        raise HttpError(
            400, "invalid_ids", str(error), "use ids as the list of visits, errors and funnels show them, with commas"
        ) from error
    if ids is not None and len(ids) > IDS_MOST:
        raise HttpError(400, "invalid_ids", f"there are {len(ids)} ids", f"use {IDS_MOST} at most")
    return Wanted(after, asked.limit, asked.having, ids)
