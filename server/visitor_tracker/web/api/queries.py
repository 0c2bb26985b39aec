"""What the routes of the query language share: long ones wait for their turn, mistakes name their part."""

from collections.abc import Mapping

from visitor_tracker.errors import HttpError
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.turns import long_turn

_NAMES = {"period": "date_range", "by": "dimensions", "filter": "filters", "order": "order_by", "offset": "cursor"}
_NONE: Mapping[str, str] = {}


def answer_in_turn(table: ReportTable, ask: Ask) -> Answered:
    """Answer a query, after others where it reads visits one by one; raises QueryError and HttpError 503."""
    if not ask.is_long:
        return answer_query(table, ask)
    with long_turn():
        return answer_query(table, ask)


def refusal(error: QueryError, names: Mapping[str, str] = _NONE) -> HttpError:
    """Return the refusal of a query under the name of the wrong part, as the route calls it."""
    name = _NAMES.get(error.name, error.name)
    message, colon, hint = str(error).partition(": use ")
    return HttpError(
        400,
        f"invalid_{names.get(name, name)}",
        message,
        f"use {hint}" if colon else "docs/query.md says what a query may be",
    )
