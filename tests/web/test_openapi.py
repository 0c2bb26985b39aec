"""The description of the API: whole, valid, and true to the routes."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.web.conftest import REMOTE, Build, Site, header
from visitor_tracker.access.who import Access
from visitor_tracker.config import Config, ServerConfig, StoreConfig
from visitor_tracker.http.message import Request, Response
from visitor_tracker.serve import migrate_store
from visitor_tracker.web.api import describing
from visitor_tracker.web.openapi import document, operation_ids, tag_of
from visitor_tracker.web.openapi_collect import NOTES
from visitor_tracker.web.openapi_words import OTHER, REFUSALS
from visitor_tracker.web.router import Route

PRIVATE = set(get_args(Access)) - {"public", "own"}
JSON = "application/json"
READERS = {"query_as", "question_of", "fields_of", "parse_query", "read_question"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One App for all that is only read."""
    folder = tmp_path_factory.mktemp("openapi")
    config = Config(server=ServerConfig(data_dir=str(folder)), store=StoreConfig(url=f"sqlite:///{folder / 'v.db'}"))
    migrate_store(config)
    site = Site(config)
    yield site
    site.app.close()


@pytest.fixture(scope="module")
def described(served: Site) -> dict[str, Any]:
    answer = served.ask("/openapi.json")
    assert (answer.status, header(answer, "Content-Type")) == (200, JSON)
    found: dict[str, Any] = json.loads(answer.body)
    return found


def routes(served: Site) -> list[Route]:
    return [route for route in served.app.router.routes if not route.path.startswith("/client/")]


def operation(described: dict[str, Any], route: Route) -> dict[str, Any]:
    found: dict[str, Any] = described["paths"][route.path][route.method.lower()]
    return found


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_it_is_valid(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(described).validate()


def test_every_route_is_described_and_nothing_else(served: Site, described: dict[str, Any]) -> None:
    told = {f"{method.upper()} {path}" for path, operations in described["paths"].items() for method in operations}
    assert told == {*map(name_of, routes(served)), "GET /client/{file}"}
    for route in routes(served):
        about = operation(described, route)
        assert re.match(r"[A-Z0-9]", about["summary"]), route.path
        assert not re.search(r"\?\w+=", about["summary"]), route.path
        assert about["description"].endswith("."), route.path
        assert about["x-access"] == route.access
        assert about["tags"] == [tag_of(route)] != [OTHER], f"{route.path} needs a word in openapi_words._WORDS"


def test_notes_are_of_routes_that_there_are(served: Site) -> None:
    assert set(NOTES) - set(map(name_of, routes(served))) == set()


def test_names_of_operations_are_unique_and_stay(served: Site, described: dict[str, Any]) -> None:
    names = [each["operationId"] for path in described["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    found = operation_ids(routes(served))
    known = {
        ("GET", "/"): "get",
        ("GET", "/stats"): "get_stats",
        ("GET", "/sites"): "get_sites_plain",  # /api/v1/sites has the name
        ("GET", "/api/v1/sites"): "get_sites",
        ("POST", "/api/v1/events"): "post_events",
        ("POST", "/api/events"): "post_api_events",
        ("GET", "/api/v1/replay/{session}"): "get_replay_by_session",
        ("GET", "/v1/monitoring/visitors/{ip}"): "get_v1_monitoring_visitors_by_ip",
    }
    assert {key: found[key] for key in known} == known
    assert found == operation_ids(list(reversed(routes(served))))


def test_private_routes_tell_what_they_answer(served: Site, described: dict[str, Any]) -> None:
    untold = [
        name_of(route)
        for route in routes(served)
        if route.access in PRIVATE and route.media == JSON and route.status == 200 and route.answer is None
    ]
    assert untold == []
    for route in routes(served):
        if route.answer is not None and route.media == JSON:
            content = operation(described, route)["responses"][str(route.status)]["content"]
            assert content[JSON]["schema"], route.path


def test_who_reads_a_query_or_a_body_says_which(served: Site) -> None:
    """A handler that reads parameters, itself or by a method of its class, has a type for them; so with bodies."""
    untold = []
    for route in routes(served):
        if route.access not in PRIVATE:
            continue
        called = calls_of(route.handler)
        if called & READERS and route.query is None:
            untold.append(f"{name_of(route)}: query")
        if "body_as" in called and route.body is None:
            untold.append(f"{name_of(route)}: body")
    assert untold == []


def calls_of(handler: Callable[..., object]) -> set[str]:
    """Return the names of what a handler calls, and of what the methods of its class call that it calls."""
    owner = type(getattr(handler, "__self__", None))
    found: set[str] = set()
    wanted = [handler] if inspect.ismethod(handler) or inspect.isfunction(handler) else []
    while wanted:
        tree = ast.parse(textwrap.dedent(inspect.getsource(wanted.pop())))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name.startswith("self.") and name not in found:
                method = getattr(owner, name.removeprefix("self."), None)
                wanted += [method] if inspect.isfunction(method) else []
            found.add(name)
    return found


def test_parameters_are_told(served: Site, described: dict[str, Any]) -> None:
    for route in routes(served):
        told = operation(described, route).get("parameters", [])
        places = re.findall(r"\{(\w+)\}", route.path)
        assert [each["name"] for each in told if each["in"] == "path"] == places
        fields = getattr(route.query, "__struct_encode_fields__", ())
        queries = [each for each in told if each["in"] == "query"]
        if route.query is not None:
            assert [each["name"] for each in queries] == list(fields), route.path
        for each in told:
            assert each["schema"], (route.path, each)
            assert "null" not in json.dumps(each["schema"]), (route.path, each)


def test_proofs_are_told(served: Site, described: dict[str, Any]) -> None:
    schemes = described["components"]["securitySchemes"]
    for route in routes(served):
        told = operation(described, route)
        needed, answers = told["security"], told["responses"]
        assert bool(needed) == (route.access in PRIVATE), route.path
        assert {name for proof in needed for name in proof} <= set(schemes)
        if route.access in PRIVATE:
            assert {"401", "403"} <= set(answers)
            assert ({"csrf": [], "session": []} in needed) == (route.method not in ("GET", "HEAD")), route.path
            assert ({"share": []} in needed) == (route.access == "read"), route.path


def test_refusals_have_one_shape(described: dict[str, Any]) -> None:
    names = {name for name, _, _ in REFUSALS.values()}
    assert set(described["components"]["responses"]) == names
    for answer in described["components"]["responses"].values():
        assert answer["content"][JSON]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert set(described["components"]["schemas"]["Error"]["properties"]["error"]["required"]) == {
        "code",
        "message",
        "hint",
    }


def test_types_of_answers_are_those_that_are_sent(described: dict[str, Any]) -> None:
    schema = described["components"]["schemas"]["PageRow"]
    assert schema["required"] == ["page_url", "visit_count", "last_visited", "created_at"]
    parameters = {each["name"]: each for each in described["paths"]["/stats"]["get"]["parameters"]}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000}
    assert set(parameters["order"]["schema"]["enum"]) == {"visitors", "visits", "views", "events"}
    assert parameters["period"]["description"].startswith("today, yesterday")
    assert "OldStatsQuery" not in described["components"]["schemas"]


ASKED = (
    "/", "/healthz", "/readyz", "/stats", "/stats?period=30d&by=page&filter=country+is+DE",
    "/stats?period=7d&by=browser", "/stats?period=today&by=kind", "/stats?period=7d&by=prop:plan",
    "/count?url=https://example.com/", "/count", "/api/v1/visits?url=https://example.com/", "/api/v1/visits",
    "/update?url=https://example.com/a", "/badge.json?url=https://example.com/",
    "/verify?url=https://example.com/&token=x", "/api/v1/live", "/v1/monitoring/visitors",
    "/v1/monitoring/visitors/stats", "/v1/monitoring/visitors/192.0.2.1", "/api/v1/errors", "/api/v1/vitals",
    "/api/v1/vitals?by=page", "/api/v1/quality", "/api/v1/replays", "/api/v1/heatmap",
    "/api/v1/heatmap?url=https://example.com/", "/api/v1/stats/query?metrics=visitors",
)  # fmt: skip


@pytest.mark.parametrize("target", ASKED)
def test_answers_are_of_their_types(served: Site, target: str) -> None:
    parts = target.partition("?")[0].split("/")
    [route, *_] = [route for route in routes(served) if route.method == "GET" and fits(route.path.split("/"), parts)]
    answer = served.ask(target)
    assert answer.status == 200, answer.body
    kinds = get_args(route.answer) if "|" in str(route.answer) else (route.answer,)
    assert any(is_of(answer, kind) for kind in kinds), (answer.body, kinds)


def fits(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        mine == theirs or "{" in mine for mine, theirs in zip(template, parts, strict=True)
    )


def is_of(answer: Response, kind: Any) -> bool:  # noqa: ANN401
    """Say whether an answer is all of a type, and nothing but that: made from the type it says the same again."""
    try:
        found = msgspec.json.decode(answer.body, type=kind)
    except msgspec.ValidationError:
        return False
    return bool(json.loads(msgspec.json.encode(found)) == json.loads(answer.body))


def test_it_is_made_once(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(found: Any) -> dict[str, object]:  # noqa: ANN401
        made.append(1)
        return document(found)

    monkeypatch.setattr(describing, "document", counted)
    site = build()
    answer = site.ask("/openapi.json", peer=REMOTE)
    tag = header(answer, "ETag")
    assert (answer.status, header(answer, "Cache-Control")) == (200, "no-cache")
    again = site.ask("/openapi.json", peer=REMOTE, headers={"if-none-match": tag})
    packed = site.ask("/openapi.json", headers={"accept-encoding": "gzip"})
    assert (again.status, again.body, made) == (304, b"", [1])
    assert len(packed.body) < len(answer.body) / 4


class Odd(msgspec.Struct):
    anything: object
    many: list[object] = []
    maybe: "Odd | None" = None


def test_a_route_of_any_type_can_be_described() -> None:
    def handler(request: Request) -> Response:
        return Response(200)

    odd = Route("GET", "/api/v1/odd/{thing_id}", handler, "odd things: ?by=", "admin", answer=Odd | list[int])
    found: Any = document([odd])
    about = found["paths"]["/api/v1/odd/{thing_id}"]["get"]
    assert about["parameters"][0]["description"] == "The thing id"
    assert about["summary"] == "Odd things"
    assert about["responses"]["200"]["content"][JSON]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/Odd"}, {"type": "array", "items": {"type": "integer"}}]
    }
    OpenAPIV31SpecValidator(found).validate()
