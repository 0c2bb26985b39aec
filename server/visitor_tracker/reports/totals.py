"""Totals of a span, from rollups."""

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.numbers import Totals, numbers_of
from visitor_tracker.reports.query import Question, pieces_of
from visitor_tracker.reports.uniques import visitors_of
from visitor_tracker.store.reports import Piece, ReportTable


def totals(table: ReportTable, question: Question) -> Totals:
    """Return the totals of a question without filters."""
    site_id, span = question.site.id, question.span
    if question.is_foreign:
        [hours] = pieces_of(question)
        rows = table.periods(site_id, Dimension.TOTAL, hours)
        return Totals(numbers_of((measured for _, measured in rows), None), "suppressed")
    rows = table.periods(site_id, Dimension.TOTAL, Piece("day", span.first_day, span.last_day))
    daily = {day: measured[0] for day, measured in rows}
    [visitors], said = visitors_of(table, question, daily, [(span.first_day, span.last_day)])
    return Totals(numbers_of((measured for _, measured in rows), visitors), said)
