"""Answer a question, from rollups where these can, else from sessions."""

import msgspec

from visitor_tracker.reports.breakdown import breakdown
from visitor_tracker.reports.filtered import filtered
from visitor_tracker.reports.numbers import Breakdown, Series, Totals
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.series import series
from visitor_tracker.reports.totals import totals
from visitor_tracker.store.reports import ReportTable


class Answer(msgspec.Struct, frozen=True):
    """What a question comes to; `breakdown` is None where it names no dimension."""

    totals: Totals
    series: Series
    breakdown: Breakdown | None


def answer(table: ReportTable, question: Question) -> Answer:
    """Return totals, series and breakdown; raises QueryError, and what the store raises."""
    if question.from_sessions:
        return Answer(*filtered(table, question))
    rows = None if question.dimension is None else breakdown(table, question)
    return Answer(totals(table, question), series(table, question), rows)
