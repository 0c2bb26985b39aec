"""What the next days or hours of a site are likely to bring, from its rollups."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from visitor_tracker.forecasting import TooShort
from visitor_tracker.forecasting.forecast import Forecast, forecast
from visitor_tracker.reports.insight.history import History, Metric, Step, histories
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable

DAYS_READ, HOURS_READ = 800, 60 * 24
PERIODS: dict[Step, int] = {"day": 7, "hour": 24}
PERIODS_MOST: dict[Step, int] = {"day": 366, "hour": 336}
SHARE = 0.9
HOLIDAYS_MOST = 200
_SILENT_DAYS = 7  # at the end: who knows whether a site that was silent for longer comes back

Trend = Literal["increasing", "decreasing", "stable"]


@dataclass(frozen=True, slots=True)
class ForecastAsked:
    """Of what, how far; `periods` of 0 takes what is usual. `share` of the values shall lie between low and high."""

    metric: Metric = "visits"
    step: Step = "day"
    periods: int = 0
    holidays: frozenset[date] = frozenset()
    share: float = SHARE


class ForecastPoint(msgspec.Struct, frozen=True):
    """One day or hour: the first one is running now. `share` of the values lie between `low` and `high`."""

    start: str
    expected: float
    low: float
    high: float


class Prediction(msgspec.Struct, frozen=True):
    """A forecast; where the site is too young for one, `can_forecast` is false and `message` says so."""

    can_forecast: bool
    site: str
    metric: Metric
    step: Step
    timezone: str
    share: float
    learned_from: int  # complete days or hours
    points: list[ForecastPoint] = []
    trend: Trend | None = None
    slope: float | None = None  # change by step
    message: str = ""


def predict(table: ReportTable, site: Site, policy: VisitorPolicy, asked: ForecastAsked, now_ms: int) -> Prediction:
    """Return the forecast of a metric; raises QueryError for what cannot be asked, and what stores raise."""
    periods = asked.periods or PERIODS[asked.step]
    if not 1 <= periods <= PERIODS_MOST[asked.step]:
        raise QueryError(
            "periods", f"periods cannot be {periods}: use 1 to {PERIODS_MOST[asked.step]} for steps of a {asked.step}"
        )
    most = DAYS_READ if asked.step == "day" else HOURS_READ
    found_there = histories(table, site, (asked.metric,), asked.step, most=most, now_ms=now_ms)
    if not found_there:
        return _cannot(site, asked, 0, "there are no complete days with visits yet")
    [there] = found_there
    measured = there.measured()
    silent = next((place for place, value in enumerate(reversed(measured)) if value is not None), len(measured))
    if silent > _SILENT_DAYS * (1 if asked.step == "day" else 24):
        since = there.label(len(measured) - silent)
        return _cannot(site, asked, len(measured), f"nobody has come since {since}: nothing tells whether anybody will")
    try:
        found = forecast(measured, there.first, asked.step, periods, share=asked.share, holidays=asked.holidays)
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
        _points(there, found),
        found.trend,
        round(found.slope, 4),
    )


def _cannot(site: Site, asked: ForecastAsked, there: int, message: str) -> Prediction:
    return Prediction(False, site.name, asked.metric, asked.step, site.timezone, asked.share, there, message=message)


def _points(there: History, found: Forecast) -> list[ForecastPoint]:
    count = len(there.values)
    numbers = zip(found.expected, found.low, found.high, strict=True)
    return [
        ForecastPoint(there.label(count + place), *(round(number, 2) for number in point))
        for place, point in enumerate(numbers)
    ]


def holidays_of(text: str) -> frozenset[date]:
    """Return the dates of a text such as 2026-12-24,2026-12-25; raises QueryError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > HOLIDAYS_MOST:
        raise QueryError("holidays", f"holidays are at most {HOLIDAYS_MOST} days, not {len(parts)}")
    return frozenset(map(_holiday, parts))


def _holiday(text: str) -> date:
    try:
        if len(text) == len("2026-12-24"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise QueryError(
        "holidays", f"holidays cannot have {text[:40]!r}: use days such as 2026-12-24, with commas between"
    )
