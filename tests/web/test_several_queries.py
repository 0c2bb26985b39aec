"""Several queries in one request: the answers that each would get by itself, and what is refused."""

import json
from collections.abc import Sequence

import pytest

from tests.web.asking import DAY, DAYS, PATH, SITE, Asking, Said, with_numbers
from tests.web.conftest import REMOTE, Build
from visitor_tracker.reports.asking import collecting
from visitor_tracker.reports.asking import from_extracts as from_extracts_module
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.from_extracts import Told, from_extracts
from visitor_tracker.reports.extracts import counting
from visitor_tracker.store.insight import Goal, InsightTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web import turns
from visitor_tracker.web.api.several import QUERIES_MOST

SEVERAL = "/api/v1/stats/queries"
FILTER = {"filters": "country is DE"}
QUERIES: list[Said] = [
    {**DAYS, **FILTER, "metrics": ["visitors", "visits", "views", "duration"], "dimensions": ["time:day"]},
    {**DAYS, **FILTER, "dimensions": ["page"], "limit": 1},
    {**DAYS, **FILTER, "dimensions": ["browser"], "compare": "previous"},
    {**DAYS, **FILTER},
    {**DAYS, "dimensions": ["page"]},
    {**DAYS, "filters": "page is /a", "dimensions": ["source"]},
    {**DAYS, "filters": "page is /a", "dimensions": ["event"]},
]


@pytest.fixture
def asking(build: Build) -> Asking:
    return with_numbers(build())


def several(asking: Asking, queries: object) -> list[Said]:
    found = asking.response(SEVERAL, {"queries": queries})
    assert found.status == 200, found.body
    answers: list[Said] = json.loads(found.body)["answers"]
    return answers


def refused(asking: Asking, body: object) -> tuple[int, str, str]:
    found = asking.response(SEVERAL, body)
    error = json.loads(found.body)["error"]
    return found.status, error["code"], f"{error['message']}: {error['hint']}"


def timeless(said: Said) -> Said:
    return {**said, "meta": {**said["meta"], "as_of": ""}, "cursor": said["cursor"] is not None}


def test_each_gets_the_answer_that_it_would_get_by_itself(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [asking.says(query) for query in QUERIES]
    passes: list[int] = []

    def counted(table: ReportTable, asks: Sequence[Ask], most: int) -> dict[Ask, Told]:
        passes.append(len(asks))
        return from_extracts(table, asks, most)

    monkeypatch.setattr(collecting, "from_extracts", counted)
    found = several(asking, QUERIES)
    assert [each["status"] for each in found] == [200] * len(QUERIES)
    for each, other in zip(found, alone, strict=True):
        assert timeless(each["answer"]) == timeless(other)
    assert sorted(passes) == [1, 2, 4], "one pass for each filter and period, none for what rollups tell"


def test_a_mistake_in_one_is_told_in_its_place(asking: Asking) -> None:
    wrong: list[tuple[Said, str, str]] = [
        ({"metrics": ["visiters"]}, "invalid_metrics", "there is no metric 'visiters'"),
        ({"filters": "country"}, "invalid_filters", "expected"),
        ({"segment": "none"}, "invalid_segment", "no segment 'none'"),
        ({"format": "csv"}, "invalid_format", "as JSON"),
        ({**FILTER, "dimensions": ["bot"]}, "invalid_filters", "bot and crawler know no filter"),
    ]
    queries = [query for each, _, _ in wrong for query in (each, QUERIES[3])]
    found = several(asking, queries)
    for (_, code, message), refusal, answered in zip(wrong, found[::2], found[1::2], strict=True):
        assert (refusal["status"], refusal["error"]["code"]) == (400, code)
        assert message in refusal["error"]["message"]
        assert "answer" not in refusal
        assert answered["answer"]["totals"]["metrics"]["visitors"] == 2


def test_what_reads_visits_or_events_one_by_one_is_asked_alone(asking: Asking) -> None:
    InsightTable(asking.store.database).kept_goals.add(SITE.id, Goal("Bought", "event", event="buy", at=DAY))
    queries: list[Said] = [
        {**DAYS, "filters": "prop:plan is free"},
        {**DAYS, **FILTER, "metrics": ["revenue"]},
        {**DAYS, **FILTER, "metrics": ["conversions"], "goal": "Bought"},
        {**DAYS, **FILTER, "timezone": "America/New_York"},
        {"date_range": "24h"},
        {**DAYS, **FILTER, "dimensions": ["time:hour"]},
        {"date_range": "7d", "dimensions": ["time:day"], "forecast": 3},
    ]
    found = several(asking, [*queries, QUERIES[0]])
    assert [each["status"] for each in found] == [400] * len(queries) + [200]
    assert {each["error"]["code"] for each in found[:-1]} == {"ask_alone"}
    for query in queries:
        assert asking.response(PATH, query).status == 200


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"{", "invalid_body", "use queries"),
        ({}, "invalid_body", "queries"),
        ({"queries": {}}, "invalid_body", "queries"),
        ({"queries": [{"metrics": 1}]}, "invalid_body", "queries[0].metrics"),
        ({"queries": [{"colour": 1}]}, "invalid_body", "colour"),
        ({"queries": [], "site": "default"}, "invalid_body", "site"),
        ({"queries": []}, "invalid_queries", f"1 to {QUERIES_MOST} queries"),
        ({"queries": [{}] * (QUERIES_MOST + 1)}, "invalid_queries", f"1 to {QUERIES_MOST} queries"),
    ],
)
def test_a_request_that_is_none_is_refused(asking: Asking, body: object, code: str, named: str) -> None:
    status, found, text = refused(asking, body)
    assert (status, found) == (400, code)
    assert named in text
    assert len(several(asking, [{}] * QUERIES_MOST)) == QUERIES_MOST


def test_a_site_that_one_may_not_read_refuses_all_of_them(asking: Asking) -> None:
    queries = {"queries": [QUERIES[0], {"site": "blog"}]}
    assert refused(asking, {"queries": [QUERIES[0], {"site": "none"}]})[:2] == (404, "unknown_site")
    for who, status in (("vera", 404), ("link", 404), ("nobody", 401)):
        found = asking.response(SEVERAL, queries, peer=REMOTE, headers={"x-who": who})
        assert found.status == status, who
    for who, site in (("vera", "default"), ("link", "blog")):
        found = asking.response(SEVERAL, {"queries": [{"site": site}]}, peer=REMOTE, headers={"x-who": who})
        assert found.status == 200, who


def test_they_wait_for_their_turn_together(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    with turns.long_turn():
        assert refused(asking, {"queries": QUERIES})[:2] == (503, "busy")
        assert len(several(asking, [QUERIES[4]])) == 1, "what rollups tell needs no turn"
        [alone] = several(asking, [{**DAYS, **FILTER, "metrics": ["revenue"], "date_range": "24h"}])
        assert alone["error"]["code"] == "ask_alone", "nor does what is not answered"
    assert len(several(asking, QUERIES)) == len(QUERIES)


def statuses(asking: Asking, queries: Sequence[Said]) -> list[int]:
    return [each["status"] for each in several(asking, queries)]


def test_what_would_be_too_much_at_once_is_asked_alone(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[Said] = [{**DAYS, **FILTER, "dimensions": [each]} for each in ("page", "browser")]
    other: Said = {**DAYS, "filters": "page is /a", "dimensions": ["source"]}
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "ROWS_AT_ONCE", 1)
        assert statuses(asking, [*queries, other]) == [200, 400, 400], "the first one whatever it has"
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "TELLING_SECONDS", -1.0)
        assert statuses(asking, [*queries, other]) == [200, 200, 400], "nobody else has the turn for so long"
        [_, _, refusal] = several(asking, [*queries, other])
        assert refusal["error"]["code"] == "ask_alone"
        assert asking.response(PATH, other).status == 200
    with monkeypatch.context() as patched:
        patched.setattr(counting, "_WAITING_MOST", 0)
        patched.setattr(from_extracts_module, "COMBINATIONS_MOST", 3)
        assert statuses(asking, queries) == [400, 200], "the largest is left out"
        assert statuses(asking, queries[:1]) == [200]
