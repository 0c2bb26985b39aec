"""The weeks and months to come: when each begins, and how many of its days are still to come."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from visitor_tracker.days import date_of, number_of
from visitor_tracker.reports.query import WeekStart, month_end, week_of

Span = Literal["week", "month"]


@dataclass(frozen=True, slots=True)
class Coming:
    """A week or month; `days` are those from today on, `over` those before today."""

    start: date
    days: int
    over: int


def coming(today: date, span: Span, count: int, week_start: WeekStart) -> list[Coming]:
    """Return the week or month that is running, and those after it."""
    found: list[Coming] = []
    day = today
    for _ in range(count):
        start, end = _bounds(day, span, week_start)
        found.append(Coming(start, (end - day).days, (day - start).days))
        day = end
    return found


def _bounds(day: date, span: Span, week_start: WeekStart) -> tuple[date, date]:
    """Return the first day of the week or month that a day is in, and that of the next one."""
    if span == "week":
        start = date_of(week_of(number_of(day), week_start))
        return start, start + timedelta(days=7)
    return day.replace(day=1), date_of(month_end(number_of(day))) + timedelta(days=1)
