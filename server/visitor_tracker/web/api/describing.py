"""The description of the API, and the pages that show it."""

from functools import cached_property

import msgspec

from visitor_tracker.http.message import Answer, Headers, Request
from visitor_tracker.web.api_pages import ApiPages
from visitor_tracker.web.assets import Asset, asset_of
from visitor_tracker.web.openapi import document
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route

_HEADERS: Headers = (("X-Content-Type-Options", "nosniff"),)


class Description:
    """`/openapi.json`: made when it is first asked for, and kept."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def _file(self) -> Asset:
        return asset_of("openapi.json", msgspec.json.encode(document(self._parts.all_routes())))

    def openapi(self, request: Request) -> Answer:
        """Answer with the description; browsers ask each time whether theirs still holds."""
        return self._file.answer(request, "no-cache", _HEADERS)


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    description = Description(parts)
    summary = "this description of the API, in OpenAPI 3.1"
    return [
        Route("GET", "/openapi.json", description.openapi, summary, "own"),
        *ApiPages(parts).routes(),
    ]
