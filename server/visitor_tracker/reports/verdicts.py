"""Visitors by verdict: who is taken for a robot, or may be one, by what they did, and why."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from visitor_tracker.days import date_of
from visitor_tracker.reports.query import Span
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store import verdicts
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.verdicts import NOT_OVERRULED, Found

LIMIT, LIMIT_MOST, OFFSET_MOST = 50, 1_000, 100_000

Verdict = Literal["human", "doubtful", "robot"]
_NAMES: dict[int, Verdict] = {verdicts.HUMAN: "human", verdicts.DOUBTFUL: "doubtful", verdicts.ROBOT: "robot"}


class VerdictReason(msgspec.Struct, frozen=True):
    """One thing that speaks for a robot, or where its weight is below 0 for a person."""

    name: str
    weight: Annotated[float, Meta(description="Logarithm of how much more often robots do it than people")]
    text: str


class JudgedVisitor(msgspec.Struct, frozen=True):
    """A visitor's day and what is thought of it."""

    visitor: str
    day: str
    verdict: Annotated[Verdict, Meta(description="What holds: a person's word, else what the rules say")]
    score: Annotated[float, Meta(description="By the rules: 0 a person, 1 a robot")]
    by_rules: Verdict
    overruled_by: str | None
    overruled_at: str | None
    views: int
    events: int
    final: Annotated[bool, Meta(description="The day was over when it was judged")]
    reasons: list[VerdictReason]


class JudgedVisitors(msgspec.Struct, frozen=True):
    """Visitors, the latest day first and on each the largest scores; the numbers are of all of the period."""

    robots: int
    doubtful: int
    overruled: int
    robot_views: int
    visitors: list[JudgedVisitor]
    more: bool


def judged_visitors(  # noqa: PLR0913 - the rest by keyword
    database: Database, site: Site, span: Span, *, least: Verdict = "doubtful", limit: int = LIMIT, offset: int = 0
) -> JudgedVisitors:
    """Return those with a verdict of `least` or more, and those of whom a person said something."""
    code = next(code for code, name in _NAMES.items() if name == least)
    first, last = span.first_day, span.last_day

    def work(session: Session) -> JudgedVisitors:
        rows = verdicts.listed(session, site.id, first, last, least=code, limit=limit + 1, offset=offset)
        days = verdicts.judged_days(session, site.id, first, last)
        over = {day for day, known in days.items() if known.is_over}
        counts = verdicts.counts(session, site.id, first, last)
        robots = [each for each in counts if each.verdict == verdicts.ROBOT]
        return JudgedVisitors(
            sum(each.visitors for each in robots),
            sum(each.visitors for each in counts if each.verdict == verdicts.DOUBTFUL),
            sum(each.visitors for each in counts if each.is_overruled),
            sum(each.views for each in robots),
            [judged_visitor(row, is_over=row.day in over) for row in rows[:limit]],
            len(rows) > limit,
        )

    return of_site(database, site.id).read(work)


def judged_visitor(row: Found, *, is_over: bool) -> JudgedVisitor:
    is_overruled = row.overruled != NOT_OVERRULED
    return JudgedVisitor(
        row.visitor.hex(),
        date_of(row.day).isoformat(),
        _NAMES[row.standing],
        row.score / 1000,
        _NAMES[row.verdict],
        row.overruled_by if is_overruled else None,
        iso(row.overruled_at) if is_overruled else None,
        row.views,
        row.events,
        is_over,
        msgspec.json.decode(row.reasons, type=list[VerdictReason]),
    )
