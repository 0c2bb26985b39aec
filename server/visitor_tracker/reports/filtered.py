"""Answers from sessions: totals, series and breakdown of a question in one pass over its visits."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.breakdown import order_of, unnamed
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.numbers import Breakdown, Numbers, Row, Series, Totals, VisitorsAre, honesty
from visitor_tracker.reports.query import OF_EVENTS, QueryError, Question
from visitor_tracker.reports.scan import SESSIONS_MOST, Scan
from visitor_tracker.reports.selection import Selector, Test, Whole, plan_of
from visitor_tracker.reports.series import points_of
from visitor_tracker.reports.tally import Tally
from visitor_tracker.store.reports import ReportTable

_LOOKS = frozenset(map(int, OF_LOOKS))
_ACTS = frozenset(map(int, OF_ACTS))
_PAGE = int(Dimension.PAGE)


def filtered(
    table: ReportTable, question: Question, dimensions: Sequence[Dimension] = (), *, most: int = SESSIONS_MOST
) -> tuple[Totals, Series, tuple[Breakdown, ...]]:
    """Return what the visits say that the question's filter selects; without one all do. Raises QueryError.

    There is a breakdown for each of the dimensions; the question's own does not matter.
    """
    if not OF_EVENTS.isdisjoint(dimensions):
        raise QueryError("by", "kind, bot and crawler are not kept with visits: leave the filter out, or ask for days")
    buckets = buckets_of(question)
    plan = plan_of(question.filters)
    selector = Selector(plan)
    tally = Tally(buckets, dimensions, selector.counted)
    for chunk in Scan(table, question, most=most).chunks():
        selector.forget()
        _learn(table, plan.tests, chunk)
        for whole in chunk:
            if (selected := selector.select(whole)) is not None:
                tally.add(selected)
    span = question.span
    said = honesty(question.policy, span.first_day, span.last_day)
    points = points_of(question, buckets, [sums.numbers for sums in tally.points], _honesty(question))
    rows = tuple(_rows(table, question, each, tally, said) for each in dimensions)
    return Totals(tally.total.numbers, said), points, rows


def _honesty(question: Question) -> VisitorsAre:
    """Return what the visitors of the series' points are: those of an hour or a day are exact."""
    if question.interval == "hour" or (question.interval == "day" and not question.is_foreign):
        return "exact"
    return honesty(question.policy, question.span.first_day, question.span.last_day)


def _rows(table: ReportTable, question: Question, dimension: Dimension, tally: Tally, said: VisitorsAre) -> Breakdown:
    order = order_of(question, dimension)
    by = attrgetter(order)
    found: list[tuple[int, Numbers]] = [(value, sums.numbers) for value, sums in tally.values[dimension].items()]
    found = [each for each in found if each[1].visitors or each[1].visits or each[1].views or each[1].events]
    found.sort(key=lambda each: (-by(each[1]), each[0]))
    shown = found[question.offset : question.offset + question.limit]
    texts = table.texts([value for value, _ in shown])
    rows = tuple(Row(texts.get(value) or unnamed(value), numbers) for value, numbers in shown)
    return Breakdown(dimension, order, rows, len(found), said)


def _learn(table: ReportTable, tests: Iterable[Test], chunk: list[Whole]) -> None:
    """Let the tests judge the texts of a chunk before they are asked."""
    for test in tests:
        unknown = test.unknown(_values(test.dimension, chunk))
        if unknown:
            test.learn(table.texts(sorted(unknown)), unknown)


def _values(dimension: int, chunk: Iterable[Whole]) -> set[int]:
    if dimension in _LOOKS:
        name = "page" if dimension == _PAGE else "host"
        return {getattr(look, name) for whole in chunk for _, own in whole.sessions for look in own.looked}
    if dimension in _ACTS:
        acted = (act for whole in chunk for _, own in whole.sessions for act in own.acted)
        return {act.value for act in acted if act.dimension == dimension}
    return {whole.value(dimension) for whole in chunk}
