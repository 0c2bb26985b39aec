"""The forecast that a query by time may ask for, beside its rows."""

from typing import get_args

from msgspec import UNSET, UnsetType

from visitor_tracker.reports.asking.ask import TIME, Ask
from visitor_tracker.reports.asking.shapes import Forecasted, ForecastRow
from visitor_tracker.reports.insight.history import Metric
from visitor_tracker.reports.insight.predictions import (
    PERIODS_MOST,
    SHARE,
    ForecastAsked,
    ForecastStep,
    Prediction,
    predict,
)
from visitor_tracker.reports.query import QueryError, Question
from visitor_tracker.store.reports import ReportTable

FORECAST_MOST = max(PERIODS_MOST.values())

_METRICS: tuple[Metric, ...] = get_args(Metric)


def check_forecast(periods: int, ask: Ask) -> None:
    """Raise QueryError where a forecast cannot follow on such rows."""
    if not periods:
        return
    question = ask.question
    step = _step(question)
    if ask.names != (TIME,):
        raise QueryError(
            "forecast", "a forecast is by time only: use dimensions time, time:hour, time:day, time:week or time:month"
        )
    if not 1 <= periods <= PERIODS_MOST[step]:
        raise QueryError("forecast", f"forecast cannot be {periods}: use 1 to {PERIODS_MOST[step]} {step}s")
    if step in {"week", "month"} and "visitors" in _foretold(ask) and question.policy != "daily":
        raise QueryError(
            "forecast", f"visitors by the {step} are no sum of days where they live longer: use visits, views, events"
        )
    if not _foretold(ask):
        raise QueryError("forecast", f"no metric of these can be foretold: use {', '.join(_METRICS)}")
    _check_days(question)


def _check_days(question: Question) -> None:
    if question.filters is not None:
        raise QueryError("forecast", "a forecast is of the whole site: leave filters and segment out")
    if question.is_foreign:
        raise QueryError("forecast", "a forecast is by the site's own clock: leave timezone out")
    if question.span.last_day < question.span.today:
        raise QueryError("forecast", "a forecast follows on today: use a date_range that ends today, such as 30d")


def forecasted(table: ReportTable, ask: Ask) -> Forecasted | UnsetType:
    """Return the forecast that was asked for; raises what stores raise."""
    step = _step(ask.question)
    if not ask.forecast:
        return UNSET
    site, policy = ask.question.site, ask.question.policy
    found = {
        metric: predict(
            table,
            site,
            policy,
            ForecastAsked(metric, step, ask.forecast, week_start=ask.question.week_start),
            ask.at_ms,
        )
        for metric in _foretold(ask)
    }
    message = next((each.message for each in found.values() if not each.can_forecast), "")
    if message:
        return Forecasted(SHARE, [], {}, message)
    trend: dict[str, str] = {metric: each.trend for metric, each in found.items() if each.trend is not None}
    return Forecasted(SHARE, _rows(found), trend, "")


def _rows(found: dict[Metric, Prediction]) -> list[ForecastRow]:
    every = [(metric, each.points) for metric, each in found.items()]
    return [
        ForecastRow(
            {TIME: every[0][1][place].start},
            {metric: points[place].expected for metric, points in every},
            {metric: points[place].low for metric, points in every},
            {metric: points[place].high for metric, points in every},
        )
        for place in range(len(every[0][1]))
    ]


def _foretold(ask: Ask) -> list[Metric]:
    names = {metric.name for metric in ask.metrics}
    return [metric for metric in _METRICS if metric in names]


def _step(question: Question) -> ForecastStep:
    return question.interval
