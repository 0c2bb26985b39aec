"""Answers from sessions: totals, series and breakdown of a question in one pass over its visits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.breakdown import order_of, unnamed
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.numbers import Breakdown, Numbers, Row, Series, Totals, VisitorsAre, honesty
from visitor_tracker.reports.plans import plan_of
from visitor_tracker.reports.query import NO_ROBOTS, OF_ROBOTS, QueryError, Question
from visitor_tracker.reports.scan import SESSIONS_MOST, Scan, learn
from visitor_tracker.reports.selection import Selected, Selector
from visitor_tracker.reports.series import points_of
from visitor_tracker.reports.tally import Sums, Tally
from visitor_tracker.store.reports import ReportTable


def filtered(
    table: ReportTable, question: Question, dimensions: Sequence[Dimension] = (), *, most: int = SESSIONS_MOST
) -> tuple[Totals, Series, tuple[Breakdown, ...]]:
    """Return what the visits say that the question's filter selects; without one all do. Raises QueryError.

    There is a breakdown for each of the dimensions; the question's own does not matter.
    """
    if not OF_ROBOTS.isdisjoint(dimensions):
        raise QueryError("by", NO_ROBOTS)
    buckets = buckets_of(question)
    selecting = Selecting(table, question, most=most)
    tally = Tally(buckets, dimensions, selecting.counted)
    for selected in selecting.found():
        tally.add(selected)
    span = question.span
    said = honesty(question.policy, span.first_day, span.last_day)
    points = points_of(question, buckets, [sums.numbers for sums in tally.points], points_said(question))
    rows = tuple(
        ranked(question, each, tally.values[each], partial(table.texts, question.site.id)) for each in dimensions
    )
    return Totals(tally.total.numbers, said), points, rows


class Selecting:
    """One pass over the visits of a question; `counted` are the sorts of actions of which the events are counted."""

    def __init__(self, table: ReportTable, question: Question, *, most: int = SESSIONS_MOST) -> None:
        self._table = table
        self._site_id = question.site.id
        self._plan = plan_of(question.filters)
        self._selector = Selector(self._plan)
        self._scan = Scan(table, question, most=most)
        self.counted = self._selector.counted

    def found(self) -> Iterator[Selected]:
        """Yield what the filter selects of each visit; raises QueryError."""
        select = self._selector.select
        for chunk in self._scan.chunks():
            self._selector.forget()
            learn(self._table, self._site_id, self._plan.tests, chunk)
            for whole in chunk:
                if (selected := select(whole)) is not None:
                    yield selected


def points_said(question: Question) -> VisitorsAre:
    """Return what the visitors of the series' points are: those of an hour or a day are exact."""
    if question.interval == "hour" or (question.interval == "day" and not question.is_foreign):
        return "exact"
    return honesty(question.policy, question.span.first_day, question.span.last_day)


def ranked(
    question: Question,
    dimension: Dimension | Field,
    values: Mapping[int, Sums],
    texts_of: Callable[[list[int]], Mapping[int, str]],
) -> Breakdown:
    """Return the rows that the question asks for, of the sums by id of a value."""
    said = honesty(question.policy, question.span.first_day, question.span.last_day)
    order = order_of(question, dimension)
    by = attrgetter(order)
    found: list[tuple[int, Numbers]] = [(value, sums.numbers) for value, sums in values.items()]
    found = [each for each in found if each[1].visitors or each[1].visits or each[1].views or each[1].events]
    found.sort(key=lambda each: (-by(each[1]), each[0]))
    shown = found[question.offset : question.offset + question.limit]
    texts = texts_of([value for value, _ in shown])
    rows = tuple(Row(texts.get(value) or unnamed(value), numbers) for value, numbers in shown)
    return Breakdown(dimension, order, rows, len(found), said, question.from_events)
