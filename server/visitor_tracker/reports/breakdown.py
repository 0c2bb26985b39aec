"""Numbers by the values of a dimension, from rollups: one statement, whatever the span."""

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.numbers import Breakdown, Numbers, Row, VisitorsAre, honesty
from visitor_tracker.reports.query import OF_EVENTS, Order, Question, is_month, pieces_of
from visitor_tracker.store.reports import ReportTable


def breakdown(table: ReportTable, question: Question, dimension: Dimension) -> Breakdown:
    """Return rows of a question without filters; its own dimension does not matter."""
    order = order_of(question, dimension)
    said = breakdown_said(question)
    rows, in_all = table.breakdown(
        question.site.id,
        dimension,
        pieces_of(question),
        order=order,
        limit=question.limit,
        offset=question.offset,
    )
    hides = said == "suppressed"
    shown = tuple(
        Row(row.text or unnamed(row.value), Numbers(None if hides else row.measured[0], *row.measured[1:]))
        for row in rows
    )
    return Breakdown(dimension, order, shown, in_all, said)


def order_of(question: Question, dimension: Dimension | Field) -> Order:
    """Return by what rows are sorted: what was asked, unless its numbers are not shown."""
    if dimension in OF_EVENTS or (isinstance(dimension, Field) and question.order == "views"):
        return "events"
    order = question.order or "visitors"
    return "visits" if order == "visitors" and breakdown_said(question) == "suppressed" else order


def unnamed(value: int) -> str:
    """Return what is shown for a value of which the text is not known."""
    return f"#{value & (1 << 64) - 1:016x}"


def breakdown_said(question: Question) -> VisitorsAre:
    """Return what the visitors of the rows of a breakdown are."""
    span = question.span
    if question.is_foreign and not question.from_sessions:
        return "suppressed"
    said = honesty(question.policy, span.first_day, span.last_day)
    is_known = question.from_sessions or is_month(span.first_day, span.last_day, span)
    return said if is_known or (said == "exact" and span.first_day == span.last_day) else "daily_sum"
