"""How the rows of a list went over the days of a question, as charts of one line."""

import shutil
import sys
from collections.abc import Sequence

from visitor_tracker.cli.spark import marks, spark
from visitor_tracker.measures import NAMES, Dimension, text_id
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.numbers import Breakdown, Point
from visitor_tracker.reports.query import Question
from visitor_tracker.store.reports import Piece, ReportTable

_WIDTH, _WIDTH_LEAST = 20, 8  # characters
_COLUMNS_WIDE, _COLUMNS_LEAST = 110, 90  # of a terminal that has room for them beside a list
_ROWS_MOST = 50  # each is one look-up


def total_trend(points: Sequence[Point], name: str) -> str:
    """Return the chart of one number of the points; "" where standard output is no terminal."""
    if not sys.stdout.isatty():
        return ""
    return spark([getattr(point.numbers, name) for point in points], _WIDTH, marks())


def row_trends(table: ReportTable, question: Question, found: Breakdown) -> list[str]:
    """Return a chart for each row; [] where there is no room, or rollups by the day do not know them."""
    width = _room()
    if not width or not isinstance(found.dimension, Dimension) or len(found.rows) > _ROWS_MOST:
        return []
    span = question.span
    if question.from_sessions or question.is_foreign or span.days < 2:
        return []
    buckets = buckets_of(question)
    if buckets.by_hours:
        return []
    piece, measure = Piece("day", span.first_day, span.last_day), NAMES.index(found.order)
    charts = []
    for row in found.rows:
        sums = [0] * len(buckets.buckets)
        for day, measured in table.periods(question.site.id, found.dimension, piece, text_id(row.value)):
            if (place := buckets.place(day)) is not None:
                sums[place] += measured[measure]
        charts.append(spark(sums, width, marks()))
    return charts


def _room() -> int:
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or columns < _COLUMNS_LEAST:
        return 0
    return _WIDTH if columns >= _COLUMNS_WIDE else _WIDTH_LEAST
