"""Numbers over time, from rollups: every bucket of the span is there."""

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.buckets import Buckets, buckets_of
from visitor_tracker.reports.numbers import Numbers, Point, Series, VisitorsAre, numbers_of
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.uniques import visitors_of
from visitor_tracker.store.reports import Measured, Piece, ReportTable


def series(table: ReportTable, question: Question) -> Series:
    """Return the series of a question without filters; raises QueryError where it has too many points."""
    buckets = buckets_of(question)
    span = question.span
    piece = (
        Piece("hour", span.start_ms, span.end_ms - 1)
        if buckets.by_hours
        else Piece("day", span.first_day, span.last_day)
    )
    rows = table.periods(question.site.id, Dimension.TOTAL, piece)
    found: list[list[Measured]] = [[] for _ in buckets.buckets]
    for period, measured in rows:
        if (place := buckets.place(period)) is not None:
            found[place].append(measured)
    visitors: list[int] | list[None]
    said: VisitorsAre
    if not buckets.by_hours:
        daily = {day: measured[0] for day, measured in rows}
        wanted = [(bucket.first_day, bucket.last_day) for bucket in buckets.buckets]
        visitors, said = visitors_of(table, question, daily, wanted)
    elif question.interval == "hour":
        visitors, said = [sum(row[0] for row in each) for each in found], "exact"
    else:
        visitors, said = [None] * len(found), "suppressed"
    numbers = [numbers_of(each, number) for each, number in zip(found, visitors, strict=True)]
    return points_of(question, buckets, numbers, said)


def points_of(question: Question, buckets: Buckets, numbers: list[Numbers], said: VisitorsAre) -> Series:
    """Return the series of these numbers, one for each bucket."""
    labels = (bucket.label for bucket in buckets.buckets)
    points = tuple(Point(label, each) for label, each in zip(labels, numbers, strict=True))
    return Series(question.interval, question.span.timezone, points, said)
