"""Where a site is going: averages, busy hours, growth beside its usual noise, and pages that rise, fall, come and fade.

Of complete days only: the running one would look like a fall.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, log, sqrt
from statistics import median

import msgspec

from visitor_tracker.days import day_after, day_of, zone_of
from visitor_tracker.reports.insight.fading import Fading, fading_pages
from visitor_tracker.reports.insight.history import SETTLE_MS, History, histories
from visitor_tracker.reports.insight.page_changes import PageChange, PageChanges, page_changes
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable

DAYS, DAYS_LEAST, DAYS_MOST = 28, 7, 180

_WEEKS_OF_HOURS = 8
_WEEKS_OF_GROWTH = 13
_WEEK = 7
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BUSIEST = 3
_TRIMMED_LEAST = 5  # values
_USUAL = 1.645  # standard deviations: nine of ten weeks
_TO_DEVIATION = 1.4826  # of a median absolute deviation
_WEEKS_LEAST = 4  # of changes from week to week, to say what is usual


class Average(msgspec.Struct, frozen=True):
    """Of a day, over the complete days of the period after the site's first."""

    days: int
    visits: float
    views: float
    visitors: float


class Weekday(msgspec.Struct, frozen=True):
    """The mean visits of eight weeks, without the best and the worst, and their share of a week's."""

    weekday: str
    visits: float
    share: float


class BusyHour(msgspec.Struct, frozen=True):
    """An hour of the week by the site's clock."""

    weekday: str
    hour: int
    visits: float


class Hours(msgspec.Struct, frozen=True):
    """Mean visits by weekday (Monday first) and hour of the site's clock, made as those of weekdays."""

    weeks: int
    table: list[list[float | None]]
    busiest: list[BusyHour]


class Growth(msgspec.Struct, frozen=True):
    """Visits of the last seven complete days beside the seven before.

    Of ten weeks nine change by `usual_low` to `usual_high` percent here; null where too few weeks are known.
    """

    visits: int
    visits_before: int
    percent: float | None
    usual_low: float | None
    usual_high: float | None
    is_usual: bool | None
    text: str


class Trends(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """Where a site is going; `first` to `last` are the days whose pages are compared with as many before."""

    site: str
    timezone: str
    first: str
    last: str
    days: int
    average: Average
    average_before: Average | None
    weekdays: list[Weekday]
    busiest_weekday: str | None
    hours: Hours
    growth: Growth | None
    risers: list[PageChange]
    fallers: list[PageChange]
    new_pages: list[PageChange]
    fading: list[Fading]


def trends(table: ReportTable, site: Site, days: int, now_ms: int) -> Trends:
    """Return the trends of a site; raises what stores raise."""
    last = day_after(day_of(site.timezone, now_ms - SETTLE_MS), -1)
    first = day_after(last, 1 - days)
    most = max(2 * days, (_WEEKS_OF_GROWTH + 1) * _WEEK)
    by_day = histories(table, site, ("visits", "views", "visitors"), "day", most=most, now_ms=now_ms)
    by_hour = histories(table, site, ("visits",), "hour", most=_WEEKS_OF_HOURS * _WEEK * 24, now_ms=now_ms)
    visits = by_day[0].values if by_day else ()
    weekdays = _weekdays(by_day[0]) if by_day else []
    pages = page_changes(table, site, first, last) if by_day else PageChanges([], [], [])
    return Trends(
        site.name,
        site.timezone,
        _iso(first),
        _iso(last),
        days,
        _average(by_day, 0, days) or Average(0, 0.0, 0.0, 0.0),
        _average(by_day, days, 2 * days),
        weekdays,
        max(weekdays, key=lambda each: each.visits).weekday if weekdays else None,
        _hours(by_hour, site.timezone),
        _growth(visits),
        pages.risers,
        pages.fallers,
        pages.new,
        fading_pages(table, site, last) if by_day else [],
    )


def _iso(day: int) -> str:
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def _average(found: Sequence[History], since: int, until: int) -> Average | None:
    """Return the means of days counted from the last one back."""
    if not found:
        return None
    count = len(found[0].values)
    first, last = max(0, count - until), count - since
    if first >= last:
        return None
    means = [round(sum(each.values[first:last]) / (last - first), 2) for each in found]
    return Average(last - first, *means)


def _weekdays(found: History) -> list[Weekday]:
    """Return the weekdays of the last weeks, Monday first."""
    values = found.values[-_WEEKS_OF_HOURS * _WEEK :]
    skipped = len(found.values) - len(values)
    by_weekday: dict[int, list[int]] = {}
    for place, visits in enumerate(values):
        by_weekday.setdefault((found.first + timedelta(days=skipped + place)).weekday(), []).append(visits)
    means = {weekday: _trimmed(each) for weekday, each in sorted(by_weekday.items())}
    week = sum(means.values())
    return [
        Weekday(_WEEKDAYS[weekday], round(mean, 2), round(mean / week, 4) if week else 0.0)
        for weekday, mean in means.items()
    ]


def _hours(found: Sequence[History], timezone: str) -> Hours:
    cells: list[list[list[int]]] = [[[] for _ in range(24)] for _ in _WEEKDAYS]
    zone = zone_of(timezone)
    hours = zip(found[0].starts[:-1], found[0].values, strict=True) if found else ()
    for start, visits in hours:
        at = datetime.fromtimestamp(start / 1000, zone)
        cells[at.weekday()][at.hour].append(visits)
    table = [[round(_trimmed(cell), 2) if cell else None for cell in row] for row in cells]
    busy = [
        BusyHour(_WEEKDAYS[weekday], hour, visits)
        for weekday, row in enumerate(table)
        for hour, visits in enumerate(row)
        if visits
    ]
    busy.sort(key=lambda each: -each.visits)
    return Hours(min(_WEEKS_OF_HOURS, max(len(cell) for row in cells for cell in row)), table, busy[:_BUSIEST])


def _trimmed(values: Sequence[int]) -> float:
    """Return the mean, of many without the largest and the smallest: one day on a front page makes no weekday."""
    inner = sorted(values)[1:-1] if len(values) >= _TRIMMED_LEAST else values
    return sum(inner) / len(inner)


def _growth(visits: Sequence[int]) -> Growth | None:
    """Return how the last week changed, and within what changes from week to week usually are."""
    weeks = [sum(visits[place - _WEEK : place]) for place in range(len(visits), _WEEK - 1, -_WEEK)]
    if len(weeks) < 2:
        return None
    now, before = weeks[:2]
    percent = round(100 * (now - before) / before, 1) if before else None
    changes = [log(one / other) for one, other in pairwise(weeks[1:]) if one and other]
    if percent is None or not now or len(changes) < _WEEKS_LEAST:
        return Growth(now, before, percent, None, None, None, _said(now, percent, None))
    middle = median(changes)
    spread = _TO_DEVIATION * median(abs(each - middle) for each in changes)
    spread = max(spread, sqrt(1 / now + 1 / before))  # what chance makes of so few at least
    low, high = (round(100 * (exp(middle + side * _USUAL * spread) - 1), 1) for side in (-1, 1))
    is_usual = low <= percent <= high
    return Growth(now, before, percent, low, high, is_usual, _said(now, percent, is_usual))


def _said(now: int, percent: float | None, is_usual: bool | None) -> str:
    if percent is None:
        return f"{now:,} visits in the last seven days, and none in the seven before."
    verb = "more" if percent >= 0 else "fewer"
    said = f"{now:,} visits in the last seven days: {abs(percent):.1f} % {verb} than in the seven before"
    if is_usual is None:
        return f"{said}; too few weeks are known to say whether that is much."
    return f"{said}, which is {'no more than weeks usually differ' if is_usual else 'more than weeks usually differ'}."
