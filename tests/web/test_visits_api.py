"""GET /api/v1/sites/{site}/visits and GET /api/v1/clicks."""

import json
from typing import Any

import pytest

from tests.reports.traffic import FIREFOX, GERMANY, event, fold, who
from tests.web.asking import BLOG, DAY, SITE, Asking
from tests.web.conftest import Build
from visitor_tracker.days import HOUR_MS

NOON = DAY + 12 * HOUR_MS
VISITS = "/api/v1/sites/default/visits"
PERIOD = "period=2026-03-10"


@pytest.fixture
def asking(build: Build) -> Asking:
    served = build()
    marks = {"tag": "A", "rage": True, "dead": True, "column": 40, "row": 12}
    german: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    fold(
        served.app.store,
        SITE,
        [
            event(SITE, NOON, "anna", "/a", **german),
            event(SITE, NOON + 1, "anna", "/a", "click", name="Go", properties=marks, **german),
            event(SITE, NOON + HOUR_MS, "ben", "/b", **german),
        ],
    )
    return Asking(served)


def says(asking: Asking, target: str, **headers: str) -> Any:  # noqa: ANN401
    answer = asking.response(target, headers=headers or None)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_visits_come_page_by_page_and_filtered(asking: Asking) -> None:
    first = says(asking, f"{VISITS}?{PERIOD}&limit=1")
    assert [visit["entry"] for visit in first["visits"]] == ["/b"]
    second = says(asking, f"{VISITS}?{PERIOD}&limit=1&cursor={first['cursor']}")
    assert ([visit["entry"] for visit in second["visits"]], second["cursor"]) == (["/a"], None)
    assert says(asking, f"{VISITS}?{PERIOD}&with=rage")["visits"] == second["visits"]
    assert says(asking, f"{VISITS}?{PERIOD}&filter=page+is+/a")["visits"] == second["visits"]
    assert says(asking, f"{VISITS}?period=yesterday&ids={who('anna').hex()}-{NOON}")["visits"] == second["visits"]
    assert says(asking, f"/api/v1/sites/{BLOG.name}/visits")["visits"] == []


def test_sessions_of_spots_are_for_who_may_see_visits(asking: Asking) -> None:
    target = f"/api/v1/clicks?site=default&{PERIOD}&url=https://a.test/a&viewport=mobile"
    assert says(asking, target)["spots"][0]["sessions"] == [f"{who('anna').hex()}-{NOON + 1}"]
    for near, clicks in {"40,12": 1, "43,10": 1, "44,12": 0, "40,15": 0}.items():
        assert says(asking, f"{target}&near={near}")["clicks"] == clicks, near
    shared = json.loads(asking.response("/api/v1/clicks?site=blog", headers={"x-who": "link"}).body)
    assert (shared["clicks"], shared["spots"]) == (0, [])


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        (f"{VISITS}?cursor=here", 400, "invalid_cursor"),
        (f"{VISITS}?ids=one,two", 400, "invalid_ids"),
        (f"{VISITS}?ids={','.join(['0' * 32 + '-1'] * 201)}", 400, "invalid_ids"),
        (f"{VISITS}?with=luck", 400, "invalid_with"),
        (f"{VISITS}?limit=201", 400, "invalid_limit"),
        (f"{VISITS}?period=soon", 400, "invalid_period"),
        (f"{VISITS}?filter=nonsense", 400, "invalid_filter"),
        (f"{VISITS}?segment=mine", 404, "unknown_segment"),
        (f"{VISITS}?colour=red", 400, "unknown_parameter"),
        ("/api/v1/sites/nowhere/visits", 404, "unknown_site"),
        ("/api/v1/clicks?url=nowhere", 400, "invalid_url"),
        ("/api/v1/clicks?near=4", 400, "invalid_near"),
        ("/api/v1/clicks?viewport=wide", 400, "invalid_viewport"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(asking: Asking, target: str, status: int, code: str) -> None:
    answer = asking.response(target)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
