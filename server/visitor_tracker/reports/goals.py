"""How often the goals of a site were reached, by whom, and what that brought.

visits of the span ─▶ chosen by the filter ─┬▶ visitors and visits in all
                                            ├▶ goals of which visits tell (page, event, engaged) ─┐
raw events ─▶ moments of the other goals ───┴─────────────────────────────────────────────────────┴▶ sums

A conversion counts where it happened. A visit counts for a goal at its first conversion in the span; a visitor counts
who did anything in the span, and reached the goal in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.about import AboutVisitors, days_of, dimension_of_visits, rate_of, said_of
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.buckets import Buckets, buckets_of
from visitor_tracker.reports.matching import EVENTS_MOST
from visitor_tracker.reports.query import QueryError, Question
from visitor_tracker.reports.reached import Reached, Reaching
from visitor_tracker.reports.scan import SESSIONS_MOST
from visitor_tracker.reports.selection import Part, Selected, Whole
from visitor_tracker.reports.tally import Tally
from visitor_tracker.store.insight import Goal, GoalKind
from visitor_tracker.store.reports import ReportTable

POINTS_MOST = 20_000  # of the series of all goals together: four megabytes of JSON

_NO_ACTS: frozenset[int] = frozenset()  # of which the events would be counted
_DIGITS = 6  # of sums of money, behind the point


class Revenue(msgspec.Struct, frozen=True):
    """What the values in one currency come to, of so many events that have one."""

    currency: str
    sum: float
    mean: float
    events: int


class GoalNumbers(msgspec.Struct, frozen=True):
    """`rate` is the part of the visitors in all who reached the goal."""

    conversions: int
    visitors: int
    visits: int
    rate: float | None
    revenue: list[Revenue]


class GoalPoint(GoalNumbers, frozen=True):
    """`start` is a date, a month, or an hour with its offset."""

    start: str


class GoalRow(GoalNumbers, frozen=True):
    value: str


class GoalFound(GoalNumbers, frozen=True):
    """A goal and its numbers; `rows` are the values of the dimension that was asked for, of `rows_in_all`."""

    id: str
    name: str
    kind: GoalKind
    series: list[GoalPoint]
    rows: list[GoalRow] | None = None
    rows_in_all: int | None = None


class GoalsAnswer(AboutVisitors, frozen=True, kw_only=True):
    """`visitors` and `visits` are those of the period and the filter in all."""

    interval: str
    by: str | None
    visitors: int
    visits: int
    goals: list[GoalFound]


class GoalSums:
    """What a goal came to in one bucket or for one value."""

    __slots__ = ("conversions", "revenue", "visitors", "visits")

    def __init__(self) -> None:
        self.conversions = 0
        self.visits = 0
        self.visitors: set[bytes] = set()
        self.revenue: dict[str, tuple[Decimal, int]] = {}

    def add(self, reached: Reached) -> None:
        self.conversions += reached.times
        if reached.visitor is not None:
            self.visitors.add(reached.visitor)
        if reached.value:
            # Decimals, so that the sum of 0.1 and 0.2 is 0.3 and no sum depends on its order.
            so_far, events = self.revenue.get(reached.currency, (Decimal(0), 0))
            self.revenue[reached.currency] = so_far + Decimal(str(reached.value)), events + 1

    def numbers(self, among: Set[bytes]) -> dict[str, Any]:
        """Return the fields of `GoalNumbers`; only visitors who are `among` those of the same time count."""
        visitors = len(self.visitors & among)
        return {
            "conversions": self.conversions,
            "visitors": visitors,
            "visits": self.visits,
            "rate": rate_of(visitors, len(among)),
            "revenue": revenue_of(self.revenue),
        }


_NOTHING = GoalSums()


def revenue_of(revenue: Mapping[str, tuple[Decimal, int]]) -> list[Revenue]:
    """Return sums and numbers of events by currency as answers show them."""
    return [
        Revenue(currency, round(float(total), _DIGITS), round(float(total / events), _DIGITS), events)
        for currency, (total, events) in sorted(revenue.items())
    ]


class _Goals:
    """Adds up what reached the goals; of one pass."""

    def __init__(self, buckets: Buckets, goals: Sequence[Goal], dimension: Dimension | None) -> None:
        self.base = Tally(buckets, [] if dimension is None else [dimension], _NO_ACTS)
        self.totals = [GoalSums() for _ in goals]
        self.points: list[defaultdict[int, GoalSums]] = [defaultdict(GoalSums) for _ in goals]  # by bucket
        self.rows: list[defaultdict[int, GoalSums]] = [defaultdict(GoalSums) for _ in goals]
        self._dimension = dimension
        self._place = buckets.place
        self._by_hours = buckets.by_hours

    def add(self, whole: Whole, reached: Sequence[Sequence[Reached]]) -> None:
        if whole.is_visit:
            parts = tuple(Part(visitor, own.looked, own.acted) for visitor, own in whole.sessions)
            self.base.add(Selected(whole, parts, (whole.head.day, whole.head.hour)))
        value = 0 if self._dimension is None else whole.value(self._dimension)
        for place, each in enumerate(reached):
            if each:
                self._add(place, each, value, is_visit=whole.is_visit)

    def _add(self, goal: int, reached: Sequence[Reached], value: int, *, is_visit: bool) -> None:
        placed = [(bucket, each) for each in reached if (bucket := self._bucket(each)) is not None]
        for bucket, each in placed:
            sums = [self.totals[goal], self.points[goal][bucket]]
            for here in (*sums, self.rows[goal][value]) if value else sums:
                here.add(each)
        if is_visit and placed:
            self.totals[goal].visits += 1
            self.points[goal][min(bucket for bucket, _ in placed)].visits += 1
            if value:
                self.rows[goal][value].visits += 1

    def _bucket(self, reached: Reached) -> int | None:
        return self._place(reached.hour if self._by_hours else reached.day)


def goal_report(
    table: ReportTable,
    question: Question,
    goals: Sequence[Goal],
    *,
    most: tuple[int, int] = (SESSIONS_MOST, EVENTS_MOST),
) -> GoalsAnswer:
    """Return the numbers of these goals; raises QueryError."""
    dimension = dimension_of_visits(question.dimension)
    buckets = buckets_of(question)
    if len(goals) * len(buckets.buckets) > POINTS_MOST:
        raise QueryError(
            "interval",
            f"the series of {len(goals)} goals would have more than {POINTS_MOST:,} points: choose a longer interval,"
            " a shorter period, or one goal",
        )
    sums = _Goals(buckets, goals, dimension)
    Reaching(table, question, goals, most=most).run(sums.add)
    said, note = said_of(question)
    base = sums.base.total.numbers
    return GoalsAnswer(
        **days_of(question),
        visitors_are=said,
        note=note,
        interval=question.interval,
        by=None if dimension is None else dimension.name.lower(),
        visitors=base.visitors or 0,
        visits=base.visits,
        goals=[_found(table, question, buckets, sums, place, goal) for place, goal in enumerate(goals)],
    )


def _found(  # noqa: PLR0913
    table: ReportTable, question: Question, buckets: Buckets, sums: _Goals, place: int, goal: Goal
) -> GoalFound:
    base = sums.base
    points = [
        GoalPoint(**sums.points[place].get(number, _NOTHING).numbers(among.visitors), start=bucket.label)
        for number, (bucket, among) in enumerate(zip(buckets.buckets, base.points, strict=True))
    ]
    total = sums.totals[place].numbers(base.total.visitors)
    found = GoalFound(**total, id=goal.id.hex(), name=goal.name, kind=goal.kind, series=points)
    dimension = dimension_of_visits(question.dimension)
    if dimension is None:
        return found
    ranked = sorted(sums.rows[place].items(), key=lambda each: (-len(each[1].visitors), -each[1].conversions, each[0]))
    shown = ranked[question.offset : question.offset + question.limit]
    texts = table.texts(question.site.id, [value for value, _ in shown])
    rows = [
        GoalRow(**here.numbers(base.values[dimension][value].visitors), value=texts.get(value) or unnamed(value))
        for value, here in shown
    ]
    return msgspec.structs.replace(found, rows=rows, rows_in_all=len(ranked))
