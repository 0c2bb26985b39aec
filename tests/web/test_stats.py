"""GET /stats."""

import json
import threading
from typing import Any

import pytest

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, MINUTE, SAFARI, event, fold
from tests.web.conftest import LOCAL, REMOTE, Build
from tests.web.conftest import Site as Served
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.event import Agent, Source
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.reports import overview
from visitor_tracker.reports.answers import Answer, answer
from visitor_tracker.reports.query import Question
from visitor_tracker.sites import Policy, Site, Snapshot, site_id_of
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.router import Router
from visitor_tracker.web.stats import StatsRoutes

SITE = Site(1, "default", timezone="Europe/Berlin")
BLOG = Site(site_id_of("blog"), "blog", aliases=("42",))
DAY = bounds("Europe/Berlin", 20260310)[0]
NOW = DAY + 15 * HOUR_MS
ZEROS = {
    "total_visits": 0, "unique_visitors": 0, "history": [], "countries": {}, "pages": {}, "devices": {},
    "browsers": {}, "os": {}, "referrers": {}, "links": {}, "pageviews": 0, "identify_events": 0, "custom_events": 0,
    "click_events": 0, "rrweb_events": 0, "total_sessions": 0,
}  # fmt: skip


class Stats:
    """A router with the one route, over the store of an App."""

    def __init__(self, served: Served, snapshot: Snapshot) -> None:
        routes = StatsRoutes(served.app.store, lambda: snapshot, clock=lambda: NOW).routes()
        self.store = served.app.store
        self._router = Router(routes, guards=served.app.guards, counters=served.app.counters, flush=lambda: None)

    def ask(self, query: str = "", peer: Peer = LOCAL) -> Response:
        answer = self._router(Request("GET", "/stats", query, {"host": "localhost"}, b"", True, peer))
        assert isinstance(answer, Response)
        return answer

    def says(self, query: str = "") -> dict[str, Any]:
        answer = self.ask(query)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def refusal(self, query: str) -> tuple[int, str, str]:
        answer = self.ask(query)
        error = json.loads(answer.body)["error"]
        return answer.status, error["code"], error["message"]


@pytest.fixture
def stats(build: Build) -> Stats:
    return Stats(build(), Snapshot((SITE, BLOG)))


@pytest.fixture
def busy(build: Build) -> Stats:
    """A site that had visits yesterday and today, and another one."""
    served = build()
    anna: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    tv = Agent("Silk", "1", "Fire OS", "", "tv")
    events = [
        event(SITE, DAY - HOUR_MS, "anna yesterday", "/", source=GOOGLE, **anna),
        event(SITE, DAY + HOUR_MS, "anna", "/", source=GOOGLE, **anna),
        event(SITE, DAY + HOUR_MS + MINUTE, "anna", "/a", **anna),
        event(SITE, DAY + HOUR_MS + 2 * MINUTE, "anna", "/a", "outbound", target="https://x.test/", **anna),
        event(SITE, DAY + HOUR_MS + 2 * MINUTE, "anna", "/a", "click", name="Buy", properties={"tag": "A"}, **anna),
        event(SITE, DAY + 2 * HOUR_MS, "ben", "/a", source=Source("social", "Mastodon"), place=FRANCE, agent=SAFARI),
        event(SITE, DAY + 3 * HOUR_MS, "cara", "/b", source=Source("ai", "Claude"), agent=tv),
        event(SITE, DAY + 4 * HOUR_MS, "dora", "/b"),
        event(SITE, DAY + 4 * HOUR_MS + MINUTE, "dora", "/b", "identify"),
        event(SITE, DAY + 4 * HOUR_MS, "robot", "/b", signals=1),
    ]
    fold(served.app.store, SITE, events)
    fold(served.app.store, BLOG, [event(BLOG, DAY, "anna", "/blog"), event(BLOG, DAY, "anna", kind="custom", name="x")])
    return Stats(served, Snapshot((SITE, BLOG)))


def test_before_the_first_visit_all_is_zero(stats: Stats) -> None:
    assert stats.says() == ZEROS
    assert stats.says("site_id=never-heard-of") == ZEROS


def test_the_numbers_of_trackers_of_old(busy: Stats) -> None:
    assert busy.says("site_id=default") == {
        "total_visits": 6,
        "unique_visitors": 5,
        "history": [
            {"date": "2026-03-10", "total_visits": 5, "unique_visitors": 4},
            {"date": "2026-03-09", "total_visits": 1, "unique_visitors": 1},
        ],
        "countries": {"DE": 2, "XX": 2, "FR": 1},
        "pages": {"/": 2, "/a": 2, "/b": 2},
        "devices": {"Desktop": 3, "Mobile": 1, "Other": 1, "Unknown": 1},
        "browsers": {"Firefox": 3, "Safari": 1, "Silk": 1, "Unknown": 1},
        "os": {"Linux": 3, "iOS": 1, "Fire OS": 1, "Unknown": 1},
        "referrers": {"Search Engine": 3, "Social Media": 1, "Other": 1, "Direct": 1},
        "links": {"https://x.test/": 1},
        "pageviews": 6,
        "identify_events": 1,
        "custom_events": 0,
        "click_events": 1,
        "rrweb_events": 0,
        "total_sessions": 5,
    }


def test_without_a_site_events_are_counted_of_all_sites(busy: Stats) -> None:
    everywhere, here, blog = busy.says(), busy.says("site_id=default"), busy.says("site_id=42")
    assert {name: everywhere[name] - here[name] for name in ("pageviews", "custom_events", "total_sessions")} == {
        "pageviews": 1,
        "custom_events": 1,
        "total_sessions": 1,
    }
    assert everywhere["total_visits"] == here["total_visits"]
    assert (blog["total_visits"], blog["pageviews"], blog["pages"]) == (1, 1, {"/blog": 1})
    assert busy.says("site=blog") == blog


def test_a_map_has_a_bounded_number_of_entries(busy: Stats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MAP_MOST", 2)
    assert len(busy.says()["pages"]) == 2
    assert len(busy.says()["browsers"]) == 2


def test_a_question_adds_its_answer(busy: Stats) -> None:
    found = busy.says("site_id=default&period=2026-03-09..2026-03-10&by=page&limit=1&order=views")
    assert {name: found[name] for name in ZEROS} == busy.says("site_id=default")
    assert found["totals"] == {
        "first_day": "2026-03-09",
        "last_day": "2026-03-10",
        "timezone": "Europe/Berlin",
        "visitors": 5,
        "visits": 5,
        "views": 6,
        "events": 2,
        "bounce_rate": 0.8,
        "single_rate": 0.8,
        "views_per_visit": 1.2,
        "engaged_seconds": 0.0,
        "duration_seconds": 36.0,
        "visitors_are": "daily_sum",
        "note": "visitors of each day, added up: who comes on another day counts again",
    }
    points = found["series"].pop("points")
    assert found["series"] == {"interval": "day", "timezone": "Europe/Berlin", "visitors_are": "exact"}
    assert [(point["start"], point["visitors"], point["views"]) for point in points] == [
        ("2026-03-09", 1, 1),
        ("2026-03-10", 4, 5),
    ]
    [row] = found["breakdown"].pop("rows")
    assert row["views"] == 2
    assert set(row) == {"value", "visitors", "visits", "views", "engaged_seconds"}
    assert found["breakdown"]["rows_in_all"] == 3


@pytest.mark.parametrize(
    ("query", "views"),
    [
        ("period=24h", 6),
        ("period=today&filter=country+is+DE", 2),
        ("period=today&filter=page%20is%20/a%20and%20source%20is%20Google", 1),
        ("period=today&timezone=Europe/Helsinki", 6),
        ("interval=month", 6),
        ("by=kind", 6),
        ("by=prop:tag", 6),
        ("filter=title+is+%22%22", 6),
        ("filter=kind+is+pageview+and+country+is+DE", 3),
        ("site_id=42&period=7d", 1),
    ],
)
def test_questions(busy: Stats, query: str, views: int) -> None:
    assert busy.says(query)["totals"]["views"] == views


def test_properties_are_listed_and_filtered(busy: Stats) -> None:
    found = busy.says("period=today&by=prop:tag")
    assert (found["totals"]["views"], found["breakdown"]["dimension"]) == (5, "prop:tag")
    assert found["breakdown"]["rows"] == [{"value": "A", "visitors": 1, "visits": 1, "events": 1}]
    found = busy.says("period=today&by=page&filter=prop:tag+contains+a+and+page+is+/a")
    assert found["totals"]["visits"] == 1
    assert found["breakdown"]["rows"] == [
        {"value": "/a", "visitors": 1, "visits": 1, "views": 0, "engaged_seconds": None, "events": 1}
    ]


def test_a_site_knows_its_visitors_by_its_policy(build: Build) -> None:
    served = build()
    site = Site(1, "default", policy=Policy("persistent"))
    fold(served.app.store, site, [event(site, DAY, "anna"), event(site, DAY - 30 * HOUR_MS, "anna")], daily=False)
    totals = Stats(served, Snapshot((site,))).says("period=7d")["totals"]
    assert (totals["visitors"], totals["visits"], totals["visitors_are"]) == (1, 2, "exact")


@pytest.mark.parametrize(
    ("query", "status", "code", "said"),
    [
        ("period=someday", 400, "invalid_period", "use today, yesterday"),
        ("by=pages", 400, "invalid_by", "use page, host"),
        ("by=prop:", 400, "invalid_by", "1 to 64 characters"),
        ("filter=prop:price+>+much", 400, "invalid_filter", "character 14: expected a number"),
        ("interval=minute", 400, "invalid_interval", "use hour, day, week, month"),
        ("interval=hour&period=12mo", 400, "invalid_interval", "choose a longer interval"),
        ("timezone=Mars", 400, "invalid_timezone", "Europe/Berlin"),
        ("order=name", 400, "invalid_order", "visitors, visits"),
        ("limit=1001", 400, "invalid_limit", "from 1 to 1000"),
        ("filter=page+is", 400, "invalid_filter", "character 8"),
        ("filter=page+is+/a&by=bot", 400, "invalid_by", "leave the filter out"),
        ("period=7d&perod=30d", 400, "unknown_parameter", "'perod'"),
        ("period=7d&site_id=nowhere", 404, "unknown_site", "no such site"),
        ("filter=%ff", 400, "invalid_query", "UTF-8"),
    ],
)
def test_mistakes_are_told(stats: Stats, query: str, status: int, code: str, said: str) -> None:
    told = stats.refusal(query)
    assert told[:2] == (status, code)
    assert said in told[2]


def test_events_that_are_gone_are_told(busy: Stats) -> None:
    busy.store.execute("update raw_days set raw_complete = 0 where day = 20260309")
    assert busy.says("period=today&by=prop:tag")["breakdown"]["rows_in_all"] == 1
    assert busy.refusal("period=7d&by=prop:tag") == (
        400,
        "invalid_period",
        "suppressed: the events of 2026-03-09 are not kept any more: take days after 2026-03-09,"
        " or leave out what only events tell",
    )


def test_callers_of_old_may_send_more(stats: Stats) -> None:
    assert stats.says("_=1712345678") == ZEROS


def test_numbers_are_for_readers(stats: Stats) -> None:
    assert stats.ask(peer=REMOTE).status == 401
    assert ("Cache-Control", "no-store") in stats.ask().headers


@pytest.mark.parametrize("asked", ["period=7d&filter=page+is+/a", "period=7d&by=prop:plan"])
def test_one_long_question_is_answered_at_a_time(stats: Stats, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visitor_tracker.web.turns.WAIT_SECONDS", 0.0)
    started, finish = threading.Event(), threading.Event()

    def slow(table: ReportTable, question: Question) -> Answer:
        started.set()
        finish.wait(20)
        return answer(table, question)

    monkeypatch.setattr("visitor_tracker.web.stats.answer", slow)
    codes: list[int] = []
    first = threading.Thread(target=lambda: codes.append(stats.ask(asked).status))
    first.start()
    assert started.wait(20)
    assert stats.ask(asked).status == 503
    finish.set()
    first.join(20)
    assert codes == [200]
    assert stats.ask(asked).status == 200
