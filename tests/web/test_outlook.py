"""Forecasts, anomalies with their reasons, and trends over HTTP."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from tests.reports.insight.crowd import HACKER_NEWS, NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from tests.web.conftest import LOCAL, REMOTE, Build
from tests.web.conftest import Site as Served
from visitor_tracker.access.audit import Audit
from visitor_tracker.days import DAY_MS
from visitor_tracker.http.message import Deferred, Peer, Request, Response
from visitor_tracker.reports.insight.causes import Why
from visitor_tracker.reports.insight.predictions import Prediction
from visitor_tracker.reports.insight.trends import Trends
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web import remembered
from visitor_tracker.web.api import compat, outlook, query
from visitor_tracker.web.api.outlook import AnomaliesAnswer, Band
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.remembered import Remembered
from visitor_tracker.web.router import Router

EMPTY = Site(7, "blog", aliases=("42",))
PUBLIC = msgspec.structs.replace(SITE, public=True)

NOTHING: Mapping[str, str | int] = {}

Said = dict[str, Any]


class Asking:
    """A router with these routes at a fixed time, over the store of an App."""

    def __init__(self, served: Served) -> None:
        self.now = NOW
        self.app = app = served.app
        self.show(SITE)
        parts = Parts(
            app.config,
            app.store,
            app.guards,
            Audit(app.store),
            lambda: app.snapshot.now,
            lambda *_: b"",
            {},
            AssetRoutes({}),
            lambda: self.now,
            app.counters,
            b"",
        )
        routes = [*outlook.routes(parts), *compat.routes(parts), *query.routes(parts)]
        self._router = Router(routes, guards=app.guards, counters=app.counters, flush=lambda: None)

    def show(self, site: Site) -> None:
        self.app.snapshot.now = Snapshot((site, EMPTY))

    def ask(self, path: str, parameters: Mapping[str, str | int] = NOTHING, peer: Peer = LOCAL) -> Response:
        found = self._router(Request("GET", path, urlencode(parameters), {"host": "localhost"}, b"", True, peer))
        assert not isinstance(found, Deferred)
        assert isinstance(found, Response)
        return found

    def says(self, path: str, **parameters: str | int) -> Said:
        found = self.ask(path, parameters)
        assert found.status == 200, found.body
        said: Said = json.loads(found.body)
        return said

    def refusal(self, path: str, **parameters: str | int) -> tuple[int, str, str]:
        found = self.ask(path, parameters)
        error = json.loads(found.body)["error"]
        return found.status, error["code"], f"{error['message']}: {error['hint']}"


@pytest.fixture
def bare(build: Build) -> Asking:
    """A site without visits."""
    return Asking(build())


@pytest.fixture
def asking(build: Build) -> Asking:
    """Sixty usual days, and one on which Hacker News came."""
    served = build()
    fold(served.app.store, SITE, [*usual(60, 1), *visits(ago(9), 160, name="spike", source=HACKER_NEWS, page="/post")])
    return Asking(served)


def test_the_next_days_are_foretold(asking: Asking) -> None:
    said = asking.says("/api/v1/forecast", metric="views", periods=14)
    found = msgspec.convert(said, Prediction)
    assert (found.site, found.metric, found.step, found.timezone) == ("default", "views", "day", "Europe/Berlin")
    assert [found.points[0].start, found.points[-1].start] == ["2026-11-12", "2026-11-25"]
    holidays = ",".join(f"2026-{day}" for day in ("10-03", "11-01", "11-15"))
    assert asking.says("/api/v1/forecast", holidays=holidays)["can_forecast"]
    months = asking.says("/api/v1/forecast", step="month", metric="visitors", periods=2)
    assert [each["start"] for each in months["points"]] == ["2026-11-01", "2026-12-01"]
    hours = asking.says("/api/v1/forecast", step="hour")
    assert (len(hours["points"]), hours["points"][0]["start"]) == (24, "2026-11-12T09:00+01:00")
    assert asking.says("/api/v1/forecast", site="42") == {
        "can_forecast": False, "site": "blog", "metric": "visits", "step": "day", "timezone": "UTC", "share": 0.9,
        "learned_from": 0, "points": [], "trend": None, "slope": None,
        "message": "there are no complete days with visits yet",
    }  # fmt: skip


def test_an_anomaly_is_told_and_explained(asking: Asking) -> None:
    found = msgspec.convert(asking.says("/api/v1/anomalies"), AnomaliesAnswer)
    assert (found.site, found.days, found.is_ready, found.days_needed, found.message) == ("default", 90, True, 14, "")
    [anomaly] = found.anomalies
    assert (anomaly.start, anomaly.kind) == ("2026-11-03", "spike")
    said = asking.says("/api/v1/anomalies/why", id=anomaly.id)
    reason = msgspec.convert(said, Why)
    assert reason.anomaly == anomaly
    assert (reason.causes[0].value, reason.causes[0].details[0].value) == ("Hacker News", "/post")
    assert asking.says("/api/v1/anomalies", days=5)["anomalies"] == []
    young = asking.says("/api/v1/anomalies", site="blog")
    assert (young["is_ready"], young["message"]) == (False, "there are 0 complete days, and 14 are needed")


def test_the_band_of_what_is_usual(asking: Asking) -> None:
    said = asking.says("/api/v1/anomalies/band", days=60)
    found = msgspec.convert(said, Band)
    assert (found.metric, found.step, len(found.points)) == ("visits", "day", 59), "all but the first visit's"
    young, known = found.points[0], found.points[-9]
    assert (young.start, young.expected, young.low, young.high) == ("2026-09-14", None, None, None)
    assert known.start == "2026-11-03"
    assert known.low is not None
    assert known.expected is not None
    assert known.high is not None
    assert known.low < known.expected < known.high < known.value, "the front page lies outside"
    usual = [each for each in found.points[20:] if each is not known and each.low is not None and each.high is not None]
    assert all(each.low <= each.value <= each.high for each in usual if each.low is not None and each.high is not None)
    hours = asking.says("/api/v1/anomalies/band", step="hour", metric="views")["points"]
    assert (len(hours), hours[-1]["start"]) == (7 * 24, "2026-11-12T08:00+01:00")
    assert asking.says("/api/v1/anomalies/band", site="blog")["points"] == []


def test_trends_are_told(asking: Asking) -> None:
    found = msgspec.convert(asking.says("/api/v1/trends", days=28), Trends)
    assert (found.first, found.last, found.busiest_weekday in ("Saturday", "Sunday")) == (
        "2026-10-15",
        "2026-11-11",
        False,
    )
    assert [each.page for each in found.new_pages] == ["/post"]
    assert len(found.hours.table) == 7


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("/api/v1/forecast", {"metric": "clicks"}, "invalid_metric"),
        ("/api/v1/forecast", {"step": "year"}, "invalid_step"),
        ("/api/v1/forecast", {"step": "week", "periods": "53"}, "invalid_periods"),
        ("/api/v1/forecast", {"step": "hour", "periods": "366"}, "invalid_periods"),
        ("/api/v1/forecast", {"periods": "-1"}, "invalid_periods"),
        ("/api/v1/forecast", {"holidays": "Christmas"}, "invalid_holidays"),
        ("/api/v1/forecast", {"period": "7d"}, "unknown_parameter"),
        ("/api/v1/anomalies", {"days": "0"}, "invalid_days"),
        ("/api/v1/anomalies/why", {"days": "367"}, "invalid_days"),
        ("/api/v1/anomalies/band", {"days": "32", "step": "hour"}, "invalid_days"),
        ("/api/v1/trends", {"days": "6"}, "invalid_days"),
        ("/forecast", {"days": "0"}, "invalid_query"),
    ],
)
def test_mistakes_are_named(bare: Asking, path: str, parameters: dict[str, str | int], code: str) -> None:
    status, said, text = bare.refusal(path, **parameters)
    assert (status, said) == (400, code)
    assert next(iter(parameters)) in text


def test_what_is_not_there_is_not_found(bare: Asking) -> None:
    for path in ("/api/v1/forecast", "/api/v1/anomalies", "/api/v1/trends"):
        assert bare.refusal(path, site="nowhere")[:2] == (404, "unknown_site")
    assert bare.refusal("/api/v1/anomalies/why", id="0123456789abcdef")[:2] == (404, "unknown_anomaly")
    assert bare.refusal("/api/v1/anomalies/why")[:2] == (404, "unknown_anomaly")


@pytest.mark.parametrize("path", ["/api/v1/forecast", "/api/v1/anomalies", "/api/v1/trends", "/forecast", "/anomalies"])
def test_a_public_site_shows_them_to_everybody(bare: Asking, path: str) -> None:
    assert bare.ask(path, peer=REMOTE).status == 401
    bare.show(PUBLIC)
    assert bare.ask(path, peer=REMOTE).status == 200
    assert bare.ask(path, {"site_id": "blog"}, REMOTE).status == 401


def test_the_tracker_of_old_foretold_views(asking: Asking) -> None:
    said = asking.says("/forecast")
    assert [day["date"] for day in said.pop("forecast")] == [f"2026-11-{day}" for day in range(12, 19)]
    assert said.pop("trend") in ("increasing", "decreasing", "stable")
    assert isinstance(said.pop("slope"), float)
    assert said == {"can_forecast": True}
    assert len(asking.says("/forecast", days=30)["forecast"]) == 30
    for nobody in ("blog", "nobody-was-here"):
        said = asking.says("/forecast", site_id=nobody)
        assert (said["can_forecast"], set(said)) == (False, {"can_forecast", "message"})


def test_the_tracker_of_old_told_of_days(asking: Asking) -> None:
    said = asking.says("/anomalies")
    [day] = said["anomalies"]
    assert said == {
        "has_anomalies": True,
        "anomalies": [{"date": "2026-11-03", "visits": day["visits"], "type": "spike"}],
    }
    assert 190 <= day["visits"] <= 215
    for nobody in ("blog", "nobody-was-here"):
        assert set(asking.says("/anomalies", site_id=nobody)) == {"has_anomalies", "message"}


def test_the_tracker_of_old_is_told_the_views_of_one_day_where_several_are_unusual_together(build: Build) -> None:
    served = build()
    more = [each for days, number in ((9, 38), (8, 50), (7, 44)) for each in visits(ago(days), number, name="more")]
    fold(served.app.store, SITE, [*usual(60, 1), *more])
    asking = Asking(served)
    [found] = asking.says("/api/v1/anomalies", days=30)["anomalies"]
    assert (found["peak_steps"] > 1, found["value"] > 200) == (True, True)
    [day] = asking.says("/anomalies")["anomalies"]
    assert (day["date"], day["type"]) == ("2026-11-04", "spike")
    assert 80 < day["visits"] < 100


def test_a_query_by_time_may_ask_for_a_forecast(asking: Asking) -> None:
    asked = {"date_range": "30d", "dimensions": "time:day", "metrics": "visitors,views,bounce_rate", "forecast": "3"}
    said = asking.says("/api/v1/stats/query", **asked)
    assert len(said["rows"]) == 30
    forecast = said["forecast"]
    assert (forecast["share"], forecast["message"]) == (0.9, "")
    assert set(forecast["trend"]) == {"visitors", "views"}
    assert [row["dimensions"]["time"] for row in forecast["rows"]] == ["2026-11-12", "2026-11-13", "2026-11-14"]
    for row in forecast["rows"]:
        assert set(row["expected"]) == set(row["low"]) == set(row["high"]) == {"visitors", "views"}
        assert row["low"]["views"] <= row["expected"]["views"] <= row["high"]["views"]
    hours = asking.says("/api/v1/stats/query", date_range="today", dimensions="time", metrics="visits", forecast=6)
    assert hours["forecast"]["rows"][0]["dimensions"] == {"time": "2026-11-12T09:00+01:00"}
    weeks = {"dimensions": "time:week", "metrics": "visits", "forecast": "2", "week_start": "sunday"}
    rows = asking.says("/api/v1/stats/query", date_range="30d", **weeks)["forecast"]["rows"]
    assert [row["dimensions"]["time"] for row in rows] == ["2026-11-08", "2026-11-15"]
    young = asking.says("/api/v1/stats/query", **asked | {"site": "blog"})["forecast"]
    assert (young["rows"], young["message"]) == ([], "there are no complete days with visits yet")
    assert "forecast" not in asking.says("/api/v1/stats/query", **asked | {"forecast": "0"})


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"dimensions": "page"}, "by time only"),
        ({"dimensions": "time:day,page"}, "by time only"),
        ({"dimensions": "time:week", "forecast": "53"}, "use 1 to 52 weeks"),
        ({"dimensions": "time:month", "forecast": "13"}, "use 1 to 12 months"),
        ({"filters": "country is DE"}, "leave filters and segment out"),
        ({"timezone": "Asia/Tokyo"}, "leave timezone out"),
        ({"date_range": "yesterday", "dimensions": "time:day"}, "ends today"),
        ({"metrics": "bounce_rate"}, "use visits, views, visitors, events"),
        ({"dimensions": "time:hour", "date_range": "7d", "forecast": "337"}, "use 1 to 336"),
        ({"format": "csv"}, "ask for JSON"),
    ],
)
def test_a_forecast_is_refused_where_it_cannot_follow(bare: Asking, parameters: dict[str, str], said: str) -> None:
    asked = {"date_range": "30d", "dimensions": "time:day", "metrics": "visits", "forecast": "7"} | parameters
    status, code, text = bare.refusal("/api/v1/stats/query", **asked)
    assert (status, code) == (400, "invalid_forecast")
    assert said in text


def test_answers_are_remembered_for_a_minute() -> None:
    now, made = [0.0], []
    kept: Remembered[int] = Remembered(now=lambda: now[0])

    def make() -> int:
        made.append(now[0])
        return len(made)

    assert [kept.answer("a", make), kept.answer("a", make), kept.answer("b", make)] == [1, 1, 2]
    now[0] = remembered.KEPT_SECONDS
    assert kept.answer("a", make) == 3


def test_an_anomaly_that_is_remembered_is_still_explained(asking: Asking) -> None:
    [anomaly] = asking.says("/api/v1/anomalies")["anomalies"]
    asking.now += 2 * DAY_MS
    assert asking.says("/api/v1/anomalies/why", id=anomaly["id"])["anomaly"] == anomaly
