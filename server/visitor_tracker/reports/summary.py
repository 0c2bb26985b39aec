"""A site's averages, busiest weekday and growth, as the privacy-focused tracker of old summed them up."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.days import date_of, day_after, day_of
from visitor_tracker.measures import NAMES
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Measured, ReportTable

_WEEK = 7
_EVERY_DAY = 100_000  # days, which is more than there are
_VIEWS, _VISITORS = NAMES.index("views"), NAMES.index("visitors")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Days = Sequence[tuple[int, Measured]]


class WeeklyGrowth(msgspec.Struct, frozen=True):
    """The last seven days, today included, beside the seven before; 0 % where there is nothing to compare with."""

    current_week_visits: int
    previous_week_visits: int
    growth_rate_percent: float


class Summary(msgspec.Struct, frozen=True):
    """Averages are over the days that have visits; a visit of the tracker of old is a page view of ours."""

    average_daily_visits: float
    average_daily_unique: float
    busiest_day_of_week: str
    weekly_growth: WeeklyGrowth


class NoSummary(msgspec.Struct, frozen=True):
    error: str = "No data available"


def summary(table: ReportTable, site: Site, now_ms: int) -> Summary | NoSummary:
    """Return the summary of a site from its first day on."""
    days = table.latest(site.id, _EVERY_DAY)
    if not days:
        return NoSummary()
    today = day_of(site.timezone, now_ms)
    current = _views(days, day_after(today, 1 - _WEEK), today)
    previous = _views(days, day_after(today, 1 - 2 * _WEEK), day_after(today, -_WEEK))
    growth = round(100 * (current - previous) / previous, 2) if previous else 0.0
    return Summary(
        round(sum(measured[_VIEWS] for _, measured in days) / len(days), 2),
        round(sum(measured[_VISITORS] for _, measured in days) / len(days), 2),
        _busiest(days),
        WeeklyGrowth(current, previous, growth),
    )


def _views(days: Days, first: int, last: int) -> int:
    return sum(measured[_VIEWS] for day, measured in days if first <= day <= last)


def _busiest(days: Days) -> str:
    """Return the weekday with the most views on average, of equal ones the first of the week."""
    views: dict[int, list[int]] = {}
    for day, measured in days:
        views.setdefault(date_of(day).weekday(), []).append(measured[_VIEWS])
    return _WEEKDAYS[max(sorted(views), key=lambda weekday: sum(views[weekday]) / len(views[weekday]))]
