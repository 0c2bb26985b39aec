"""What brought the visitors who reached a goal: the first of their visits, or the last that something brought.

conversions of the span ─▶ their visitors ─▶ visits of these, `lookback` days back ─▶ the visit that gets the credit

A visitor's visits are known as long as the hash lives: under `daily` those of the day, under `monthly` of the month.
What is part of no visit gets the credit itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from visitor_tracker.days import DAY_MS, day_after
from visitor_tracker.measures import Dimension, text_id
from visitor_tracker.reports.about import AboutVisitors, days_of, rate_of, said_of
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.funnels import KnownFor, known_for
from visitor_tracker.reports.goals import GoalSums, Revenue, revenue_of
from visitor_tracker.reports.matching import EVENTS_MOST
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.reached import Reached, Reaching
from visitor_tracker.reports.scan import SESSIONS_MOST, Scan
from visitor_tracker.reports.selection import Whole
from visitor_tracker.store.insight import Goal
from visitor_tracker.store.reports import ReportTable

Model = Literal["first", "last"]
AttributedBy = Literal["channel", "source", "referrer", "campaign", "utm_source", "utm_medium"]

LOOKBACK_DAYS, LOOKBACK_MOST = 30, 90

_DIMENSIONS: dict[AttributedBy, Dimension] = {
    "channel": Dimension.CHANNEL,
    "source": Dimension.SOURCE,
    "referrer": Dimension.REFERRER,
    "campaign": Dimension.UTM_CAMPAIGN,
    "utm_source": Dimension.UTM_SOURCE,
    "utm_medium": Dimension.UTM_MEDIUM,
}
_KNOWN: dict[KnownFor, str] = {
    "visit": "",
    "day": "the policy is daily: only the visitor's visits of the same day are known",
    "month": "the policy is monthly: only the visitor's visits of the same month are known",
    "always": "all of the visitor's visits are known",
}
_DIRECT = text_id("direct")


class AttributionRow(msgspec.Struct, frozen=True):
    """What one value gets the credit for; "" are visits without one. `share` is the part of the conversions."""

    value: str
    conversions: int
    share: float | None
    visitors: int
    revenue: list[Revenue]


class AttributionAnswer(AboutVisitors, frozen=True, kw_only=True):
    """`rows` are sorted by conversions, `rows_in_all` of them without limit and offset."""

    goal: str
    model: Model
    by: AttributedBy
    lookback_days: int
    known_for: KnownFor
    known: str
    conversions: int
    visitors: int
    revenue: list[Revenue]
    rows: list[AttributionRow]
    rows_in_all: int


class _Touch(msgspec.Struct, frozen=True, order=True, gc=False):
    """A visit that may get the credit; by time, then by the id of what began it."""

    ts: int
    id: bytes
    is_direct: bool
    value: int


class _Conversions:
    """What reached the goal in the span, by the visit and the visitor."""

    def __init__(self, question: Question, dimension: Dimension) -> None:
        buckets = buckets_of(question)
        self._place = buckets.place
        self._by_hours = buckets.by_hours
        self._dimension = dimension
        self.total = GoalSums()
        self.found: list[tuple[bytes | None, _Touch, list[Reached]]] = []

    def add(self, whole: Whole, reached: Sequence[Sequence[Reached]]) -> None:
        within: defaultdict[bytes | None, list[Reached]] = defaultdict(list)
        for each in reached[0]:
            if self._place(each.hour if self._by_hours else each.day) is not None:
                within[each.visitor].append(each)
                self.total.add(each)
        for visitor, own in within.items():
            self.found.append((visitor, touch_of(whole, self._dimension), own))


def touch_of(whole: Whole, dimension: Dimension) -> _Touch:
    is_direct = whole.value(Dimension.CHANNEL) in (0, _DIRECT)
    return _Touch(whole.head.ts, whole.head.id, is_direct, whole.value(dimension))


def attribution(  # noqa: PLR0913 - the rest by keyword
    table: ReportTable,
    question: Question,
    goal: Goal,
    *,
    model: Model = "last",
    by: AttributedBy = "channel",
    lookback_days: int = LOOKBACK_DAYS,
    most: tuple[int, int] = (SESSIONS_MOST, EVENTS_MOST),
) -> AttributionAnswer:
    """Return which values of `by` get the credit for a goal's conversions; raises QueryError."""
    dimension = _DIMENSIONS[by]
    conversions = _Conversions(question, dimension)
    Reaching(table, question, [goal], most=most).run(conversions.add)
    visitors = frozenset(visitor for visitor, _, _ in conversions.found if visitor is not None)
    touches = _touches(table, question, visitors, dimension, lookback_days, most[0])
    credited: defaultdict[int, GoalSums] = defaultdict(GoalSums)
    for visitor, own, reached in conversions.found:
        known = [] if visitor is None else touches.get(visitor, [])
        value = _credited(own, known, model, lookback_days * DAY_MS).value
        for each in reached:
            credited[value].add(each)
    said, note = said_of(question)
    known_as = known_for(question.policy)
    total = conversions.total
    return AttributionAnswer(
        **days_of(question),
        visitors_are=said,
        note=note,
        goal=goal.name,
        model=model,
        by=by,
        lookback_days=lookback_days,
        known_for=known_as,
        known=_KNOWN[known_as],
        conversions=total.conversions,
        visitors=len(total.visitors),
        revenue=revenue_of(total.revenue),
        rows=_rows(table, question, credited, total.conversions),
        rows_in_all=len(credited),
    )


def _touches(  # noqa: PLR0913
    table: ReportTable,
    question: Question,
    visitors: frozenset[bytes],
    dimension: Dimension,
    lookback_days: int,
    most: int,
) -> dict[bytes, list[_Touch]]:
    """Return the visits of these visitors in the order of time, also those before the span."""
    span = question.span
    longer = replace(
        span,
        first_day=day_after(span.first_day, -lookback_days),
        start_ms=span.start_ms - lookback_days * DAY_MS,
    )
    found: defaultdict[bytes, list[_Touch]] = defaultdict(list)
    if not visitors:
        return found
    for chunk in Scan(table, replace(question, span=longer, filters=None), most=most, wanted=visitors).visits():
        for whole in chunk:
            if whole.is_visit:
                for visitor, _ in whole.sessions:
                    found[visitor or b""].append(touch_of(whole, dimension))
    return {visitor: sorted(own) for visitor, own in found.items()}


def _credited(own: _Touch, known: Sequence[_Touch], model: Model, lookback_ms: int) -> _Touch:
    """Return the visit that gets the credit for a conversion in the visit `own`."""
    before = [each for each in known if own.ts - lookback_ms <= each.ts <= own.ts] or [own]
    if model == "first":
        return before[0]
    return next((each for each in reversed(before) if not each.is_direct), before[-1])


def _rows(
    table: ReportTable, question: Question, credited: dict[int, GoalSums], conversions: int
) -> list[AttributionRow]:
    ranked = sorted(credited.items(), key=lambda each: (-each[1].conversions, each[0]))
    shown = ranked[question.offset : question.offset + question.limit]
    texts = table.texts(question.site.id, [value for value, _ in shown if value])
    return [
        AttributionRow(
            texts.get(value) or (unnamed(value) if value else ""),
            sums.conversions,
            rate_of(sums.conversions, conversions),
            len(sums.visitors),
            revenue_of(sums.revenue),
        )
        for value, sums in shown
    ]
