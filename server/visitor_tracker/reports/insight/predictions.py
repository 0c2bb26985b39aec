"""What the next days or hours of a site are likely to bring, from its rollups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import msgspec

from visitor_tracker.days import number_of
from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.forecast import Forecast, forecast, forecast_sums
from visitor_tracker.holidays import NO_HOLIDAYS, Holidays
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.insight.coming import Coming, coming
from visitor_tracker.reports.insight.history import History, Metric, Step, histories
from visitor_tracker.reports.query import QueryError, WeekStart
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import Piece, ReportTable

DAYS_READ, HOURS_READ = 800, 60 * 24
ForecastStep = Literal["day", "hour", "week", "month"]

PERIODS: dict[ForecastStep, int] = {"day": 7, "hour": 24, "week": 4, "month": 3}
PERIODS_MOST: dict[ForecastStep, int] = {"day": 366, "hour": 336, "week": 52, "month": 12}
SHARE = 0.9
_SILENT_DAYS = 7  # at the end: who knows whether a site that was silent for longer comes back

Trend = Literal["increasing", "decreasing", "stable"]


@dataclass(frozen=True, slots=True)
class ForecastAsked:
    """Of what, how far; `periods` of 0 takes what is usual. `share` of the values shall lie between low and high."""

    metric: Metric = "visits"
    step: ForecastStep = "day"
    periods: int = 0
    holidays: Holidays = NO_HOLIDAYS  # beside the site's own
    share: float = SHARE
    week_start: WeekStart = "monday"

    @property
    def learned_by(self) -> Step:
        """Return what is learned from: weeks and months are sums of days."""
        return "hour" if self.step == "hour" else "day"


class ForecastPoint(msgspec.Struct, frozen=True):
    """An hour, day, week or month, the first one running now. `share` of the values lie between `low` and `high`."""

    start: str
    expected: float
    low: float
    high: float


class Prediction(msgspec.Struct, frozen=True):
    """A forecast; where the site is too young for one, `can_forecast` is false and `message` says so."""

    can_forecast: bool
    site: str
    metric: Metric
    step: ForecastStep
    timezone: str
    share: float
    learned_from: int  # complete days or hours
    points: list[ForecastPoint] = []
    trend: Trend | None = None
    slope: float | None = None  # change by step, of weeks and months by the day
    message: str = ""


def predict(table: ReportTable, site: Site, policy: VisitorPolicy, asked: ForecastAsked, now_ms: int) -> Prediction:
    """Return the forecast of a metric; raises QueryError for what cannot be asked, and what stores raise."""
    periods = asked.periods or PERIODS[asked.step]
    if not 1 <= periods <= PERIODS_MOST[asked.step]:
        raise QueryError(
            "periods", f"periods cannot be {periods}: use 1 to {PERIODS_MOST[asked.step]} for steps of a {asked.step}"
        )
    if asked.metric == "visitors" and asked.step in {"week", "month"} and policy != "daily":
        raise QueryError(
            "metric",
            f"visitors by the {asked.step} are no sum of days where they live longer: use visits, views, events",
        )
    most = DAYS_READ if asked.learned_by == "day" else HOURS_READ
    found_there = histories(table, site, (asked.metric,), asked.learned_by, most=most, now_ms=now_ms)
    if not found_there:
        return _cannot(site, asked, 0, "there are no complete days with visits yet")
    [there] = found_there
    measured = there.measured()
    silent = next((place for place, value in enumerate(reversed(measured)) if value is not None), len(measured))
    if silent > _SILENT_DAYS * (1 if asked.learned_by == "day" else 24):
        since = there.label(len(measured) - silent)
        return _cannot(site, asked, len(measured), f"nobody has come since {since}: nothing tells whether anybody will")
    try:
        points, found = _foretold(table, there, asked, periods)
    except TooShort as error:
        return _cannot(site, asked, len(there.values), str(error))
    return Prediction(
        True,
        site.name,
        asked.metric,
        asked.step,
        site.timezone,
        asked.share,
        len(there.values),
        points,
        found.trend,
        round(found.slope, 4),
    )


def _foretold(
    table: ReportTable, there: History, asked: ForecastAsked, periods: int
) -> tuple[list[ForecastPoint], Forecast]:
    """Return the points, and what they were made of; raises TooShort."""
    holidays = there.site.calendar.with_others(asked.holidays)
    measured = there.measured()
    if asked.step == "week" or asked.step == "month":
        today = there.day(len(there.values))
        buckets = coming(today, asked.step, periods, asked.week_start)
        found = forecast_sums(
            measured, there.day(0), [each.days for each in buckets], share=asked.share, holidays=holidays
        )
        return _sums(buckets, found, _had(table, there, buckets[0], today)), found
    found = forecast(measured, there.first, asked.learned_by, periods, share=asked.share, holidays=holidays)
    return _points(there, found), found


def _had(table: ReportTable, there: History, running: Coming, today: date) -> float:
    """Return what the running week or month had before today, also on the site's first day: histories leave it out."""
    if not running.over:
        return 0.0
    days = Piece("day", number_of(running.start), number_of(today - timedelta(days=1)))
    rows = table.periods(there.site.id, Dimension.TOTAL, days)
    column = NAMES.index(there.metric)
    return float(sum(measured[column] for _, measured in rows))


def _sums(buckets: Sequence[Coming], found: Forecast, had: float) -> list[ForecastPoint]:
    """Return the points of weeks or months: the running one has `had` so much on those of its days that are over."""
    points = []
    for place, each in enumerate(buckets):
        before = had if not place else 0.0
        numbers = (round(before + bounds[place], 2) for bounds in (found.expected, found.low, found.high))
        points.append(ForecastPoint(each.start.isoformat(), *numbers))
    return points


def _cannot(site: Site, asked: ForecastAsked, there: int, message: str) -> Prediction:
    return Prediction(False, site.name, asked.metric, asked.step, site.timezone, asked.share, there, message=message)


def _points(there: History, found: Forecast) -> list[ForecastPoint]:
    count = len(there.values)
    numbers = zip(found.expected, found.low, found.high, strict=True)
    return [
        ForecastPoint(there.label(count + place), *(round(number, 2) for number in point))
        for place, point in enumerate(numbers)
    ]


def holidays_of(text: str) -> Holidays:
    """Return the holidays of a text such as 2026-04-05,12-25; raises QueryError."""
    try:
        return Holidays.read(part for part in text.split(",") if part.strip())
    except ValueError as error:
        raise QueryError("holidays", f"{error}, with commas between") from error
