"""GET /forecast and /anomalies, as clients of the privacy-focused tracker of old ask for them.

What it called a visit is a page view of ours.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.insight.anomalies import DAYS_MOST, AnomaliesAsked, Anomaly, Kind, anomalies, readiness
from visitor_tracker.reports.insight.history import histories
from visitor_tracker.reports.insight.predictions import ForecastAsked, Trend, predict
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.remembered import Remembered
from visitor_tracker.web.routed import sees_all, visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.turns import long_turn

_DAYS, _DAYS_MOST = 7, 366
_ANOMALIES_SECONDS = 300.0  # that a list is kept
_ANOMALY_DAYS_LEAST = 5  # it said nothing below


class AnomaliesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site_id: Annotated[str, msgspec.Meta(description="name of the site")] = "default"


class ForecastQuery(AnomaliesQuery, frozen=True, forbid_unknown_fields=True):
    days: Annotated[int, msgspec.Meta(ge=1, le=_DAYS_MOST, description="how many, today being the first")] = _DAYS


class PredictedDay(msgspec.Struct, frozen=True):
    date: str
    predicted_visits: int


class OldForecast(msgspec.Struct, frozen=True):
    """`slope` is the change by day."""

    can_forecast: bool
    forecast: list[PredictedDay]
    trend: Trend
    slope: float


class NoForecast(msgspec.Struct, frozen=True):
    can_forecast: bool
    message: str


class UnusualDay(msgspec.Struct, frozen=True):
    date: str
    visits: int
    type: Kind


class OldAnomalies(msgspec.Struct, frozen=True):
    """The newest first."""

    has_anomalies: bool
    anomalies: list[UnusualDay]


class NoAnomalies(msgspec.Struct, frozen=True):
    has_anomalies: bool
    message: str


class OldOutlook:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)
        self._days: Remembered[OldAnomalies] = Remembered(_ANOMALIES_SECONDS)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/forecast", self.forecast, "page views that the next days are likely to bring", "read",
                query=ForecastQuery, answer=OldForecast | NoForecast,
            ),
            Route(
                "GET", "/anomalies", self.anomalies, "days with unusually many or few page views", "read",
                query=AnomaliesQuery, answer=OldAnomalies | NoAnomalies,
            ),
        ]  # fmt: skip

    def forecast(self, request: Request) -> Answer:
        """GET /forecast?site_id=&days=."""
        asked = query_as(request, ForecastQuery)
        site = self._site(asked.site_id, request)
        policy = self._parts.snapshot().policy_of(site.id).visitor
        wanted = ForecastAsked("views", "day", asked.days)
        with long_turn():
            found = predict(self._table, site, policy, wanted, self._parts.clock())
        if found.trend is None or found.slope is None:
            return answer(NoForecast(can_forecast=False, message=found.message))
        days = [PredictedDay(each.start, round(each.expected)) for each in found.points]
        return answer(OldForecast(can_forecast=True, forecast=days, trend=found.trend, slope=found.slope))

    def anomalies(self, request: Request) -> Answer:
        """GET /anomalies?site_id=."""
        asked = query_as(request, AnomaliesQuery)
        snapshot = visible(self._parts.snapshot(), request)
        site = self._site(asked.site_id, request)
        now_ms = self._parts.clock()
        ready = readiness(self._table, site, now_ms)
        if ready.days < _ANOMALY_DAYS_LEAST:
            message = f"Not enough data: {ready.days} complete days, and {_ANOMALY_DAYS_LEAST} are needed at least"
            return answer(NoAnomalies(has_anomalies=False, message=message))
        policy = snapshot.policy_of(site.id).visitor

        def look() -> OldAnomalies:
            with long_turn():
                found = anomalies(self._table, site, policy, AnomaliesAsked(DAYS_MOST, 0, ("views",)), now_ms)
            days = self._days_of(site, found, now_ms)
            return OldAnomalies(has_anomalies=bool(days), anomalies=days)

        return answer(self._days.answer(site, look))

    def _days_of(self, site: Site, found: Sequence[Anomaly], now_ms: int) -> list[UnusualDay]:
        """Return a day and its views of each; of days that are unusual together, the one that is most so."""
        most = 2 * DAYS_MOST
        every = histories(self._table, site, ("views",), "day", most=most, now_ms=now_ms) if found else ()
        views = {there.label(place): value for there in every for place, value in enumerate(there.values)}
        days = []
        for each in found:
            first = date.fromisoformat(each.peak)
            names = [(first + timedelta(days=step)).isoformat() for step in range(each.peak_steps)]
            chosen = (max if each.kind == "spike" else min)(names, key=lambda name: views.get(name, 0))
            days.append(UnusualDay(chosen, views.get(chosen, 0), each.kind))
        return days

    def _site(self, name: str, request: Request) -> Site:
        site = visible(self._parts.snapshot(), request).by_name.get(name)
        if site is None and not sees_all(request):
            raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows the names")
        # A site that a visit has just made has numbers before it is in the snapshot.
        return site or Site(site_id_of(name), name)
