"""Goals, funnels, segments and annotations over HTTP: who may what, what is refused, and the reports."""

from typing import Any

import pytest

from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, MINUTE, NEWS, event, fold
from tests.web.askers import SITE, Asking
from tests.web.conftest import REMOTE, Build
from visitor_tracker.days import HOUR_MS, day_of
from visitor_tracker.event import Event
from visitor_tracker.store.audit import AuditTable

PAGE = {"name": "Thanks", "kind": "page", "page": "/thanks*"}
STEPS = [{"page": "/"}, {"page": "/thanks"}]
LISTS = ("goals", "funnels", "segments", "annotations")
MADE: dict[str, dict[str, Any]] = {
    "goals": PAGE,
    "funnels": {"name": "Way", "steps": STEPS},
    "segments": {"name": "Germans", "filter": "country is DE", "shared": True},
    "annotations": {"text": "Release 2", "at": "2026-03-10", "link": "https://example.com/2"},
}


@pytest.fixture
def asking(build: Build) -> Asking:
    return Asking(build())


@pytest.mark.parametrize("kind", LISTS)
def test_what_is_made_is_listed_changed_and_removed(asking: Asking, kind: str) -> None:
    path = f"/api/v1/sites/default/{kind}"
    listed = f"{path}?period=2026-03-10" if kind == "annotations" else path
    status, made = asking("POST", path, MADE[kind])
    assert status == 201
    assert {name: made[name] for name in MADE[kind] if name not in ("at", "steps")} == {
        name: each for name, each in MADE[kind].items() if name not in ("at", "steps")
    }
    assert asking("GET", listed) == (200, {kind: [made]})
    name = "text" if kind == "annotations" else "name"
    assert asking("PATCH", f"{path}/{made['id']}", {name: "  Another  "}) == (200, made | {name: "Another"})
    assert asking("GET", listed) == (200, {kind: [made | {name: "Another"}]})
    assert asking("DELETE", f"{path}/{made['id']}") == (204, None)
    assert asking("GET", listed) == (200, {kind: []})
    for method in ("PATCH", "DELETE"):
        assert asking.code(method, f"{path}/{made['id']}", {}) == (404, f"unknown_{kind[:-1]}")
        assert asking.code(method, f"{path}/nothing", {}) == (404, f"unknown_{kind[:-1]}")
    noted = AuditTable(asking.served.app.store.database).latest(10)
    assert [row.action for row in noted] == [f"{kind[:-1]}.{done}" for done in ("removed", "changed", "added")]
    assert {row.site_id for row in noted} == {1}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize(
    ("who", "reads", "makes"),
    [
        ("owner", 200, 201),
        ("deploy", 200, 201),
        ("viewer", 200, 403),
        ("share", 200, 403),
        ("other", 404, 404),
        ("nobody", 401, 401),
    ],
)
def test_who_may_what(asking: Asking, kind: str, who: str, reads: int, makes: int) -> None:
    path = f"/api/v1/sites/default/{kind}"
    _, made = asking("POST", path, MADE[kind])
    assert asking("GET", path, who=who)[0] == reads
    more = MADE[kind] | {"name": "Other"} if "name" in MADE[kind] else MADE[kind]
    assert asking("POST", path, more, who=who)[0] == makes
    for method in ("PATCH", "DELETE"):
        status, _ = asking(method, f"{path}/{made['id']}", {}, who=who)
        assert status == makes or (status < 300 and makes == 201)


def test_strangers_may_nothing(asking: Asking) -> None:
    for target in ("sites/default/goals", "stats/goals", "stats/journeys", "stats/retention", "sites/x/segments"):
        assert asking("GET", f"/api/v1/{target}", who="nobody", peer=REMOTE)[0] == 401


def test_segments_of_ones_own(asking: Asking) -> None:
    path = "/api/v1/sites/default/segments"
    own = {"name": "Mine", "filter": "device is mobile"}
    status, mine = asking("POST", path, own, who="viewer")
    assert (status, mine["shared"]) == (201, False)
    assert asking("GET", path, who="viewer")[1]["segments"] == [mine]
    assert asking("GET", path, who="owner")[1]["segments"] == []
    assert asking("GET", path, who="share")[1]["segments"] == []
    assert asking.code("POST", path, own | {"shared": True}, who="viewer") == (403, "forbidden")
    assert asking.code("PATCH", f"{path}/{mine['id']}", {"shared": True}, who="viewer") == (403, "forbidden")
    assert asking.code("PATCH", f"{path}/{mine['id']}", {}, who="owner") == (404, "unknown_segment")
    assert asking("POST", path, own, who="owner")[0] == 201  # a name is taken by each owner once
    assert asking.code("POST", path, own, who="viewer") == (409, "name_taken")
    assert asking("PATCH", f"{path}/{mine['id']}", {"filter": "country is DE"}, who="viewer")[0] == 200
    query = "/api/v1/stats/journeys?segment=Mine&period=2026-03-10"
    assert asking("GET", query, who="viewer")[0] == 200
    assert asking.code("GET", query, who="share") == (404, "unknown_segment")
    assert asking("DELETE", f"{path}/{mine['id']}", who="viewer")[0] == 204


def test_ones_own_segment_comes_before_a_shared_one_of_its_name(asking: Asking, day: str) -> None:
    path = "/api/v1/sites/default/segments"
    asking("POST", path, {"name": "A", "filter": "country is FR"}, who="viewer")
    asking("POST", path, {"name": "A", "filter": "country is DE", "shared": True}, who="owner")
    query = f"/api/v1/stats/journeys?segment=A&{day}"
    assert [asking("GET", query, who=who)[1]["visits"] for who in ("viewer", "owner", "share")] == [1, 2, 2]


def test_a_segment_becomes_shared_and_ones_own_again(asking: Asking) -> None:
    path = "/api/v1/sites/default/segments"
    _, made = asking("POST", path, {"name": "A", "filter": "page is /a"}, who="owner")
    assert asking("PATCH", f"{path}/{made['id']}", {"shared": True}, who="owner")[1]["shared"] is True
    assert len(asking("GET", path, who="share")[1]["segments"]) == 1
    assert asking.code("DELETE", f"{path}/{made['id']}", who="viewer") == (403, "forbidden")
    assert asking("PATCH", f"{path}/{made['id']}", {"shared": False}, who="owner")[1]["shared"] is False
    assert asking("GET", path, who="viewer")[1]["segments"] == []


BAD_GOALS: list[tuple[object, str]] = [
    ({}, "body"),
    ([], "body"),
    (b"{", "body"),
    (b"\xff", "body"),
    (PAGE | {"kind": "nothing"}, "kind"),
    (PAGE | {"more": 1}, "body"),
    (PAGE | {"name": ""}, "name"),
    (PAGE | {"name": "x" * 81}, "name"),
    (PAGE | {"name": "a\u0000b"}, "name"),
    (PAGE | {"name": "a\nb"}, "name"),
    (PAGE | {"name": "abc\u202edef"}, "name"),
    (PAGE | {"name": "line\u2028end"}, "name"),
    (PAGE | {"name": 7}, "name"),
    (PAGE | {"page": ""}, "page"),
    (PAGE | {"page": "/" + "x" * 600}, "page"),
    (PAGE | {"event": "signup"}, "event"),
    (PAGE | {"percent": 20}, "percent"),
    ({"name": "x", "kind": "event"}, "event"),
    ({"name": "x", "kind": "event", "event": "signup", "where": "prop:plan"}, "where"),
    ({"name": "x", "kind": "event", "event": "signup", "where": "plan is pro"}, "where"),
    ({"name": "x", "kind": "scroll", "percent": 101}, "percent"),
    ({"name": "x", "kind": "scroll"}, "percent"),
    ({"name": "x", "kind": "engaged", "engaged_ms": -1}, "engaged_ms"),
    ({"name": "x", "kind": "engaged", "engaged_ms": 1e30}, "engaged_ms"),
    ({"name": "x", "kind": "revenue", "event": "buy", "page": "/a"}, "page"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "name"), BAD_GOALS)
def test_wrong_goals_are_refused_by_the_part_that_is_wrong(asking: Asking, body: object, name: str) -> None:
    status, said = asking("POST", "/api/v1/sites/default/goals", body)
    assert (status, said["error"]["code"]) == (400, f"invalid_{name}")
    assert "page, event, scroll, engaged, revenue" in said["error"]["hint"] or name in said["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "change", "name"),
    [
        ("funnels", {"steps": STEPS[:1]}, "steps"),
        ("funnels", {"steps": STEPS * 6}, "steps"),
        ("funnels", {"steps": [{"page": "/a", "event": "x"}, {"page": "/"}]}, "steps"),
        ("funnels", {"steps": [{}, {"page": "/"}]}, "steps"),
        ("funnels", {"steps": [{"filter": "page is"}, {"page": "/"}]}, "steps"),
        ("funnels", {"order": "any"}, "order"),
        ("funnels", {"minutes": 5, "days": 1}, "minutes"),
        ("funnels", {"minutes": 0}, "minutes"),
        ("funnels", {"days": 91}, "days"),
        ("segments", {"filter": ""}, "filter"),
        ("segments", {"filter": "page is /a and"}, "filter"),
        ("segments", {"filter": "x" * 2_001}, "filter"),
        ("segments", {"shared": "yes"}, "shared"),
        ("annotations", {"text": " "}, "text"),
        ("annotations", {"text": "x" * 501}, "text"),
        ("annotations", {"at": "soon"}, "at"),
        ("annotations", {"at": "9999-12-31"}, "at"),
        ("annotations", {"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("annotations", {"link": "javascript:alert(1)"}, "link"),
        ("annotations", {"link": "https://"}, "link"),
        ("annotations", {"link": "http://[::1"}, "link"),
    ],
)
def test_other_wrong_things_are_refused(asking: Asking, kind: str, change: dict[str, Any], name: str) -> None:
    path = f"/api/v1/sites/default/{kind}"
    assert asking.code("POST", path, MADE[kind] | change) == (400, f"invalid_{name}")
    _, made = asking("POST", path, MADE[kind])
    assert asking.code("PATCH", f"{path}/{made['id']}", change) == (400, f"invalid_{name}")


def test_a_change_of_kind_forgets_what_the_old_kind_had(asking: Asking) -> None:
    path = "/api/v1/sites/default/goals"
    _, made = asking("POST", path, PAGE)
    assert asking.code("PATCH", f"{path}/{made['id']}", {"kind": "scroll"}) == (400, "invalid_percent")
    _, changed = asking("PATCH", f"{path}/{made['id']}", {"kind": "scroll", "percent": 90})
    assert (changed["kind"], changed["percent"], changed["page"]) == ("scroll", 90, "")


def test_names_are_taken_and_lists_are_bounded(asking: Asking) -> None:
    path = "/api/v1/sites/default/goals"
    for number in range(100):
        assert asking("POST", path, PAGE | {"name": f"goal {number}"})[0] == 201
    assert asking.code("POST", path, PAGE | {"name": "goal 7"}) == (409, "name_taken")
    assert asking.code("POST", path, PAGE) == (409, "too_many")
    assert asking("POST", "/api/v1/sites/shop/goals", PAGE)[0] == 201


def test_lists_are_in_the_order_in_which_things_were_made(asking: Asking) -> None:
    path = "/api/v1/sites/default/goals"
    names = [f"goal {number}" for number in range(20)]
    for name in names:
        asking("POST", path, PAGE | {"name": name})
    assert [goal["name"] for goal in asking("GET", path)[1]["goals"]] == names


def test_moments_of_annotations_are_of_the_sites_zone(asking: Asking) -> None:
    path = "/api/v1/sites/shop/annotations"
    told = {
        "2026-03-10": "2026-03-09T23:00:00.000Z",
        "2026-03-10T12:30": "2026-03-10T11:30:00.000Z",
        "2026-03-10T12:30:00Z": "2026-03-10T12:30:00.000Z",
    }
    for at, shown in told.items():
        assert asking("POST", path, {"text": at, "at": at})[1]["at"] == shown
    listed = asking("GET", f"{path}?period=2026-03-10")[1]["annotations"]
    assert [each["text"] for each in listed] == list(told)
    assert asking("GET", f"{path}?period=2026-03-09")[1]["annotations"] == []
    assert asking("POST", path, {"text": "now"})[0] == 201
    assert [each["text"] for each in asking("GET", f"{path}?period=today")[1]["annotations"]] == ["now"]
    assert asking.code("GET", f"{path}?period=soon") == (400, "invalid_period")


# Reports.


@pytest.fixture
def day(asking: Asking) -> str:
    """Three visits of one day: anna / /thanks and a purchase, ben / and away, cara /thanks. Returns its period."""
    at = 1_773_133_200_000  # 2026-03-10, 09:00 UTC
    anna: dict[str, Any] = {"place": GERMANY, "source": GOOGLE}
    events: list[Event] = [
        event(SITE, at, "anna", "/", **anna),
        event(SITE, at + MINUTE, "anna", "/thanks", scroll=90, engaged_ms=20_000, **anna),
        event(SITE, at + 2 * MINUTE, "anna", "/thanks", "custom", name="buy", value=19.9, currency="EUR", **anna),
        event(SITE, at + HOUR_MS, "ben", "/", place=FRANCE, source=NEWS),
        event(SITE, at + 2 * HOUR_MS, "cara", "/thanks", place=GERMANY),
        event(SITE, at, "robot", "/thanks", signals=1),
    ]
    assert day_of("UTC", at) == 20260310
    fold(asking.served.app.store, SITE, events)
    return "period=2026-03-10"


def test_the_report_of_goals(asking: Asking, day: str) -> None:
    path = "/api/v1/sites/default/goals"
    asking("POST", path, PAGE)
    asking("POST", path, {"name": "Sales", "kind": "revenue", "event": "buy"})
    status, said = asking("GET", f"/api/v1/stats/goals?{day}&interval=day&by=country")
    assert status == 200
    assert (said["visitors"], said["visits"], said["by"], said["from"], said["to"]) == (
        3, 3, "country", "2026-03-10", "2026-03-10",
    )  # fmt: skip
    thanks, sales = said["goals"]
    assert (thanks["conversions"], thanks["visitors"], thanks["visits"], thanks["rate"]) == (2, 2, 2, 0.6667)
    assert [(row["value"], row["conversions"], row["rate"]) for row in thanks["rows"]] == [("DE", 2, 1.0)]
    assert sales["revenue"] == [{"currency": "EUR", "sum": 19.9, "mean": 19.9, "events": 1}]
    assert [point["conversions"] for point in sales["series"]] == [1]
    one = asking("GET", f"/api/v1/stats/goals?{day}&goal=Sales&filter=country+is+FR")[1]
    assert (one["visitors"], [goal["name"] for goal in one["goals"]]) == (1, ["Sales"])
    assert one["goals"][0]["conversions"] == 0


def test_a_goal_is_tried_before_it_is_made(asking: Asking, day: str) -> None:
    path = "/api/v1/stats/goals"
    body: dict[str, Any] = {"period": "2026-03-10", "goal": {"kind": "revenue", "event": "buy", "where": "value > 10"}}
    status, said = asking("POST", path, body, who="share")
    [tried] = said["goals"]
    assert (status, tried["id"], tried["conversions"], said["visitors"]) == (200, "", 1, 3)
    assert (tried["revenue"][0]["sum"], asking("GET", "/api/v1/sites/default/goals")[1]["goals"]) == (19.9, [])
    narrowed = body | {"filter": "country is FR", "by": "source", "goal": {"kind": "page", "page": "/"}}
    [tried] = asking("POST", path, narrowed)[1]["goals"]
    assert [(row["value"], row["conversions"]) for row in tried["rows"]] == [("news", 1)]
    assert asking.code("POST", path, {"goal": {"kind": "page"}}) == (400, "invalid_page")
    assert asking.code("POST", path, body, who="other") == (404, "unknown_site")


def test_the_report_of_a_funnel(asking: Asking, day: str) -> None:
    _, made = asking("POST", "/api/v1/sites/default/funnels", MADE["funnels"])
    status, said = asking("GET", f"/api/v1/stats/funnel?{day}&funnel=Way&by=country")
    assert status == 200
    assert [(step["visits"], step["dropped"], step["median_seconds"]) for step in said["steps"]] == [
        (2, 1, None),
        (1, None, 60.0),
    ]
    [session] = said["steps"][0]["sessions"]
    assert asking("GET", f"/sessions/{session}")[1]["country"] == "FR"
    assert {row["value"]: row["steps"][1]["visits"] for row in said["rows"]} == {"DE": 1, "FR": 0}
    assert asking("GET", f"/api/v1/stats/funnel?{day}&funnel={made['id']}", who="viewer")[1]["steps"][0]["sessions"]
    seen = asking("GET", f"/api/v1/stats/funnel?{day}&funnel=Way", who="share")[1]
    assert [step["sessions"] for step in seen["steps"]] == [None, None]
    body = {"steps": STEPS, "period": "2026-03-10", "days": 2}
    asked = asking("POST", "/api/v1/stats/funnel", body, who="share")[1]
    assert [(step["visitors"], step["visits"]) for step in asked["steps"]] == [(2, None), (1, None)]
    assert (asked["follows"], asked["known_for"]) == ("visitors", "day")
    assert asking.code("POST", "/api/v1/stats/funnel", body, who="other") == (404, "unknown_site")


@pytest.mark.parametrize("what", ["goals", "funnel", "query"])
def test_a_question_in_the_body_has_no_other_in_its_address(asking: Asking, what: str) -> None:
    bodies: dict[str, object] = {
        "goals": {"goal": {"kind": "page", "page": "/"}},
        "funnel": {"steps": STEPS},
        "query": {"metrics": ["views"]},
    }
    body = bodies[what]
    assert asking("POST", f"/api/v1/stats/{what}", body)[0] == 200
    assert asking.code("POST", f"/api/v1/stats/{what}?period=7d", body) == (400, "invalid_query")


def test_journeys_retention_and_attribution(asking: Asking, day: str) -> None:
    said = asking("GET", f"/api/v1/stats/journeys?{day}&start=/&steps=1")[1]
    assert said["links"] == [
        {"step": 1, "from": "/", "to": "(exit)", "visits": 1},
        {"step": 1, "from": "/", "to": "/thanks", "visits": 1},
    ]
    said = asking("GET", f"/api/v1/stats/retention?{day}")[1]
    assert said["cohorts"] == []
    assert said["suppressed"].startswith("suppressed: under the policy daily")
    asking("POST", "/api/v1/sites/default/goals", PAGE)
    said = asking("GET", f"/api/v1/stats/attribution?{day}&goal=Thanks&by=source&limit=1")[1]
    assert (said["conversions"], said["rows_in_all"], len(said["rows"])) == (2, 2, 1)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("goals?by=page", "invalid_by"),
        ("goals?by=moon", "invalid_by"),
        ("goals?interval=year", "invalid_interval"),
        ("goals?limit=0", "invalid_limit"),
        ("goals?timezone=Mars", "invalid_timezone"),
        ("goals?filter=country", "invalid_filter"),
        ("goals?color=red", "unknown_parameter"),
        ("goals?period=tomorrow", "invalid_period"),
        ("goals?goal=Nothing", "unknown_goal"),
        ("goals?segment=Nothing", "unknown_segment"),
        ("goals?site=moon", "unknown_site"),
        ("funnel", "invalid_funnel"),
        ("funnel?funnel=Nothing", "unknown_funnel"),
        ("journeys?steps=11", "invalid_steps"),
        ("journeys?limit=51", "invalid_limit"),
        ("journeys?direction=up", "invalid_direction"),
        ("journeys?start=*", "invalid_start"),
        ("journeys?start=%00", "invalid_start"),
        ("retention?interval=hour", "invalid_interval"),
        ("retention?week_start=friday", "invalid_week_start"),
        ("retention?period=24h", "invalid_period"),
        ("attribution", "invalid_goal"),
        ("attribution?goal=x&model=linear", "invalid_model"),
        ("attribution?goal=x&by=country", "invalid_by"),
        ("attribution?goal=x&lookback=91", "invalid_lookback"),
    ],
)
def test_questions_that_cannot_be_answered(asking: Asking, target: str, code: str) -> None:
    status, said = asking("GET", f"/api/v1/stats/{target}")
    is_missing = code in ("unknown_goal", "unknown_funnel", "unknown_segment", "unknown_site")
    assert (status, said["error"]["code"]) == (404 if is_missing else 400, code)


def test_a_wrong_choice_is_told_the_right_ones(asking: Asking) -> None:
    said = asking("GET", "/api/v1/stats/goals?by=page")[1]["error"]
    assert "source" in said["hint"]
    assert "country" in said["hint"]
    said = asking("GET", "/api/v1/stats/attribution?goal=x&model=linear")[1]["error"]
    assert "first, last" in said["message"] + said["hint"]


def test_bodies_of_any_shape_are_refused_or_taken(asking: Asking) -> None:
    """No value of any JSON type in any place makes more than a 400."""
    values: list[object] = [None, True, -1, 1e300, "", "\ud800", "x" * 5_000, [], [[]], {}, {"a": 1}]
    for kind in LISTS:
        for name in MADE[kind]:
            for value in values:
                status, said = asking("POST", f"/api/v1/sites/shop/{kind}", MADE[kind] | {name: value})
                assert status in (201, 400, 409), (kind, name, value, said)
