"""Who comes again, and which pages visits go to one after the other."""

from typing import Annotated

from msgspec import Meta

from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.journeys import (
    LIMIT,
    LIMIT_MOST,
    STEPS,
    STEPS_MOST,
    Direction,
    JourneysAnswer,
    journeys,
)
from visitor_tracker.reports.query import QueryError
from visitor_tracker.reports.retention import CohortInterval, RetentionAnswer, retention
from visitor_tracker.reports.saved import plain
from visitor_tracker.sessions.profiles import TEXT_MOST
from visitor_tracker.web.api.kept import Chosen, Desk, FirstOfWeek, InTime
from visitor_tracker.web.asked import answer
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfPeriod
from visitor_tracker.web.typed import question_of


class RetentionQuery(OfPeriod, frozen=True, forbid_unknown_fields=True):
    """Whose first visits, on which days; the later ones are looked for until the period ends."""

    interval: Annotated[CohortInterval | None, Meta(description="By default what suits the period")] = None
    week_start: FirstOfWeek = "monday"


class JourneysQuery(Chosen, frozen=True, forbid_unknown_fields=True):
    """From where, in which direction, how far."""

    start: Annotated[
        str, Meta(description="A page, such as /pricing or /blog/*; without it from the entry, or the exit")
    ] = ""
    direction: Direction = "next"
    steps: Annotated[int, Meta(ge=1, le=STEPS_MOST, description="How far")] = STEPS
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Pages that are told apart at each step")] = LIMIT


class WayRoutes:
    """Handlers for readers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/stats/retention", self.retention, "who comes again: cohorts of first visits", "read",
                query=RetentionQuery, answer=RetentionAnswer,
            ),
            Route(
                "GET", "/api/v1/stats/journeys", self.journeys, "pages that visits went to one after the other", "read",
                query=JourneysQuery, answer=JourneysAnswer,
            ),
        ]  # fmt: skip

    def retention(self, request: Request) -> Answer:
        """GET /api/v1/stats/retention: {suppressed, cohorts: [{start, visitors, periods}], all}."""
        sent = question_of(request, RetentionQuery)
        asked = InTime(site=sent.site, site_id=sent.site_id, period=sent.period, week_start=sent.week_start)
        with self._desk.asked(request, asked) as question:
            return answer(retention(self._desk.parts.store.database, question, asked=sent.interval))

    def journeys(self, request: Request) -> Answer:
        """GET /api/v1/stats/journeys: {visits, links: [{step, from, to, visits}]}."""
        sent = question_of(request, JourneysQuery)
        with self._desk.asked(request, sent) as question:
            found = journeys(
                self._desk.table,
                question,
                start=start_of(sent.start),
                direction=sent.direction,
                steps=sent.steps,
                limit=sent.limit,
            )
        return answer(found)


def start_of(text: str) -> str:
    """Return a pattern of pages to begin with, "" for none; raises QueryError."""
    if not text.strip():
        return ""
    found = plain("start", text, TEXT_MOST)
    if not found.strip("*?"):
        raise QueryError("start", f"start cannot be {found!r}: use a page such as /pricing, or leave it out")
    return found
