"""What readers ask for in a query: fields, sites by name, numbers within bounds; and answers in JSON."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.http.url import parse_query
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.apart import away
from visitor_tracker.store.session import Database

JSON: Headers = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
_DIGITS_MOST = 9  # of a number

LeftOut = tuple[str, ...]
Q = TypeVar("Q")


def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a query; raises HttpError 400 where it cannot be read."""
    try:
        return parse_query(request.query)
    except ValueError as error:
        raise HttpError(400, "invalid_query", str(error)) from error


def sites_asked_for(fields: dict[str, str], snapshot: Snapshot) -> tuple[Site, ...]:
    """Return the site that is named, else all of them."""
    name = fields.get("site_id") or fields.get("site")
    return (site_named(name, snapshot),) if name else snapshot.sites


def site_named(name: str, snapshot: Snapshot) -> Site:
    """Return the site of that name or alias; raises HttpError 404 where there is none."""
    site = snapshot.by_name.get(name)
    if site is None:
        raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows their names")
    return site


def number(fields: dict[str, str], name: str, default: int, most: int, least: int = 1) -> int:
    """Return a number within bounds; raises HttpError 400 for anything else."""
    text = fields.get(name, str(default))
    if not (len(text) <= _DIGITS_MOST and text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise HttpError(400, f"invalid_{name}", f"{name} cannot be that", f"use {name}={least} to {name}={most}")
    return int(text)


def answer(value: object, left_out: LeftOut = ()) -> Response:
    """Answer; `left_out` are the sites of which nothing is in it, because their own database is away."""
    headers = (*JSON, ("X-Left-Out", ", ".join(left_out))) if left_out else JSON
    return Response(200, msgspec.json.encode(value), headers)


def that_answer(database: Database, sites: Sequence[Site]) -> tuple[Sequence[Site], LeftOut]:
    """Return the sites whose database answers, and the names of the others; who asks for one site learns it is away."""
    gone = away(database, (site.id for site in sites)) if len(sites) > 1 else ()
    if not gone:
        return sites, ()
    return [site for site in sites if site.id not in gone], tuple(site.name for site in sites if site.id in gone)


def query_as(request: Request, kind: type[Q]) -> Q:
    """Return the query as that struct; texts become its numbers and truths. Raises HttpError 400.

    Give the struct `forbid_unknown_fields=True`: a parameter that nobody reads is a mistake.
    """
    try:
        return msgspec.convert(fields_of(request), kind, strict=False)
    except msgspec.ValidationError as error:
        raise HttpError(400, "invalid_query", _explained(str(error)), _fields_of_kind(kind)) from error


def body_as(request: Request, kind: type[Q]) -> Q:
    """Return the body, JSON, as that type; raises HttpError 400."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, "invalid_body", _explained(str(error)), _fields_of_kind(kind)) from error


def _explained(message: str) -> str:
    """Return a message of msgspec with the name of the part where it has the path to it."""
    return message.replace("`$.", "`").replace(" - at `$`", "")


def _fields_of_kind(kind: type) -> str:
    fields = getattr(kind, "__struct_encode_fields__", ())
    return f"use {', '.join(fields)}" if fields else "see /docs"
