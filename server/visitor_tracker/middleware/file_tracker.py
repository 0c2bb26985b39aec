"""What takes the middleware's events and keeps them in visitors.json: no server, no database."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from visitor_tracker.middleware.tracker import Delivered, Refused, Unavailable
from visitor_tracker.middleware.visitors_json import FileError, PlaceOf, Request, VisitorFile, add_request


class FileTracker:
    """Counts each event in the record of its address; a batch of events is one change of the file."""

    def __init__(self, file: Callable[[], VisitorFile], place_of: PlaceOf) -> None:
        """`file` is asked when events come: before that no folder is made."""
        self._file = file
        self._place_of = place_of

    def send(self, events: bytes) -> Delivered:
        """Keep a JSON array of the middleware's events; raises Unavailable, Refused."""
        try:
            requests = [_request(event) for event in json.loads(events)]
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise Refused(f"these are no events of the middleware: {error}") from error
        try:
            with self._file().changing() as records:
                for request in requests:
                    if request.ip:
                        add_request(records, request, self._place_of)
        except FileError as error:
            raise Unavailable(str(error)) from error
        dropped = [request for request in requests if not request.ip]
        return Delivered(len(requests) - len(dropped), ("no_address",) * len(dropped))


def _request(event: dict[str, Any]) -> Request:
    told = event.get("properties", {})
    return Request(
        str(event.get("ip", "")),
        unquote(urlsplit(str(event["url"])).path, errors="replace") or "/",
        str(told.get("method", "GET")),
        str(event.get("user_agent", "")),
        time.time() - int(event.get("age_ms", 0)) / 1000,
    )
