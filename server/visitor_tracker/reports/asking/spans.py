"""Which days a question is about, and those that it is compared with."""

from dataclasses import dataclass, replace

import msgspec

from visitor_tracker.days import HOUR_MS, bounds, date_of, day_after, day_of, number_of
from visitor_tracker.reports.query import (
    PERIODS,
    Known,
    QueryError,
    Span,
    WeekStart,
    month_end,
    months_before,
    read_span,
)

ALIASES = {"day": "today", "lifetime": "all"}
COMPARISONS = ("previous", "year")
WORDS = (*PERIODS, *ALIASES)

_FIRST_DAY = 19700101
_HOURS = 24


class DateRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}):
    """Two days such as 2026-03-31, both included."""

    first: str
    last: str


Range = str | list[str] | DateRange


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days, as of which moment, with weeks that begin on which day; `known` has a site's first and last day."""

    timezone: str
    now_ms: int
    known: Known
    week_start: WeekStart


def range_text(given: Range, name: str) -> str:
    """Return a range in the words of `read_span`; raises QueryError under that name."""
    if isinstance(given, DateRange):
        return f"{given.first}..{given.last}"
    if isinstance(given, list):
        if len(given) != 2:
            raise QueryError(name, f"{name} as a list has two days, the first and the last, not {len(given)}")
        return "..".join(given)
    return ALIASES.get(given, given)


def asked_span(text: str, name: str, calendar: Calendar) -> Span:
    """Return the span of such a text; raises QueryError under that name."""
    try:
        return read_span(text, calendar.timezone, calendar.now_ms, calendar.known, calendar.week_start)
    except QueryError as error:
        raise QueryError(name, str(error).replace(", ".join(PERIODS), ", ".join(WORDS))) from error


def compared_span(span: Span, text: str, compare: Range, calendar: Calendar) -> Span:
    """Return the span that is compared with; `text` is what the span was read from. Raises QueryError."""
    if compare not in COMPARISONS:
        return _given(span, range_text(compare, "compare"), calendar)
    if text == "all":
        raise QueryError("compare", "there is nothing before a lifetime to compare with: take another date_range")
    if span.by_hours:
        if compare == "year":
            raise QueryError("compare", "24h compares with previous, the 24 hours before, only")
        return _hours_before(span)
    first, last = (
        _days_before(span, text)
        if compare == "previous"
        else (_year_before(span.first_day), _year_before(span.last_day))
    )
    if first < _FIRST_DAY:
        raise QueryError("compare", "there is no such time before this date_range: take later days")
    start, end = bounds(span.timezone, first)[0], bounds(span.timezone, last)[1]
    return replace(span, first_day=first, last_day=last, start_ms=start, end_ms=end)


def _given(span: Span, text: str, calendar: Calendar) -> Span:
    found = asked_span(text, "compare", calendar)
    if found.by_hours != span.by_hours:
        raise QueryError("compare", "days compare with days: use previous, year, or two days")
    return found


def _hours_before(span: Span) -> Span:
    start = span.start_ms - _HOURS * HOUR_MS
    first, last = day_of(span.timezone, start), day_of(span.timezone, span.start_ms - 1)
    return replace(span, first_day=first, last_day=last, start_ms=start, end_ms=span.start_ms)


def _days_before(span: Span, text: str) -> tuple[int, int]:
    """Return as many days before; before whole months as many months, before the running week the same weekdays."""
    if text == "week":
        return day_after(span.first_day, -7), day_after(span.last_day, -7)
    last = day_after(span.first_day, -1)
    if span.first_day % 100 == 1 and span.last_day == month_end(span.last_day):
        first, until = (day // 10_000 * 12 + day // 100 % 100 for day in (span.first_day, span.last_day))
        return months_before(span.first_day, until - first + 1), last
    return day_after(span.first_day, -span.days), last


def _days_of_year_before(span: Span) -> tuple[int, int]:
    return _year_before(span.first_day), _year_before(span.last_day)


def _year_before(day: int) -> int:
    """Return the same date a year before; the 28th for 29 February."""
    try:
        return number_of(date_of(day - 10_000))
    except ValueError:
        return day - 10_001
