"""What is to be expected, what was unlike it and why, and where a site is going: for readers."""

from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.insight.anomalies import DAYS, DAYS_MOST, AnomaliesAsked, Anomaly, anomalies, readiness
from visitor_tracker.reports.insight.causes import Why
from visitor_tracker.reports.insight.expected import DAYS as BAND_DAYS
from visitor_tracker.reports.insight.expected import DAYS_MOST as BAND_DAYS_MOST
from visitor_tracker.reports.insight.expected import HOUR_DAYS as BAND_HOUR_DAYS
from visitor_tracker.reports.insight.expected import HOUR_DAYS_MOST as BAND_HOUR_DAYS_MOST
from visitor_tracker.reports.insight.expected import BandAsked, BandPoint, band
from visitor_tracker.reports.insight.history import Metric, Step
from visitor_tracker.reports.insight.predictions import ForecastAsked, ForecastStep, Prediction, holidays_of, predict
from visitor_tracker.reports.insight.trends import DAYS as TREND_DAYS
from visitor_tracker.reports.insight.trends import DAYS_LEAST as TREND_DAYS_LEAST
from visitor_tracker.reports.insight.trends import DAYS_MOST as TREND_DAYS_MOST
from visitor_tracker.reports.insight.trends import Trends, trends
from visitor_tracker.reports.insight.why import why
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api.kept import refused
from visitor_tracker.web.asked import answer
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.remembered import Remembered
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfSite
from visitor_tracker.web.turns import long_turn
from visitor_tracker.web.typed import question_of

ANOMALY_ID_MOST = 64  # characters
_ANOMALIES_SECONDS = 300.0  # that a list is kept: only complete hours are in it, and it takes half a second


class ForecastQuery(OfSite, frozen=True, forbid_unknown_fields=True):
    """A forecast of which numbers, how far."""

    metric: Metric = "visits"
    step: ForecastStep = "day"
    periods: Annotated[
        int,
        Meta(
            ge=0,
            le=366,
            description="How many hours (at most 336), days (366), weeks (52) or months (12); 24, 7, 4, 3 by default",
        ),
    ] = 0
    holidays: Annotated[
        str, Meta(description="Holidays beside those of the site, past and to come: 2026-04-05,12-25")
    ] = ""


class AnomaliesQuery(OfSite, frozen=True, forbid_unknown_fields=True):
    """What happened in the last days."""

    days: Annotated[int, Meta(ge=1, le=DAYS_MOST, description="How many days back")] = DAYS


class WhyQuery(AnomaliesQuery, frozen=True, forbid_unknown_fields=True):
    """One of these anomalies."""

    id: Annotated[str, Meta(max_length=ANOMALY_ID_MOST, description="Of an anomaly of GET /api/v1/anomalies")] = ""


class BandQuery(OfSite, frozen=True, forbid_unknown_fields=True):
    """The band of which numbers, over how many days."""

    metric: Metric = "visits"
    step: Step = "day"
    days: Annotated[
        int,
        Meta(ge=0, le=BAND_DAYS_MOST, description="How many days back, by the hour at most 31; 30 and 7 by default"),
    ] = 0


class TrendsQuery(OfSite, frozen=True, forbid_unknown_fields=True):
    """Where a site is going."""

    days: Annotated[
        int,
        Meta(
            ge=TREND_DAYS_LEAST,
            le=TREND_DAYS_MOST,
            description="Complete days whose pages are compared with those before",
        ),
    ] = TREND_DAYS


class AnomaliesAnswer(msgspec.Struct, frozen=True):
    """What was unlike what is usual, the newest first; before `is_ready` the site is too young for any."""

    site: str
    timezone: str
    days: int
    is_ready: bool
    days_needed: int
    message: str
    anomalies: list[Anomaly]


class Band(msgspec.Struct, frozen=True):
    """Complete days or hours, and between which numbers nothing about them would have been unusual."""

    site: str
    timezone: str
    metric: Metric
    step: Step
    points: list[BandPoint]


class OutlookRoutes:
    """Handlers; the same question within a minute, of anomalies within five, has the same answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)
        self._predictions: Remembered[Prediction] = Remembered()
        self._anomalies: Remembered[list[Anomaly]] = Remembered(_ANOMALIES_SECONDS)
        self._bands: Remembered[list[BandPoint]] = Remembered(_ANOMALIES_SECONDS)
        self._reasons: Remembered[Why] = Remembered()
        self._trends: Remembered[Trends] = Remembered()

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/forecast", self.forecast, "what the next days or hours are likely to bring", "read",
                query=ForecastQuery, answer=Prediction,
            ),
            Route(
                "GET", "/api/v1/anomalies", self.anomalies, "days and hours unlike what is usual", "read",
                query=AnomaliesQuery, answer=AnomaliesAnswer,
            ),
            Route(
                "GET", "/api/v1/anomalies/why", self.why, "what explains an anomaly: sources, pages, places", "read",
                query=WhyQuery, answer=Why,
            ),
            Route(
                "GET", "/api/v1/anomalies/band", self.band, "between which numbers nothing is unusual", "read",
                query=BandQuery, answer=Band,
            ),
            Route(
                "GET", "/api/v1/trends", self.trends, "averages, busy hours, growth, pages that rise and fall", "read",
                query=TrendsQuery, answer=Trends,
            ),
        ]  # fmt: skip

    def forecast(self, request: Request) -> Answer:
        """GET /api/v1/forecast: {can_forecast, points: [{start, expected, low, high}], trend, slope}."""
        sent = question_of(request, ForecastQuery)
        snapshot = visible(self._parts.snapshot(), request)
        site = sent.among(snapshot)
        policy = snapshot.policy_of(site.id).visitor

        def look(asked: ForecastAsked) -> Prediction:
            with long_turn():
                return predict(self._table, site, policy, asked, self._parts.clock())

        with refused():
            asked = ForecastAsked(sent.metric, sent.step, sent.periods, holidays_of(sent.holidays))
            return answer(self._predictions.answer((site, asked), lambda: look(asked)))

    def anomalies(self, request: Request) -> Answer:
        """GET /api/v1/anomalies: {is_ready, anomalies: [{id, start, end, metric, kind, severity, text …}]}."""
        sent = question_of(request, AnomaliesQuery)
        snapshot = visible(self._parts.snapshot(), request)
        site = sent.among(snapshot)
        ready = readiness(self._table, site, self._parts.clock())
        found = self._found(site, snapshot, sent.days)
        message = "" if ready.is_ready else f"there are {ready.days} complete days, and {ready.needed} are needed"
        return answer(
            AnomaliesAnswer(site.name, site.timezone, sent.days, ready.is_ready, ready.needed, message, found)
        )

    def why(self, request: Request) -> Answer:
        """GET /api/v1/anomalies/why?id=: {anomaly, causes: [{dimension, value, share …}], text}."""
        sent = question_of(request, WhyQuery)
        snapshot = visible(self._parts.snapshot(), request)
        site = sent.among(snapshot)
        found = self._found(site, snapshot, sent.days)
        anomaly = next((each for each in found if each.id == sent.id), None)
        if anomaly is None:
            raise HttpError(
                404,
                "unknown_anomaly",
                "the site has no such anomaly in these days",
                "GET /api/v1/anomalies has the ids",
            )
        policy = snapshot.policy_of(site.id).visitor

        def explain() -> Why:
            with long_turn():
                return why(self._table, site, policy, anomaly, self._parts.clock(), others=found)

        return answer(self._reasons.answer((site, anomaly), explain))

    def band(self, request: Request) -> Answer:
        """GET /api/v1/anomalies/band: {points: [{start, value, expected, low, high}]}."""
        sent = question_of(request, BandQuery)
        site = sent.among(visible(self._parts.snapshot(), request))
        usual, most = (BAND_DAYS, BAND_DAYS_MOST) if sent.step == "day" else (BAND_HOUR_DAYS, BAND_HOUR_DAYS_MOST)
        if sent.days > most:
            raise HttpError(
                400, "invalid_days", f"days cannot be {sent.days} by the hour", f"use days=1 to days={most}"
            )
        asked = BandAsked(sent.metric, sent.step, sent.days or usual)

        def look() -> list[BandPoint]:
            with long_turn():
                return band(self._table, site, asked, self._parts.clock())

        points = self._bands.answer((site, asked), look)
        return answer(Band(site.name, site.timezone, sent.metric, sent.step, points))

    def trends(self, request: Request) -> Answer:
        """GET /api/v1/trends: {average, weekdays, hours, growth, risers, fallers, new_pages, decay}."""
        sent = question_of(request, TrendsQuery)
        site = sent.among(visible(self._parts.snapshot(), request))

        def look() -> Trends:
            with long_turn():
                return trends(self._table, site, sent.days, self._parts.clock())

        return answer(self._trends.answer((site, sent.days), look))

    def _found(self, site: Site, snapshot: Snapshot, days: int) -> list[Anomaly]:
        policy = snapshot.policy_of(site.id).visitor

        def look() -> list[Anomaly]:
            with long_turn():
                return anomalies(self._table, site, policy, AnomaliesAsked(days), self._parts.clock())

        return self._anomalies.answer((site, days), look)


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file."""
    return OutlookRoutes(parts).routes()
