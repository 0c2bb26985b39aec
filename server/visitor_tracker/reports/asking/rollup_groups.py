"""Rows from rollups: by time, by the values of a dimension, or by both."""

from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.breakdown import breakdown_said
from visitor_tracker.reports.buckets import Buckets, buckets_of
from visitor_tracker.reports.numbers import Numbers, VisitorsAre
from visitor_tracker.reports.query import QueryError, Question, pieces_of
from visitor_tracker.reports.series import series
from visitor_tracker.store.reports import Measured, Piece, ReportTable

_USED = tuple(NAMES.index(name) for name in ("visitors", "visits", "views", "events"))  # without these it is no row
READ_MOST = 400_000  # rows of rollups for one answer: a second or two


def rollup_groups(table: ReportTable, ask: Ask, most: int) -> tuple[dict[Key, Numbers], VisitorsAre]:
    """Return all rows, of so many at most; raises QueryError where there are more."""
    if not ask.dimensions:
        if not ask.by_time:
            return {}, "exact"
        found = series(table, ask.question)
        return {(place,): point.numbers for place, point in enumerate(found.points)}, found.visitors_are
    [dimension] = (each for each in ask.dimensions if isinstance(each, Dimension))
    if ask.by_time:
        return _by_time(table, ask.question, dimension, most)
    said = breakdown_said(ask.question)
    rows = table.values(ask.question.site.id, dimension, pieces_of(ask.question), most + 1)
    if len(rows) > most:
        raise _too_many(most)
    return {(value,): _numbers(measured, said) for value, measured in rows.items()}, said


def _by_time(
    table: ReportTable, question: Question, dimension: Dimension, most: int
) -> tuple[dict[Key, Numbers], VisitorsAre]:
    buckets = buckets_of(question)
    pieces = _pieces(question, buckets)
    said = _said(question, pieces)
    sums: dict[Key, Measured] = {}
    left = READ_MOST
    for piece in pieces:
        rows = table.by_period(question.site.id, dimension, piece, left + 1)
        left -= len(rows)
        if left < 0:
            raise _too_many(most)
        for period, value, measured in rows:
            place = buckets.place(period * 100 + 1 if piece.grain == "month" else period)
            if place is not None:
                key, before = (value, place), sums.get((value, place))
                sums[key] = measured if before is None else tuple(map(int.__add__, before, measured))
    used = {key: measured for key, measured in sums.items() if any(measured[place] for place in _USED)}
    if len(used) > most:
        raise _too_many(most)
    return {key: _numbers(measured, said) for key, measured in used.items()}, said


def _pieces(question: Question, buckets: Buckets) -> list[Piece]:
    span = question.span
    if buckets.by_hours:
        return [Piece("hour", span.start_ms, span.end_ms - 1)]
    if question.interval == "month":
        return pieces_of(question)
    return [Piece("day", span.first_day, span.last_day)]


def _said(question: Question, pieces: list[Piece]) -> VisitorsAre:
    """Return what the visitors of a value in a bucket are."""
    if question.interval == "hour":
        return "exact"
    if question.is_foreign:
        return "suppressed"
    span = question.span
    if question.interval == "day" or span.first_day == span.last_day:
        return "exact"
    # A whole month's visitors are known where they come again under the same hash; those of a week are not.
    knows_months = question.interval == "month" and all(piece.grain == "month" for piece in pieces)
    return "exact" if knows_months and question.policy != "daily" else "daily_sum"


def _numbers(measured: Measured, said: VisitorsAre) -> Numbers:
    return Numbers(None if said == "suppressed" else measured[0], *measured[1:])


def _too_many(most: int) -> QueryError:
    return QueryError(
        "dimensions",
        f"this would have more than {most:,} rows: take a shorter date_range or a longer interval",
    )
