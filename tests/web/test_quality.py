"""GET /api/v1/quality, and the way of a tab's events to it and to /sessions."""

import json
import time
from typing import Any

import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, header
from tests.web.conftest import Site as Served
from tests.web.test_events import BROWSER
from visitor_tracker.app import folder_of
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.reports.quality import Quality, quality
from visitor_tracker.reports.query import Span
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.quality import add_tabs
from visitor_tracker.store.session import Database
from visitor_tracker.web.quality import QualityRoutes
from visitor_tracker.web.router import Router

SITE = Site(1, "default", timezone="Europe/Berlin")
BLOG = Site(7, "blog", aliases=("42",))
DAY = bounds("Europe/Berlin", 20260310)[0]
PATH = "/api/v1/quality"


class Asking:
    """A router with the route, over the store of an App."""

    def __init__(self, served: Served) -> None:
        snapshot = Snapshot((SITE, BLOG))
        routes = QualityRoutes(served.app.store, lambda: snapshot, clock=lambda: DAY + 15 * HOUR_MS).routes()
        self._router = Router(routes, guards=served.app.guards, counters=served.app.counters, flush=lambda: None)

    def ask(self, query: str = "", peer: Peer = LOCAL) -> Response:
        answer = self._router(Request("GET", PATH, query, {"host": "localhost"}, b"", True, peer))
        assert isinstance(answer, Response)
        return answer

    def says(self, query: str = "") -> dict[str, Any]:
        answer = self.ask(query)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found


@pytest.fixture
def asking(build: Build) -> Asking:
    served = build()
    tabs = {(DAY + HOUR_MS, bytes(16)): (3, 4), (DAY - HOUR_MS, bytes(16)): (1, 1)}
    served.app.store.database.write(lambda session: add_tabs(session, SITE.id, tabs))
    return Asking(served)


def test_losses_of_a_day(asking: Asking) -> None:
    found = asking.says("period=today")
    assert found.pop("note")
    numbers = {"tabs": 1, "received": 3, "expected": 4, "lost": 1, "share_lost": 0.25}
    assert found == {
        "site": "default", "from": "2026-03-10", "to": "2026-03-10", "timezone": "Europe/Berlin", "interval": "hour",
        **numbers, "points": [{**numbers, "start": "2026-03-10T01:00+01:00"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "first_day", "expected"),
    [("", "2026-02-09", 5), ("period=yesterday&site_id=default", "2026-03-09", 1), ("site=42", "2026-02-09", 0)],
)
def test_site_and_period_may_be_named(asking: Asking, query: str, first_day: str, expected: int) -> None:
    found = asking.says(query)
    assert (found["from"], found["expected"]) == (first_day, expected)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("period=soon", 400, "invalid_period"),
        ("from=2026-03-10", 400, "unknown_parameter"),
        ("site=moon", 404, "unknown_site"),
        ("site=%FF", 400, "invalid_query"),
    ],
)
def test_what_cannot_be_answered_is_refused(asking: Asking, query: str, status: int, code: str) -> None:
    answer = asking.ask(query)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)


def test_strangers_may_not_read(asking: Asking) -> None:
    assert asking.ask(peer=REMOTE).status in (401, 403)


def test_one_question_is_answered_at_a_time(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[Response] = []

    def slow(database: Database, site: Site, span: Span) -> Quality:
        meanwhile.append(asking.ask())
        return quality(database, site, span)

    monkeypatch.setattr("visitor_tracker.web.turns.WAIT_SECONDS", 0.0)
    monkeypatch.setattr("visitor_tracker.web.quality.quality", slow)
    assert [asking.ask().status for _ in range(2)] == [200, 200]
    assert [(answer.status, header(answer, "Retry-After")) for answer in meanwhile] == [(503, "5")] * 2


def test_a_tab_s_events_are_its_session_and_their_gap_a_loss(site: Served) -> None:
    tab = f"{time.time_ns() // 1_000_000:012x}" + "0123456789" * 2
    for seq in (1, 2, 5):
        sent = {"url": f"https://example.com/{seq}", "tab": tab, "seq": seq, "type": "pageview"}
        body = json.dumps([sent, {**sent, "tab": 1}]).encode()
        assert site.ask("/e", method="POST", body=body, headers=BROWSER).status == 202
    assert len(site.events()) == 3
    folder = folder_of(site.app.config, site.app.store, site.app.counters)
    while folder.step():
        pass
    found = json.loads(site.ask(f"{PATH}?period=24h").body)
    assert (found["tabs"], found["received"], found["expected"], found["lost"]) == (1, 3, 5, 2)
    session = json.loads(site.ask(f"/sessions/{tab}").body)
    assert (session["session_id"], session["pageviews"]) == (tab, 3)
    assert tab not in repr(site.app.store.execute("select * from tabs"))


def test_what_came_of_what_was_accepted_is_counted_with_it(build: Build) -> None:
    site = build()
    tab = f"{time.time_ns() // 1_000_000:012x}{'9' * 20}"
    known = {"url": "https://example.com/a", "type": "pageview", "id": "1" * 32}
    sent: list[dict[str, Any]] = [
        known,
        known,  # once more, as after an answer that was lost
        {"url": "https://example.com/b", "type": "pageview", "tab": tab, "seq": 1},
        {"url": "https://example.com/c", "type": "pageview", "age_ms": 11 * 60_000},
    ]
    robot = {**BROWSER, "user-agent": "GPTBot/1.2 (+https://openai.com/gptbot)"}
    strange = {name: value for name, value in BROWSER.items() if name not in ("accept-language", "accept")}
    assert site.ask("/e", method="POST", body=json.dumps(sent).encode(), headers=BROWSER).status == 202
    for path, headers in (("r", robot), ("r", robot), ("s", strange)):
        body = json.dumps({"url": f"https://example.com/{path}", "type": "pageview"}).encode()
        assert site.ask("/e", method="POST", body=body, headers=headers).status == 202
    site.events()
    assert json.loads(site.ask(f"{PATH}/arrivals?period=24h").body)["waiting"] == 7
    folder = folder_of(site.app.config, site.app.store, site.app.counters)
    while folder.step():
        pass
    found = json.loads(site.ask(f"{PATH}/arrivals?period=24h").body)
    numbers = {
        "accepted": 7, "stored": 6, "duplicates": 1, "late": 1, "numbered": 1, "people": 4, "robots": 2, "doubtful": 1,
    }  # fmt: skip
    assert {name: found[name] for name in numbers} == numbers
    assert (found["waiting"], found["set_aside"], found["interval"]) == (0, 0, "hour")
    assert [{**numbers, "start": found["points"][0]["start"]}] == found["points"]
    assert found["since"]
    robots = json.loads(site.ask(f"{PATH}/robots?period=24h&ai=true").body)
    assert (robots["events"], robots["doubtful"], robots["days_missing"]) == (2, 1, 0)
    assert robots["crawlers"] == [{"name": "GPTBot", "is_ai": True, "events": 2}]
    assert robots["reasons"] == [{"reason": "user_agent", "events": 2, "alone": 2}]
    assert robots["pages"] == [{"host": "example.com", "page": "/r", "events": 2}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("arrivals?period=soon", "invalid_period"),
        ("arrivals?crawler=x", "unknown_parameter"),
        ("robots?limit=0", "invalid_limit"),
        ("robots?ai=perhaps", "invalid_ai"),
    ],
)
def test_what_cannot_be_answered_of_arrivals_and_robots_is_refused(build: Build, query: str, code: str) -> None:
    answer = build().ask(f"{PATH}/{query}")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)
