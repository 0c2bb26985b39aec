"""Answer a question, and say what an answer looks like as JSON.

Rollups answer where they can, in milliseconds; sessions where conditions are combined; events where only they know.
"""

from collections.abc import Callable, Sequence

import msgspec

from visitor_tracker.days import date_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.breakdown import breakdown
from visitor_tracker.reports.by_event import by_event
from visitor_tracker.reports.fields import Field
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


def answer(table: ReportTable, question: Question, dimensions: Sequence[Dimension | Field] = ()) -> Answer:
    """Return totals, series and breakdowns, one of the question's own dimension where none is given.

    Raises QueryError, and what the store raises.
    """
    if not dimensions and question.dimension is not None:
        dimensions = (question.dimension,)
    if question.from_events:
        return Answer(*by_event(table, question, dimensions))
    others = [each for each in dimensions if isinstance(each, Dimension) and not _needs_events(question, each)]
    found: dict[Dimension | Field, Breakdown] = {}
    if question.from_sessions:
        total, points, rows = filtered(table, question, others)
        found = dict(zip(others, rows, strict=True))
    else:
        total, points = totals(table, question), series(table, question)
        found = {each: breakdown(table, question, each) for each in others}
    rest = [each for each in dimensions if each not in found]
    if rest:
        only_told = all(isinstance(each, Field) for each in rest)
        _, _, rows = by_event(table, question, rest, only_told=only_told)
        found |= zip(rest, rows, strict=True)
    return Answer(total, points, tuple(found[each] for each in dimensions))


def _needs_events(question: Question, dimension: Dimension) -> bool:
    """Say whether only events know a dimension: visits do not know what kinds theirs are of."""
    return dimension is Dimension.KIND and question.from_sessions


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
    shape = shape_of(found)
    return {
        "dimension": name_of(found.dimension),
        "order": found.order,
        "rows_in_all": found.rows_in_all,
        "visitors_are": found.visitors_are,
        "note": NOTES[found.visitors_are],
        "rows": [{"value": row.value, **shape(row.numbers)} for row in found.rows],
    }


def name_of(dimension: Dimension | Field) -> str:
    """Return how questions call a dimension."""
    return dimension.name if isinstance(dimension, Field) else dimension.name.lower()


def shape_of(found: Breakdown) -> Callable[[Numbers], Shown]:
    """Return what of the numbers says something about the values of a breakdown's dimension."""
    dimension = found.dimension
    if dimension in OF_EVENTS:
        return lambda numbers: {"events": numbers.events}
    if isinstance(dimension, Field) or dimension in OF_ACTS:
        return lambda numbers: {"visitors": numbers.visitors, "visits": numbers.visits, "events": numbers.events}
    if dimension not in OF_LOOKS:
        return _of_visits
    return _of_looks_and_events if found.by_event else _of_looks


def _of_looks(numbers: Numbers) -> Shown:
    return {
        "visitors": numbers.visitors,
        "visits": numbers.visits,
        "views": numbers.views,
        "engaged_seconds": round(numbers.engaged_ms / 1000 / numbers.views, 1) if numbers.views else None,
    }


def _of_looks_and_events(numbers: Numbers) -> Shown:
    return {**_of_looks(numbers), "events": numbers.events}


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
