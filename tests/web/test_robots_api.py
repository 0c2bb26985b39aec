"""Robots by behaviour over HTTP: the list, a person's word, and /bots as clients of old ask for it."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.ingest.test_fold import drain, folder_of, put
from tests.reports.traffic import event, who
from tests.web.conftest import REMOTE, Build
from tests.web.conftest import Site as Served
from tests.web.test_shares import cookie_of, opened
from tests.web.test_shares import made as share
from visitor_tracker.config import RobotsConfig
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, date_of, day_of
from visitor_tracker.event import Event, Signal
from visitor_tracker.ingest.people import Rule
from visitor_tracker.jobs.judging import DayJudge
from visitor_tracker.sites import Site
from visitor_tracker.store.inbox import add_days

SITE = Site(1, "default")
LIST = "/api/v1/robots/visitors"
RULE = Rule(behaviour="exclude")
CRAWLER, ANNA = who("crawler").hex(), who("anna").hex()


class Robots:
    """An App with a crawler and people of yesterday and today, and how tests ask it."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.now = time.time_ns() // 1_000_000
        self.today = bounds("UTC", day_of("UTC", self.now))[0]
        self.day = date_of(day_of("UTC", self.today - DAY_MS)).isoformat()

    def add(self, events: Sequence[Event]) -> None:
        store = self.served.app.store
        put(store, events)
        days = [(SITE.id, each.visitor, each.day, each.ts) for each in events]
        store.database.write(lambda session: add_days(session, days))  # as the drain does
        folder = folder_of(store, RULE)
        drain(folder)
        folder.let_go()

    def judge(self) -> None:
        """Do what the job does, two hours after midnight."""
        judge = DayJudge(self.served.app.store, SITE, RULE)
        for day in judge.due(self.now + DAY_MS):
            judge.judge(day, self.now + DAY_MS)

    def says(self, target: str) -> dict[str, Any]:
        answer = self.served.ask(target, headers=self.served.admin)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def overrule(self, visitor: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        target = f"{LIST}/{visitor}"
        answer = self.served.ask(target, method="PUT", body=json.dumps(body).encode(), headers=self.served.admin)
        return answer.status, json.loads(answer.body)


def crawler(start: int, name: str = "crawler", pages: int = 200, signals: int = 0) -> list[Event]:
    return [event(SITE, start + 5_000 * number, name, f"/page/{number}", signals=signals) for number in range(pages)]


def readers(start: int, number: int) -> list[Event]:
    names = ["anna", *(f"reader {each}" for each in range(1, number))]
    return [event(SITE, start + minute * 60_000, name, "/") for name in names for minute in (1, 4)]


@pytest.fixture
def robots(build: Build) -> Robots:
    made = Robots(build())
    start = made.today - DAY_MS + HOUR_MS
    made.add([*crawler(start), *readers(start, 12)])
    return made


def test_the_list_says_who_behaves_like_a_robot_and_why(robots: Robots) -> None:
    assert robots.says(f"{LIST}?period=7d")["visitors"] == []
    robots.judge()
    found = robots.says(f"{LIST}?period=7d")
    numbers = {name: found[name] for name in ("behaviour", "robots", "doubtful", "overruled", "robot_views", "more")}
    assert numbers == {
        "behaviour": "exclude", "robots": 1, "doubtful": 0, "overruled": 0, "robot_views": 200, "more": False,
    }  # fmt: skip
    [visitor] = found["visitors"]
    reasons = visitor.pop("reasons")
    assert visitor.pop("score") > 0.9
    assert visitor == {
        "visitor": CRAWLER, "day": robots.day, "verdict": "robot", "by_rules": "robot", "overruled_by": None,
        "overruled_at": None, "views": 200, "events": 200, "final": True,
    }  # fmt: skip
    even = next(reason for reason in reasons if reason["name"] == "even_gaps")
    assert even == {"name": "even_gaps", "weight": 3.0, "text": "200 pages, one every 5.0 s ± 0.0"}
    stats = robots.says("/stats?period=7d")
    assert stats["totals"]["views"] == 24
    assert robots.says("/api/v1/quality/robots?period=7d")["reasons"] == [
        {"reason": "behaviour", "events": 200, "alone": 200}
    ]


def test_a_person_s_word_is_noted_and_makes_the_day_again(robots: Robots) -> None:
    robots.judge()
    status, visitor = robots.overrule(CRAWLER, {"day": robots.day, "verdict": "human"})
    assert (status, visitor["verdict"], visitor["by_rules"]) == (200, "human", "robot")
    assert visitor["overruled_by"] == "operator"
    status, visitor = robots.overrule(ANNA, {"day": robots.day, "verdict": "robot"})
    assert (status, visitor["verdict"], visitor["views"]) == (200, "robot", 2)
    robots.judge()
    assert robots.says("/stats?period=7d")["totals"]["views"] == 222
    found = robots.says(f"{LIST}?period=7d&verdict=robot")
    assert (found["robots"], found["overruled"]) == (1, 2)
    lines = robots.says("/api/v1/audit?action=visitor.judged")["lines"]
    assert [line["detail"]["verdict"] for line in lines] == ["robot", "human"]


@pytest.mark.parametrize(
    ("visitor", "body", "status", "code"),
    [
        (CRAWLER, {"day": "yesterday", "verdict": "human"}, 400, "invalid_day"),
        (CRAWLER, {"day": "2026-02-30", "verdict": "human"}, 400, "invalid_day"),
        (CRAWLER, {"day": "2026-02-28", "verdict": "alien"}, 400, "invalid_verdict"),
        (CRAWLER, {"day": "2026-02-28", "verdict": "human"}, 404, "unknown_visitor"),
        ("crawler", {"day": "2026-02-28", "verdict": "human"}, 404, "unknown_visitor"),
    ],
)
def test_what_cannot_be_said_is_refused(
    robots: Robots, visitor: str, body: dict[str, str], status: int, code: str
) -> None:
    refused, said = robots.overrule(visitor, body)
    assert (refused, said["error"]["code"]) == (status, code)
    assert said["error"]["hint"]


@pytest.mark.parametrize(
    ("query", "code"),
    [("period=soon", "invalid_period"), ("verdict=alien", "invalid_verdict"), ("limit=0", "invalid_limit")],
)
def test_a_wrong_question_is_refused(robots: Robots, query: str, code: str) -> None:
    answer = robots.served.ask(f"{LIST}?{query}", headers=robots.served.admin)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)


def test_bots_as_clients_of_old_ask_for_them(robots: Robots) -> None:
    start = min(robots.today, robots.now - 600_000)
    robots.add(crawler(start, "fresh", 100))
    robots.add(crawler(start, "scanner", 3, signals=int(Signal.PROBE_PATH)))
    robots.judge()
    found = robots.says("/bots?site_id=default")
    shown = [(bot["ip_hash"], bot["request_count"]) for bot in found["bots"]]
    assert found["detected_bots_count"] == 3
    assert shown == [(CRAWLER, 200), (who("fresh").hex(), 100), (who("scanner").hex(), 3)]
    assert "one every 5.0 s" in found["bots"][0]["reason"]
    assert found["bots"][2]["reason"] == "probe_path"
    robots.overrule(CRAWLER, {"day": robots.day, "verdict": "human"})
    assert robots.says("/bots?site_id=default")["detected_bots_count"] == 2


def test_today_is_judged_once_a_minute_but_a_person_s_word_holds_at_once(robots: Robots) -> None:
    start = min(robots.today, robots.now - 600_000)
    fresh, today = who("fresh").hex(), date_of(day_of("UTC", robots.now)).isoformat()
    robots.add(crawler(start, "fresh", 100))
    for _ in range(2):
        assert [bot["ip_hash"] for bot in robots.says("/bots")["bots"]] == [fresh]
        robots.add(crawler(start, "fresher", 100))
    robots.overrule(fresh, {"day": today, "verdict": "human"})
    assert [bot["ip_hash"] for bot in robots.says("/bots")["bots"]] == [who("fresher").hex()]


def test_a_share_link_does_not_show_single_robots_nor_who_judged_them(robots: Robots) -> None:
    robots.judge()
    robots.overrule(ANNA, {"day": robots.day, "verdict": "robot"})
    robots.judge()
    assert "operator says so" in [bot["reason"] for bot in robots.says("/bots?site_id=default")["bots"]]
    cookie = cookie_of(opened(robots.served, share(robots.served)["token"]))
    headers = {"host": "stats.example.com", "cookie": cookie}
    shared = robots.served.ask("/bots?site_id=default", peer=REMOTE, headers=headers)
    assert (shared.status, json.loads(shared.body)) == (200, {"detected_bots_count": 2, "bots": []})
    assert robots.served.ask(f"{LIST}?site=default", peer=REMOTE, headers=headers).status in (401, 403, 404)


def test_bots_of_few_visitors_are_not_looked_for(build: Build) -> None:
    made = Robots(build())
    made.add(readers(made.today - DAY_MS, 9))
    for site in ("default", "unheard-of"):
        assert set(made.says(f"/bots?site_id={site}")) == {"message"}
    assert made.served.ask("/bots", peer=REMOTE).status in (401, 403)


def test_today_s_are_not_judged_where_they_are_not_looked_for(build: Build) -> None:
    made = Robots(build(robots=RobotsConfig(behaviour="off")))
    made.add([*readers(made.today - DAY_MS, 12), *crawler(min(made.today, made.now - 600_000), "fresh", 100)])
    assert made.says("/bots") == {"detected_bots_count": 0, "bots": []}
