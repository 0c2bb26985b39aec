"""The description of the API in OpenAPI 3.1, made from the routes and from the types by which they read and answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Union, get_args, get_origin

import msgspec

from visitor_tracker import __version__
from visitor_tracker.web.openapi_collect import NOTES, Note
from visitor_tracker.web.openapi_words import (
    ABOUT,
    EARLIER,
    ERROR,
    FOR,
    OTHER,
    PAGES,
    PLACES,
    PLAIN_TAG_OF,
    PROOFS,
    REFUSALS,
    SAFE,
    TAG_OF,
    TAGS,
    Json,
    security,
)
from visitor_tracker.web.router import HTML, Route

_SCHEMAS = "#/components/schemas/"
_PART = re.compile(r"\{(\w+)\}")
_PARAMETERS = re.compile(r":? \?.*$")  # at the end of a summary, for the front page; here they are described
_API = "/api/v1/"
_NAMED = re.compile(r"\?(\w+)=")
_GROUPS = ("sites", "stats")
_FILES = "/client/"
_FILE_SHOWN = "/client/{file}"
_JSON = "application/json"
_SUCCESS = {204: "Done", 302: "Leads on", 303: "Leads on"}  # answers without a body
_ERROR: Json = {"$ref": f"{_SCHEMAS}Error"}


def document(routes: Iterable[Route]) -> Json:
    """Return the description of these routes."""
    shown = [route for route in routes if not route.path.startswith(_FILES) or route.path == _FILE_SHOWN]
    schemas = _Schemas(shown)
    paths: dict[str, Json] = {}
    ids = operation_ids(shown)
    for route in shown:
        operation = _operation(route, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = {
            "operationId": ids[route.method, route.path],
            **operation,
        }
    used = {tag_of(route) for route in shown}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visitor Tracker",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas.components, "Error": ERROR}.items())),
            "responses": {name: _refusal(about, headers) for name, about, headers in REFUSALS.values()},
            "securitySchemes": PROOFS,
        },
    }


def operation_ids(routes: Sequence[Route]) -> dict[tuple[str, str], str]:
    """Return a name for each route: of its method and path, without /api/v1, which wins where two would be the same."""
    found: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for route in sorted(routes, key=lambda route: (not route.path.startswith(_API), route.path, route.method)):
        words = _PART.sub(r"by_\1", route.path.removeprefix(_API[:-1])).replace(".", "_").replace("-", "_")
        name = "_".join([route.method.lower(), *filter(None, words.split("/"))])
        name = f"{name}_plain" if name in taken else name
        taken.add(name)
        found[route.method, route.path] = name
    return found


def tag_of(route: Route) -> str:
    """Return the subject of a route: of our own API that of the first word that has one, `sites` and `stats` last."""
    note = NOTES.get(f"{route.method} {route.path}", Note())
    words = [word for word in route.path.split("/") if word and "{" not in word]
    if note.tag or route.media == HTML:
        return note.tag or PAGES
    if route.path.startswith(_API):
        of, *rest = words[2:]
        order = [*rest, of] if of in _GROUPS else [of, *rest]
        return next((TAG_OF[word] for word in order if word in TAG_OF), OTHER)
    return PLAIN_TAG_OF.get(words[0], EARLIER) if words else PAGES


class _Schemas:
    """The schemas of all types of the routes, made together, because they refer to one another."""

    def __init__(self, routes: Iterable[Route]) -> None:
        notes = [NOTES.get(f"{route.method} {route.path}", Note()) for route in routes]
        shown = [each for route in routes for each in (*_members(route.body), *_members(route.answer))]
        shown += [each for note in notes for kind in note.types() for each in _members(kind)]
        queries = [each for route in routes if (each := route.query) is not None]
        queries += [note.query for note in notes if note.query is not None]
        types = [*shown, *queries]
        template = f"{_SCHEMAS}{{name}}"
        schemas, components = msgspec.json.schema_components(types, ref_template=template, schema_hook=_anything)
        names = _short_names(components)
        self._found = {id(kind): _renamed(schema, names) for kind, schema in zip(types, schemas, strict=True)}
        every = {names[name]: _renamed(schema, names) for name, schema in components.items()}
        self._every = every
        answered = {_target(self._found[id(kind)]) for kind in shown}
        only_asked = {_target(self._found[id(kind)]) for kind in queries} - answered
        self.components = {name: schema for name, schema in every.items() if name not in only_asked}

    def of(self, kind: object) -> Json:
        """Return the schema of a body or an answer; of a union of structs, one of theirs."""
        found = [self._found[id(each)] for each in _members(kind)]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def fields(self, kind: type[msgspec.Struct]) -> tuple[Mapping[str, Json], Sequence[str]]:
        """Return the schemas of a struct's fields, and the names of those that must be there."""
        whole = self._every[_target(self._found[id(kind)])]
        fields, required = whole.get("properties", {}), whole.get("required", [])
        assert isinstance(fields, dict)
        assert isinstance(required, list)
        return fields, required


def _members(kind: object) -> tuple[object, ...]:
    """Return the types of a union, which msgspec describes one by one only; else the type itself."""
    if kind is None:
        return ()
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _anything(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON"}
    raise NotImplementedError


def _target(schema: Json) -> str:
    return str(schema.get("$ref", "")).removeprefix(_SCHEMAS)


def _short_names(components: Iterable[str]) -> dict[str, str]:
    """Return how types are called: by their name, and where several have it also by their module's."""
    found: dict[str, str] = {}
    for name in components:
        words = [word for part in name.split(".")[-2:] for word in part.split("_") if word]
        short = "".join(word[0].upper() + word[1:] for word in words)
        found[name] = short if short not in found.values() and short != "Error" else re.sub(r"\W", "_", name)
    return found


def _renamed(schema: object, names: Mapping[str, str]) -> Json:
    """Return a schema whose references have the short names."""

    def walked(value: object) -> object:
        if isinstance(value, dict):
            return {key: _reference(inner, names) if key == "$ref" else walked(inner) for key, inner in value.items()}
        return [walked(inner) for inner in value] if isinstance(value, list) else value

    found = walked(schema)
    assert isinstance(found, dict)
    return found


def _reference(target: object, names: Mapping[str, str]) -> str:
    name = str(target).removeprefix(_SCHEMAS)
    return f"{_SCHEMAS}{names.get(name, name)}"


def _operation(route: Route, schemas: _Schemas) -> Json:
    note = NOTES.get(f"{route.method} {route.path}", Note())
    summary = _NAMED.sub(r"`\1`", _PARAMETERS.sub("", route.summary))
    found: Json = {
        "tags": [tag_of(route)],
        "summary": summary[:1].upper() + summary[1:],
        "description": "\n\n".join(filter(None, (note.about, FOR[route.access]))),
        "security": security(route.access, route.method),
        "x-access": route.access,
    }
    if parameters := _parameters(route, note, schemas):
        found["parameters"] = parameters
    if body := _body(route, note, schemas):
        found["requestBody"] = body
    found["responses"] = _answers(route, note, schemas)
    return found


def _parameters(route: Route, note: Note, schemas: _Schemas) -> list[Json]:
    found: list[Json] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PLACES.get(name, f"The {name.replace('_', ' ')}"),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PART.findall(route.path)
    ]
    kind = route.query or note.query
    if kind is None:
        return found
    fields, required = schemas.fields(kind)
    for name, schema in fields.items():
        plain = _of_query(schema)
        parameter: Json = {"name": name, "in": "query", "required": name in required}
        for key in ("description", "deprecated", "example"):
            if key in plain:
                parameter[key] = plain.pop(key)
        found.append({**parameter, "schema": plain})
    return found


def _of_query(schema: Json) -> Json:
    """Return the schema of a parameter: there is no null in a query, and what is not sent has no value."""
    found = dict(schema)
    kinds = found.pop("anyOf", None)
    if isinstance(kinds, list):
        kept = [each for each in kinds if each != {"type": "null"}]
        found |= kept[0] if len(kept) == 1 else {"anyOf": kept}
    if found.get("default", "") in (None, ""):
        found.pop("default", None)
    return found


def _body(route: Route, note: Note, schemas: _Schemas) -> Json:
    kind = route.body or note.body
    if kind is None:
        return {"content": note.content, "required": True} if note.content else {}
    structs = [each for each in _members(kind) if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    optional = len(structs) == len(_members(kind)) and not any(schemas.fields(each)[1] for each in structs)
    return {"content": {_JSON: {"schema": schemas.of(kind)}}, "required": not optional}


def _answers(route: Route, note: Note, schemas: _Schemas) -> Json:
    found: Json = {}
    kept: Json = {"description": "Success"}
    if route.status == 204:
        kept = {"description": "Done"}
    else:
        kept["content"] = {route.media: _content(route.media, route.answer, schemas)}
    if route.answer is not None or not any(status in note.answers for status in (200, 202)):
        found[str(route.status)] = kept
    for status, told in note.answers.items():
        kind = told.kind or (route.answer if status == route.status else None)
        content = {media: _content(media, kind, schemas) for media in told.media}
        found[str(status)] = {"description": told.about, "content": content} if content else {"description": told.about}
    if route.media == HTML and route.access not in ("public", "own"):
        found["303"] = {"description": "To the log-in"}
    for status in _refusals_of(route):
        found.setdefault(str(status), _refused(status, route))
    return dict(sorted(found.items()))


def _content(media: str, kind: object, schemas: _Schemas) -> Json:
    if kind is not None and media == _JSON:
        return {"schema": schemas.of(kind)}
    return {} if media == _JSON else {"schema": {"type": "string"}}


def _refusals_of(route: Route) -> list[int]:
    changes = route.method not in SAFE
    found = {400, 503, 413, 415} if changes else {400, 503}
    if route.query is not None:
        found.add(414)
    if route.access not in ("public", "own"):
        found |= {401, 403, 404, 409} if changes else {401, 403, 404}
        return sorted(found)
    own = route.access == "own" or (route.path.startswith(_API) and f"{route.method} {route.path}" not in NOTES)
    if "{" in route.path or (own and (changes or route.query is not None)):  # of a site, a token, …
        found |= {401, 404}
    if route.access == "public" or changes:
        found |= {401, 403, 429} if changes else {403, 429}
    return sorted(found)


def _refused(status: int, route: Route) -> Json:
    """Return a refusal; where people look at the answer, it may be a page."""
    name, about, headers = REFUSALS[status]
    if route.media != HTML:
        return {"$ref": f"#/components/responses/{name}"}
    found = _refusal(about, headers)
    return {**found, "content": {_JSON: {"schema": _ERROR}, HTML: {"schema": {"type": "string"}}}}


def _refusal(about: str, headers: Json) -> Json:
    found: Json = {"description": about, "content": {_JSON: {"schema": _ERROR}}}
    return {**found, "headers": headers} if headers else found
