"""The query API over HTTP: what is asked, what is refused, and in what form answers come."""

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

import msgspec
import pytest

from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, MINUTE, event, fold
from tests.web.asking import BLOG, DAY, DAYS, PATH, SITE, Asking, Said, with_numbers
from tests.web.conftest import REMOTE, Build, header
from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import ROBOT
from visitor_tracker.reports.asking.metrics import METRICS
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import Goal, InsightTable, Segment
from visitor_tracker.web import turns


@pytest.fixture
def asking(build: Build) -> Asking:
    """A site with visits on two days, and another one."""
    return with_numbers(build())


def rows(said: Said) -> dict[str, Said]:
    return {" ".join(row["dimensions"].values()): row["metrics"] for row in said["rows"]}


def test_an_answer_says_how_it_was_understood(asking: Asking) -> None:
    said = asking.says({**DAYS, "metrics": ["visitors", "views"], "dimensions": ["page"], "filters": "country is de"})
    assert said["query"] == {
        "site": "default",
        "metrics": ["visitors", "views"],
        "dimensions": ["page"],
        "filters": 'country is "DE"',
        "interval": "day",
        "timezone": "Europe/Berlin",
        "order_by": ["visitors:desc"],
        "limit": 100,
    }
    assert rows(said) == {"/": {"visitors": 2, "views": 2}, "/a": {"visitors": 1, "views": 1}}
    assert said["totals"] == {"metrics": {"visitors": 2, "views": 3}}
    assert said["cursor"] is None
    meta = said["meta"]
    assert (meta["from"], meta["to"], meta["timezone"]) == ("2026-03-09", "2026-03-10", "Europe/Berlin")
    assert (meta["visitors_are"], meta["rows_in_all"], meta["answered_from"]) == ("daily_sum", 2, "sessions")
    assert meta["suppressed"] == []


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ({"dimensions": ["page", "time:day"]}, {"dimensions": "page,time:day"}),
        ({"filters": {"and": [["is", "country", ["DE"]], {"not": ["contains", "page", ["B"]]}]}},
         {"filters": "country is DE and not page contains B"}),
        ({"filters": ["is", "country", ["DE"]]}, {"filters": '["is", "country", ["DE"]]'}),
        ({"order_by": ["views:asc", "page"], "metrics": ["views"], "dimensions": ["page"], "limit": 1},
         {"order_by": "views:asc,page", "metrics": "views", "dimensions": "page", "limit": "1"}),
        ({"compare": "previous", "timezone": "UTC"}, {"compare": "previous", "timezone": "UTC"}),
        ({"dimensions": ["time:week"], "week_start": "sunday"}, {"dimensions": "time:week", "week_start": "sunday"}),
    ],
)  # fmt: skip
def test_parameters_say_what_a_body_says(asking: Asking, body: Said, parameters: dict[str, str]) -> None:
    posted = asking.says({**DAYS, **body})
    got = asking.says(None, date_range="2026-03-09,2026-03-10", **parameters)
    for said in (posted, got):
        del said["meta"]["as_of"]
        said["cursor"] = bool(said["cursor"])
    assert posted == got


@pytest.mark.parametrize(
    "asked",
    ["2026-03-09..2026-03-10", ["2026-03-09", "2026-03-10"], {"from": "2026-03-09", "to": "2026-03-10"}],
)
def test_days_may_be_written_in_several_ways(asking: Asking, asked: object) -> None:
    assert asking.says({"date_range": asked, "metrics": ["views"]})["totals"]["metrics"] == {"views": 4}


def test_periods_of_old_and_new_are_known(asking: Asking) -> None:
    for word in ("day", "today", "yesterday", "24h", "7d", "30d", "90d", "week", "last_week", "month", "last_month",
                 "12mo", "year"):  # fmt: skip
        asking.says({"date_range": word})
    assert asking.says({"date_range": "lifetime", "metrics": ["views"]})["totals"]["metrics"] == {"views": 4}
    assert asking.says({"date_range": "all", "metrics": ["views"]})["totals"]["metrics"] == {"views": 4}


def test_changes_are_absolute_and_in_percent(asking: Asking) -> None:
    said = asking.says(
        {"date_range": "2026-03-10", "compare": "previous", "dimensions": ["page"], "metrics": ["visitors", "views"]}
    )
    assert said["rows"][0] == {
        "dimensions": {"page": "/a"},
        "metrics": {"visitors": 2, "views": 2},
        "compared": {"visitors": 0, "views": 0},
        "change": {"visitors": {"absolute": 2, "percent": None}, "views": {"absolute": 2, "percent": None}},
    }
    assert said["totals"]["change"] == {
        "visitors": {"absolute": 1, "percent": 100.0},
        "views": {"absolute": 2, "percent": 200.0},
    }
    assert said["meta"]["compared"]["from"] == "2026-03-09"


def test_weeks_begin_with_the_day_that_was_asked_for(asking: Asking) -> None:
    weeks = {"date_range": "2026-03-07..2026-03-11", "dimensions": ["time:week"], "metrics": ["views"]}
    for begins, rows in {
        "": [("2026-03-02", 0), ("2026-03-09", 4)],
        "saturday": [("2026-03-07", 4)],
        "sunday": [("2026-03-01", 0), ("2026-03-08", 4)],
    }.items():
        said = asking.says({**weeks, "week_start": begins})
        assert [(row["dimensions"]["time"], row["metrics"]["views"]) for row in said["rows"]] == rows
        assert said["query"]["week_start"] == (begins or "monday")


def test_the_running_week_is_compared_with_the_same_weekdays(asking: Asking) -> None:
    meta = asking.says({"date_range": "week", "week_start": "sunday", "compare": "previous"})["meta"]
    days = [date.fromisoformat(day) for day in (meta["from"], meta["to"])]
    assert days[0].strftime("%A") == "Sunday"
    before = [(day - timedelta(days=7)).isoformat() for day in days]
    assert [meta["compared"]["from"], meta["compared"]["to"]] == before


def test_buckets_are_compared_by_their_places(asking: Asking) -> None:
    said = asking.says(
        {"date_range": "2026-03-10..2026-03-11", "compare": "2026-03-09..2026-03-09", "dimensions": ["time:day"],
         "metrics": ["views"]}
    )  # fmt: skip
    assert [(row["metrics"]["views"], row["compared"]["views"], row.get("compared_time")) for row in said["rows"]] == [
        (3, 1, "2026-03-09"),
        (0, None, None),
    ]


@pytest.mark.parametrize(
    ("span", "compare", "other"),
    [
        ("2026-03-10", "previous", ("2026-03-09", "2026-03-09")),
        ("2026-02-01..2026-03-31", "previous", ("2025-12-01", "2026-01-31")),
        ("2026-03-05..2026-03-31", "previous", ("2026-02-06", "2026-03-04")),
        ("2024-02-29..2024-03-01", "year", ("2023-02-28", "2023-03-01")),
        ("2026-03-10", ["2020-01-01", "2020-01-31"], ("2020-01-01", "2020-01-31")),
    ],
)
def test_what_is_compared_with(asking: Asking, span: str, compare: object, other: tuple[str, str]) -> None:
    compared = asking.says({"date_range": span, "compare": compare})["meta"]["compared"]
    assert (compared["from"], compared["to"]) == other


def test_events_know_revenue_and_scroll_depth(asking: Asking) -> None:
    said = asking.says({**DAYS, "metrics": ["revenue", "scroll_depth"], "dimensions": ["country"]})
    assert rows(said) == {"DE": {"revenue": 19.5, "scroll_depth": 40.0}, "FR": {"revenue": 0.0, "scroll_depth": 80.0}}
    assert said["totals"]["metrics"] == {"revenue": 19.5, "scroll_depth": 60.0}


def test_values_in_several_currencies_are_not_added_up(asking: Asking) -> None:
    at = DAY + HOUR_MS
    site = Site(BLOG.id + 1, "shop")
    snapshot = asking.served.app.snapshot
    snapshot.now = msgspec.structs.replace(snapshot.now, sites=(SITE, site))
    buys = [
        event(site, at + number, "anna", "/", "custom", name="buy", value=5, currency=currency)
        for number, currency in enumerate(("EUR", "USD"))
    ]
    fold(asking.store, site, buys)
    said = asking.says({**DAYS, "site": "shop", "metrics": ["revenue"], "dimensions": ["currency"]})
    assert rows(said) == {"EUR": {"revenue": 5.0}, "USD": {"revenue": 5.0}}
    assert said["totals"]["metrics"] == {"revenue": None}
    assert said["meta"]["suppressed"][0]["metric"] == "revenue"
    assert "currency is USD" in said["meta"]["suppressed"][0]["reason"]
    assert asking.says({**DAYS, "site": "shop", "metrics": ["revenue"], "filters": "currency is USD"})["totals"] == {
        "metrics": {"revenue": 5.0}
    }


def test_goals_and_segments_by_name(asking: Asking) -> None:
    table = InsightTable(asking.store.database)
    table.kept_goals.add(SITE.id, Goal("Bought", "event", event="buy", at=DAY))
    table.kept_segments.add(SITE.id, Segment("Germans", "country is DE", at=DAY))
    asked = {**DAYS, "metrics": ["conversions", "conversion_rate"], "goal": "Bought", "dimensions": ["country"]}
    said = asking.says(asked)
    assert rows(said) == {
        "DE": {"conversions": 1, "conversion_rate": 0.5},
        "FR": {"conversions": 0, "conversion_rate": 0.0},
    }
    assert said["totals"]["metrics"] == {"conversions": 1, "conversion_rate": 0.3333}
    both = {**DAYS, "metrics": ["visits"], "segment": "Germans", "filters": "page is /a"}
    said = asking.says(both)
    assert said["totals"]["metrics"] == {"visits": 1}
    assert said["query"]["filters"] == 'country is "DE" and page is "/a"'
    assert asking.refusal({**DAYS, "segment": "French"})[:2] == (400, "invalid_segment")
    assert asking.refusal({**asked, "goal": "Sold"})[:2] == (400, "invalid_goal")
    assert asking.refusal({**asked, "goal": ""})[:2] == (400, "invalid_goal")


def test_days_of_another_zone_know_no_visitors(asking: Asking) -> None:
    said = asking.says({**DAYS, "metrics": ["visitors", "views"], "timezone": "Asia/Tokyo"})
    assert said["totals"]["metrics"] == {"visitors": None, "views": 4}
    assert [each["metric"] for each in said["meta"]["suppressed"]] == ["visitors"]
    said = asking.says({**DAYS, "metrics": ["visitors"], "timezone": "Asia/Tokyo", "filters": "country is DE"})
    assert said["totals"]["metrics"] == {"visitors": 2}


def test_pages_follow_by_cursor(asking: Asking) -> None:
    asked: Said = {**DAYS, "dimensions": ["page"], "metrics": ["views"], "limit": 1, "order_by": ["page"]}
    first = asking.says(asked)
    second = asking.says({**asked, "cursor": first["cursor"]})
    assert [*rows(first), *rows(second)] == ["/", "/a"]
    assert second["cursor"] is None
    for other in ({"metrics": ["visits"]}, {"site": "blog"}, {"filters": "page is /"}, {"date_range": "2026-03-10"}):
        assert asking.refusal({**asked, **other, "cursor": first["cursor"]})[1] == "invalid_cursor"
    assert asking.says({**asked, "limit": 5, "cursor": first["cursor"]})["rows"] == second["rows"]


def test_csv_has_a_header_and_no_formulas(asking: Asking) -> None:
    asked = {**DAYS, "dimensions": ["event", "time:day"], "metrics": ["events", "visitors"], "format": "csv"}
    found = asking.response(PATH, {**asked, "compare": "previous"})
    assert found.status == 200
    assert header(found, "Content-Type").startswith("text/csv; charset=utf-8")
    assert header(found, "Content-Disposition") == 'attachment; filename="default-2026-03-09-2026-03-10.csv"'
    assert header(found, "Cache-Control") == "no-store"
    lines = list(csv.reader(io.StringIO(found.body.decode(), newline="")))
    assert lines[0][:6] == ["event", "time", "time_compared", "events", "events_compared", "events_change"]
    assert {line[0] for line in lines[1:]} == {"buy", "'=1+1"}
    assert found.body.count(b"\r\n") == 3


def test_totals_alone_are_one_line(asking: Asking) -> None:
    query = urlencode({"date_range": "2026-03-09,2026-03-10", "metrics": "visits,engaged"})
    found = asking.response(f"{PATH}?{query}", headers={"accept": "text/csv;q=1, */*"})
    assert found.body == b"visits,engaged\r\n3,10000\r\n"


def test_ndjson_is_an_object_a_line(asking: Asking) -> None:
    query = urlencode({"date_range": "2026-03-10", "metrics": "views", "dimensions": "page", "limit": "1"})
    found = asking.response(f"{PATH}?{query}", headers={"accept": "application/x-ndjson"})
    assert header(found, "Content-Type") == "application/x-ndjson"
    assert [json.loads(line) for line in found.body.splitlines()] == [{"page": "/a", "views": 2}]
    assert header(found, "X-Cursor")
    assert asking.refusal({**DAYS, "limit": 10_001, "format": "ndjson"})[1] == "invalid_limit"
    assert asking.response(PATH, {**DAYS, "limit": 10_000, "format": "ndjson"}).status == 200


def test_the_documented_metrics_are_those_that_there_are(asking: Asking) -> None:
    found = json.loads(asking.response("/api/v1/stats/definitions").body)
    assert [each["metric"] for each in found["metrics"]] == [*METRICS]
    assert all(each["definition"] and each["unit"] and each["rows"] for each in found["metrics"])


def test_frequent_queries_have_names(asking: Asking) -> None:
    def said(name: str, query: str) -> Said:
        found = asking.response(f"/api/v1/stats/{name}?{query}")
        assert found.status == 200, found.body
        answered: Said = json.loads(found.body)
        return answered

    days = said("days", "period=2026-03-09..2026-03-10")
    assert {row["dimensions"]["time"]: row["metrics"]["views"] for row in days["rows"]} == {
        "2026-03-09": 1,
        "2026-03-10": 3,
    }
    months = said("months", "period=lifetime")
    assert months["rows"][0]["dimensions"] == {"time": "2026-03"}
    assert said("lifetime", "site=42")["totals"]["metrics"]["views"] == 1
    browsers = said("browsers", "period=2026-03-10")
    assert {row["dimensions"]["browser"] for row in browsers["rows"]} == {"Firefox", "Safari"}
    assert said("days", "period=24h")["meta"]["answered_from"] == "sessions"
    refused = asking.response("/api/v1/stats/days?period=never")
    assert json.loads(refused.body)["error"]["code"] == "invalid_period"


def test_realtime_tells_numbers_only(asking: Asking) -> None:
    now = time.time_ns() // 1_000_000
    site = Site(BLOG.id + 1, "now")
    snapshot = asking.served.app.snapshot
    snapshot.now = msgspec.structs.replace(snapshot.now, sites=(site,))
    fold(asking.store, site, [event(site, now - MINUTE, "anna", "/live", source=GOOGLE, place=GERMANY),
                              event(site, now - 20 * MINUTE, "ben", "/", place=FRANCE)])  # fmt: skip
    said = json.loads(asking.response("/api/v1/stats/realtime?site=now").body)
    assert (said["visitors_5_minutes"], said["visitors_30_minutes"], said["views_30_minutes"]) == (1, 2, 2)
    assert len(said["views_per_minute"]) == 30
    assert said["pages"][0] == {"name": "/live", "now": 1, "visitors": 1}
    assert not {"feed", "robots", "session"} & said.keys()


def test_a_site_is_for_those_who_may_read_it(asking: Asking) -> None:
    snapshot = asking.served.app.snapshot
    snapshot.now = msgspec.structs.replace(snapshot.now, has_accounts=True)
    for path in (PATH, "/api/v1/stats/days", "/api/v1/stats/realtime"):
        for who, site, status in (
            ("vera", "default", 200), ("vera", "blog", 404), ("link", "blog", 200), ("link", "default", 404),
            ("", "default", 401),
        ):  # fmt: skip
            found = asking.response(f"{path}?site={site}", peer=REMOTE, headers={"x-who": who} if who else {})
            assert found.status == status, (path, who, site)
    assert asking.response(PATH, {"site": "blog"}, peer=REMOTE, headers={"x-who": "vera"}).status == 404


@pytest.fixture
def taken() -> Iterator[None]:
    """Somebody else's long question goes on."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.long_turn():
            held.set()
            over.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    yield
    over.set()
    thread.join(20)


@pytest.mark.usefixtures("taken")
def test_long_questions_wait_for_their_turn_and_short_ones_do_not(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    asking.says({**DAYS, "dimensions": ["page"]})
    found = asking.response(PATH, {**DAYS, "filters": "page is /a"})
    assert found.status == 503
    assert header(found, "Retry-After") == "5"


def test_names_of_properties_come_from_the_newest_events(asking: Asking) -> None:
    at = DAY + 2 * HOUR_MS
    fold(
        asking.store,
        SITE,
        [
            event(SITE, at, "cleo", "/", properties={"theme": "dark"}),
            event(SITE, at + 1, "cleo", "/", "custom", name="buy", properties={"plan": "pro", "seats": 3}),
            event(SITE, at + 2, "cleo", "/", "custom", name="buy", properties={"plan": "free"}),
            event(SITE, at + 3, "robot", "/", "custom", name="buy", properties={"odd": 1}, signals=ROBOT),
        ],
    )
    said = json.loads(asking.response("/api/v1/stats/properties?site=default&period=2026-03-09..2026-03-10").body)
    assert said["properties"] == [
        {"name": "plan", "events": 2},
        {"name": "seats", "events": 1},
        {"name": "theme", "events": 1},
    ]
    assert (said["from"], said["to"], said["is_part"]) == ("2026-03-09", "2026-03-10", False)
    refused = asking.response("/api/v1/stats/properties?site=default&period=soon")
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (400, "invalid_period")
