"""Visitors of several days: of hashes that live for a day a sum, of others each once."""

from collections.abc import Mapping, Sequence

from visitor_tracker.days import month_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.numbers import VisitorsAre, honesty
from visitor_tracker.reports.query import Question, is_month
from visitor_tracker.store.reports import Piece, ReportTable

Days = tuple[int, int]  # the first and the last, both included


def visitors_of(
    table: ReportTable, question: Question, daily: Mapping[int, int], wanted: Sequence[Days]
) -> tuple[list[int], VisitorsAre]:
    """Return the visitors of each of these ranges of days; `daily` has those of every day of the span."""
    sums = [_sum(daily, first, last) for first, last in wanted]
    longest = max(wanted, key=lambda days: days[1] - days[0])
    said = honesty(question.policy, *longest)
    if said == "daily_sum" or longest[0] == longest[1]:
        return sums, said
    counted = [
        number if first == last else _distinct(table, question, first, last)
        for number, (first, last) in zip(sums, wanted, strict=True)
    ]
    # A day on which the policy was "daily" has visitors that are kept nowhere: they came on that day only.
    kept = table.kept_visitors(question.site.id, question.span.first_day, question.span.last_day)
    lost = {day: number - kept.get(day, 0) for day, number in daily.items() if number > kept.get(day, 0)}
    if not lost:
        return counted, said
    for place, (first, last) in enumerate(wanted):
        if first != last and not is_month(first, last, question.span):
            counted[place] += sum(number for day, number in lost.items() if first <= day <= last)
    return counted, "daily_sum"


def _sum(daily: Mapping[int, int], first: int, last: int) -> int:
    if first == last:  # a year by the day has so many of these that each must not look at all days
        return daily.get(first, 0)
    return sum(number for day, number in daily.items() if first <= day <= last)


def _distinct(table: ReportTable, question: Question, first: int, last: int) -> int:
    """Count the visitors of these days; a whole month's are known."""
    if not is_month(first, last, question.span):
        return table.distinct_visitors(question.site.id, first, last)
    month = month_of(first)
    rows = table.periods(question.site.id, Dimension.TOTAL, Piece("month", month, month))
    return rows[0][1][0] if rows else 0
