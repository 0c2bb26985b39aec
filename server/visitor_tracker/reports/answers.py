"""Answer a question, from rollups where these can, else from sessions; and what an answer looks like as JSON."""

from collections.abc import Callable, Sequence

import msgspec

from visitor_tracker.days import date_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.breakdown import breakdown
from visitor_tracker.reports.filtered import filtered
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.numbers import NOTES, Breakdown, Numbers, Series, Totals
from visitor_tracker.reports.query import OF_EVENTS, Question, Span
from visitor_tracker.reports.series import series
from visitor_tracker.reports.totals import totals
from visitor_tracker.store.reports import ReportTable

Shown = dict[str, object]


class Answer(msgspec.Struct, frozen=True):
    """What a question comes to, with a breakdown for each dimension that was asked for."""

    totals: Totals
    series: Series
    breakdowns: tuple[Breakdown, ...]


def answer(table: ReportTable, question: Question, dimensions: Sequence[Dimension] = ()) -> Answer:
    """Return totals, series and breakdowns, one of the question's own dimension where none is given.

    Raises QueryError, and what the store raises.
    """
    if not dimensions and question.dimension is not None:
        dimensions = (question.dimension,)
    if question.from_sessions:
        return Answer(*filtered(table, question, dimensions))
    rows = tuple(breakdown(table, question, dimension) for dimension in dimensions)
    return Answer(totals(table, question), series(table, question), rows)


def shown_totals(question: Question, found: Totals) -> Shown:
    """Return totals as JSON has them."""
    period = _period(question.span)
    return {
        **period,
        **_of_visits(found.numbers),
        "visitors_are": found.visitors_are,
        "note": NOTES[found.visitors_are],
    }


def shown_series(found: Series) -> Shown:
    """Return a series as JSON has it."""
    points = [{"start": point.start, **_of_visits(point.numbers)} for point in found.points]
    about = {"interval": found.interval, "timezone": found.timezone, "visitors_are": found.visitors_are}
    return {**about, "points": points}


def shown_breakdown(found: Breakdown) -> Shown:
    """Return a breakdown as JSON has it; each dimension has the numbers that say something about it."""
    shape = shape_of(found.dimension)
    return {
        "dimension": found.dimension.name.lower(),
        "order": found.order,
        "rows_in_all": found.rows_in_all,
        "visitors_are": found.visitors_are,
        "note": NOTES[found.visitors_are],
        "rows": [{"value": row.value, **shape(row.numbers)} for row in found.rows],
    }


def shape_of(dimension: Dimension) -> Callable[[Numbers], Shown]:
    """Return what of the numbers says something about the values of a dimension."""
    if dimension in OF_EVENTS:
        return lambda numbers: {"events": numbers.events}
    if dimension in OF_ACTS:
        return lambda numbers: {"visitors": numbers.visitors, "visits": numbers.visits, "events": numbers.events}
    return _of_looks if dimension in OF_LOOKS else _of_visits


def _of_looks(numbers: Numbers) -> Shown:
    return {
        "visitors": numbers.visitors,
        "visits": numbers.visits,
        "views": numbers.views,
        "engaged_seconds": round(numbers.engaged_ms / 1000 / numbers.views, 1) if numbers.views else None,
    }


def _of_visits(numbers: Numbers) -> Shown:
    return {
        "visitors": numbers.visitors,
        "visits": numbers.visits,
        "views": numbers.views,
        "events": numbers.events,
        "bounce_rate": numbers.bounce_rate,
        "single_rate": numbers.single_rate,
        "views_per_visit": numbers.views_per_visit,
        "engaged_seconds": numbers.engaged_seconds,
        "duration_seconds": numbers.duration_seconds,
    }


def _period(span: Span) -> Shown:
    return {
        "first_day": date_of(span.first_day).isoformat(),
        "last_day": date_of(span.last_day).isoformat(),
        "timezone": span.timezone,
    }
