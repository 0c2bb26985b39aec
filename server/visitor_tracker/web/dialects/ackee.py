"""POST /api: the four mutations that Ackee's tracker sends; its GraphQL is recognised, not run.

A record's id holds what an update needs (site and page), so that nothing is remembered between the two.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from visitor_tracker.http.message import Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect, unreadable
from visitor_tracker.web.dialects.fields import (
    JSON,
    Fields,
    nested,
    number,
    object_of,
    page_url,
    properties,
    sender,
    size,
    text,
    with_route,
)

_HINT = "send one mutation createRecord, updateRecord, createAction or updateAction, its arguments as variables"
_UPDATE_MS = 15_000  # the tracker sends an update so often while the page is seen
_IGNORED = "88888888-8888-8888-8888-888888888888"  # the id of which the tracker sends no updates
_QUERY_MOST = 2048  # characters
_ID_MOST = 8192  # characters

_mutation = re.compile(
    r"mutation(?: \w+)? ?(?:\([^(){}]*\) ?)?\{ ?"
    r"(createRecord|updateRecord|createAction|updateAction) ?\(([^(){}]*)\) ?\{[\w {}]*\} ?\}"
).fullmatch
_arguments = re.compile(r"(\w+) ?: ?\$(\w+)").findall


class _Record(msgspec.Struct, array_like=True, frozen=True):
    """What an id says: of a record its site and page, of an action its event and page."""

    name: str
    url: str


_decode = msgspec.json.Decoder(_Record).decode


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hit of a mutation; Malformed for the update of what this server never gave an id."""
    operation, sent = _operation(request)
    told = nested(sent.get("input"))
    if operation == "createRecord":
        return [_record(text(sent.get("domainId")), told, request)]
    if operation == "createAction":
        return [_action(text(sent.get("eventId")), sender(request), told)]
    known = _known(text(sent.get("id")))
    if known is None:
        return [Malformed("the id is none that this server gave")]
    if operation == "updateRecord":
        return [Hit("engagement", site=known.name, url=known.url, engaged_ms=_UPDATE_MS)]
    hit = _action(known.name, known.url, told)
    hit.properties["updated"] = True
    return [hit]


def write(request: Request, receipt: Receipt) -> Response:
    """200 with what the mutation promises; where nothing was kept, an id that has no updates."""
    operation, sent = _operation(request)
    if operation.startswith("update"):
        return _answer(operation, {"success": True})
    record_id = _IGNORED
    if receipt.first is not None:
        name = text(sent.get("domainId" if operation == "createRecord" else "eventId"))
        record_id = urlsafe_b64encode(msgspec.json.encode(_Record(name, receipt.first.url))).decode()
    return _answer(operation, {"success": True, "payload": {"id": record_id}})


def dialects() -> list[Dialect]:
    return [Dialect("POST", "/api", "store a record or an action as Ackee's tracker sends it", read, write)]


def _operation(request: Request) -> tuple[str, Fields]:
    """Return a mutation's name and its arguments; raises HttpError for any other GraphQL."""
    sent = object_of(request.body, _HINT)
    query = text(sent.get("query"))
    found = _mutation(" ".join(query.split())) if len(query) <= _QUERY_MOST else None
    if found is None:
        raise unreadable("this is none of the mutations that are understood here", _HINT)
    variables = nested(sent.get("variables"))
    return found[1], {name: variables.get(variable) for name, variable in _arguments(found[2])}


def _record(site: str, told: Fields, request: Request) -> Hit:
    page = text(told.get("siteLocation"))
    if not site or not page:
        raise unreadable("domainId or input.siteLocation is missing", _HINT)
    return Hit(
        site=site,
        url=page_url(with_route(page), "", request),
        referrer=text(told.get("siteReferrer")),
        language=text(told.get("siteLanguage")),
        screen=size(told.get("screenWidth"), told.get("screenHeight")),
        viewport=size(told.get("browserWidth"), told.get("browserHeight")),
    )


def _action(event: str, url: str, told: Fields) -> Hit:
    """Return an action of an event; Ackee's events belong to no domain, so its site is that of the page."""
    name = text(told.get("key"))
    if not name:
        raise unreadable("input.key is missing", _HINT)
    details = properties({"event": event, "details": told.get("details")})
    return Hit("custom", url=url, name=name, properties=details, value=number(told.get("value")))


def _known(record_id: str) -> _Record | None:
    """Return what an id of ours says."""
    try:
        return _decode(urlsafe_b64decode(record_id)) if 0 < len(record_id) <= _ID_MOST else None
    except ValueError:
        return None


def _answer(operation: str, payload: dict[str, object]) -> Response:
    return Response(200, msgspec.json.encode({"data": {operation: payload}}), JSON)
