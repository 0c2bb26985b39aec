"""Robots by behaviour: who was found, why, and what a person says to that."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from visitor_tracker.access.overruling import NoSuchVisitor, Overruling, Word
from visitor_tracker.days import date_of, day_of, number_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.ingest.people import Behaviour
from visitor_tracker.reports.query import Span, read_span
from visitor_tracker.reports.verdicts import (
    LIMIT,
    LIMIT_MOST,
    OFFSET_MOST,
    JudgedVisitor,
    JudgedVisitors,
    Verdict,
    judged_visitor,
    judged_visitors,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api.bots import BotRoutes
from visitor_tracker.web.api.kept import body_of, id_in, refused
from visitor_tracker.web.asked import answer
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfDays, OfPeriod, OfSite, over_days
from visitor_tracker.web.typed import question_of

_BODY_MOST: Final = 4 * 1024  # bytes
_HINT = 'use day, such as "2026-03-31", and verdict: human, robot, or rules to take back what was said'


class JudgedQuery(OfPeriod, frozen=True):
    """Which visitors."""

    verdict: Annotated[
        Verdict, Meta(description="The least that speaks against them: doubtful has robots, too; human has all")
    ] = "doubtful"
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Visitors")] = LIMIT
    offset: Annotated[int, Meta(ge=0, le=OFFSET_MOST, description="Visitors to leave out")] = 0


class JudgedAnswer(OfDays, frozen=True, kw_only=True):
    """Visitors by verdict; the numbers are of the whole period."""

    behaviour: Annotated[Behaviour, Meta(description="What becomes of robots: the setting `robots.behaviour`")]
    robots: int
    doubtful: int
    overruled: int
    robot_views: int
    visitors: list[JudgedVisitor]
    more: Annotated[bool, Meta(description="There are others: add to `offset`")]


class _Whole(JudgedVisitors, frozen=True):
    """What was found, with the setting."""

    behaviour: Behaviour = "exclude"


class Overruled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of a visitor."""

    day: Annotated[str, Meta(description="As the list has it, such as 2026-03-31")]
    verdict: Annotated[Word, Meta(description="human, robot, or rules to take back what was said")]


class RobotRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)
        self._overruling = Overruling(parts.store, parts.audit)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/robots/visitors", self.visitors, "visitors that behave like robots, and why",
                "visitors", query=JudgedQuery, answer=JudgedAnswer,
            ),
            Route(
                "PUT", "/api/v1/robots/visitors/{visitor}", self.overrule, "say that a visitor is human, or a robot",
                "manage", query=OfSite, body=Overruled, answer=JudgedVisitor, body_most=_BODY_MOST,
            ),
        ]  # fmt: skip

    def visitors(self, request: Request) -> Answer:
        """GET /api/v1/robots/visitors: {robots, doubtful, overruled, robot_views, visitors, more}."""
        asked = question_of(request, JudgedQuery)
        site = asked.among(visible(self._parts.snapshot(), request))
        span = self._span(asked.period, site)
        found = judged_visitors(
            self._parts.store.database, site, span, least=asked.verdict, limit=asked.limit, offset=asked.offset
        )
        return answer(self._answer(site, span, found))

    def overrule(self, request: Request) -> Answer:
        """PUT /api/v1/robots/visitors/{visitor}: the visitor, as the list has it; the day is made again soon."""
        site = question_of(request, OfSite).among(visible(self._parts.snapshot(), request))
        visitor = id_in(request, "visitor")
        asked = body_of(request, Overruled, _HINT)
        now_ms = self._parts.clock()
        day = _day(asked.day)
        is_daily = self._parts.snapshot().policy_of(site.id).visitor == "daily"
        try:
            row = self._overruling.say(
                site, day, visitor, asked.verdict, who=who_of(request), now_ms=now_ms, is_daily=is_daily
            )
        except NoSuchVisitor as error:
            hint = "take visitor and day of GET /api/v1/robots/visitors"
            raise HttpError(404, "unknown_visitor", str(error), hint) from error
        return answer(judged_visitor(row, is_over=day < day_of(site.timezone, now_ms)))

    def _answer(self, site: Site, span: Span, found: JudgedVisitors) -> JudgedAnswer:
        behaviour = self._parts.config.robots.behaviour
        return over_days(JudgedAnswer, site, span, _Whole(behaviour=behaviour, **msgspec.structs.asdict(found)))

    def _span(self, period: str, site: Site) -> Span:
        with refused():
            return read_span(period, site.timezone, self._parts.clock(), lambda: self._table.known(site.id))


def _day(text: str) -> int:
    """Return a date as the digits of a day; raises HttpError 400."""
    digits = text.replace("-", "")
    try:
        if len(digits) == 8 and digits.isdecimal():
            return number_of(date_of(int(digits)))
    except ValueError:
        pass
    raise HttpError(400, "invalid_day", f"day cannot be {text[:40]!r}", _HINT)


def routes(parts: Parts) -> list[Route]:
    """Return the routes of robots by behaviour, and the one that clients of an earlier tracker know."""
    return [*RobotRoutes(parts).routes(), *BotRoutes(parts).routes()]
