"""GET /api/v1/errors and GET /api/v1/vitals."""

import json
from typing import Any

import pytest

from tests.reports.traffic import FIREFOX, event, fold, who
from tests.web.conftest import LOCAL, REMOTE, Build
from tests.web.conftest import Site as Served
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.sites import Site, Snapshot, site_id_of
from visitor_tracker.web.problems import ProblemRoutes
from visitor_tracker.web.router import Router

SITE = Site(1, "default", timezone="Europe/Berlin")
BLOG = Site(site_id_of("blog"), "blog", aliases=("42",))
DAY = bounds("Europe/Berlin", 20260310)[0]
NOW = DAY + 15 * HOUR_MS
ERROR = {"group": "aa", "stack": "f (/a.js:1:2)", "source": "/a.js", "line": 1, "column": 2}


class Asking:
    """A router with the two routes, over the store of an App."""

    def __init__(self, served: Served) -> None:
        snapshot = Snapshot((SITE, BLOG))
        routes = ProblemRoutes(served.app.store, lambda: snapshot, clock=lambda: NOW).routes()
        self._router = Router(routes, guards=served.app.guards, counters=served.app.counters, flush=lambda: None)

    def ask(self, target: str, peer: Peer = LOCAL) -> Response:
        path, _, query = target.partition("?")
        answer = self._router(Request("GET", path, query, {"host": "localhost"}, b"", True, peer))
        assert isinstance(answer, Response)
        return answer

    def says(self, target: str) -> dict[str, Any]:
        answer = self.ask(target)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found


@pytest.fixture
def asking(build: Build) -> Asking:
    served = build()
    vital: dict[str, Any] = {"name": "LCP", "agent": FIREFOX}
    fold(
        served.app.store,
        SITE,
        [
            event(SITE, DAY + HOUR_MS, "anna", "/a", "error", name="Error: no", properties=ERROR),
            event(SITE, DAY - HOUR_MS, "ben", "/", "error", name="Error: no", properties=ERROR),
            event(SITE, DAY + HOUR_MS, "anna", "/a", "vital", value=1200.0, **vital),
            event(SITE, DAY + HOUR_MS, "ben", "/b", "vital", value=4800.0, **vital),
        ],
    )
    return Asking(served)


def test_errors_of_a_day(asking: Asking) -> None:
    assert asking.says("/api/v1/errors?from=2026-03-10&to=2026-03-10") == {
        "site": "default", "from": "2026-03-10", "to": "2026-03-10", "timezone": "Europe/Berlin",
        "errors": 1, "groups": 1,
        "problems": [
            {
                "group": "aa", "message": "Error: no", "count": 1, "visitors": 1,
                "first_seen": "2026-03-10T00:00:00.000Z", "last_seen": "2026-03-10T00:00:00.000Z",
                "page": "https://a.test/a", "source": "/a.js", "line": 1, "column": 2, "stack": "f (/a.js:1:2)",
                "browsers": [{"value": "", "count": 1}], "pages": [{"value": "https://a.test/a", "count": 1}],
                "releases": [], "sessions": [f"{who('anna').hex()}-{DAY + HOUR_MS}"],
            }
        ],
    }  # fmt: skip


def test_vitals_by_page(asking: Asking) -> None:
    slow = {"name": "LCP", "p75": 4800.0, "rating": "poor", "samples": 2}
    found = asking.says("/api/v1/vitals?period=today&by=page&limit=1")
    assert found["vitals"] == [slow | {"good": 0.5, "needs_improvement": 0.0, "poor": 0.5}]
    assert (found["by"], found["rows_in_all"]) == ("page", 2)
    assert [(row["value"], row["samples"], row["vitals"][0]["p75"]) for row in found["rows"]] == [("/a", 1, 1200.0)]
    assert "rows" not in asking.says("/api/v1/vitals")


def test_vitals_over_time_of_a_page_and_of_some_visits(asking: Asking) -> None:
    found = asking.says("/api/v1/vitals?period=today&series=true")
    assert [(each["start"], each["vitals"][0]["samples"]) for each in found["series"]] == [
        ("2026-03-10T01:00+01:00", 2)
    ]
    days = asking.says("/api/v1/vitals?period=7d&series=true&page=/b")
    assert [(each["start"], each["vitals"][0]["p75"]) for each in days["series"]] == [("2026-03-10", 4800.0)]
    assert asking.says("/api/v1/vitals?filter=browser+is+Netscape")["vitals"] == []
    assert asking.says("/api/v1/errors?filter=browser+is+Netscape")["errors"] == 0


@pytest.mark.parametrize(
    ("query", "days", "errors"),
    [
        ("", ("2026-02-09", "2026-03-10"), 2),
        ("?from=2026-03-09", ("2026-03-09", "2026-03-10"), 2),
        ("?to=2026-03-09", ("2026-03-09", "2026-03-09"), 1),
        ("?from=2026-03-09&to=2026-03-09", ("2026-03-09", "2026-03-09"), 1),
        ("?from=2026-03-11", ("2026-03-11", "2026-03-11"), 0),
        ("?period=yesterday&site_id=default", ("2026-03-09", "2026-03-09"), 1),
        ("?site=42", ("2026-02-09", "2026-03-10"), 0),
    ],
)
def test_a_period_may_be_named_or_begin_and_end_with_days(
    asking: Asking, query: str, days: tuple[str, str], errors: int
) -> None:
    found = asking.says(f"/api/v1/errors{query}")
    assert ((found["from"], found["to"]), found["errors"]) == (days, errors)


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/api/v1/errors?from=soon", 400, "invalid_period"),
        ("/api/v1/errors?filter=nonsense", 400, "invalid_filter"),
        ("/api/v1/vitals?segment=mine", 404, "unknown_segment"),
        ("/api/v1/errors?from=2026-03-10&to=2026-03-09", 400, "invalid_period"),
        ("/api/v1/errors?period=soon", 400, "invalid_period"),
        ("/api/v1/errors?limit=0", 400, "invalid_limit"),
        ("/api/v1/errors?limit=1001", 400, "invalid_limit"),
        ("/api/v1/errors?limit=%F0%9D%9F%9A", 400, "invalid_limit"),
        ("/api/v1/errors?by=page", 400, "unknown_parameter"),
        ("/api/v1/vitals?by=moon", 400, "invalid_by"),
        ("/api/v1/vitals?site=moon", 404, "unknown_site"),
        ("/api/v1/vitals?by=%FF", 400, "invalid_query"),
    ],
)
def test_what_cannot_be_answered_is_refused(asking: Asking, target: str, status: int, code: str) -> None:
    answer = asking.ask(target)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/api/v1/errors", "/api/v1/vitals"])
def test_strangers_may_not_read(asking: Asking, path: str) -> None:
    assert asking.ask(path, REMOTE).status in (401, 403)


def test_a_refused_question_leaves_the_way_to_the_next(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visitor_tracker.web.turns.WAIT_SECONDS", 0.0)
    monkeypatch.setattr("visitor_tracker.reports.problems.ERRORS_MOST", 1)
    assert asking.ask("/api/v1/errors").status == 400
    assert asking.ask("/api/v1/errors?from=2026-03-10").status == 200
