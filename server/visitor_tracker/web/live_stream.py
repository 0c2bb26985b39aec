"""GET /api/v1/live/stream: the live view of a site as server-sent events (WHATWG HTML, 9.2)."""

import random

from visitor_tracker.http.message import Answer, Headers, Request, Stream
from visitor_tracker.reports.live import LiveView
from visitor_tracker.web.feeder import Feeder
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of
from visitor_tracker.web.visitors import LiveQuery

MEDIA = "text/event-stream"

_HEADERS: Headers = (
    ("Content-Type", MEDIA),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),  # nginx would gather what comes
    ("X-Content-Type-Options", "nosniff"),
)
_RETRY_MS = (2_000, 5_000)  # a server that starts again is not to meet all browsers at once


class LiveStreamRoutes:
    def __init__(self, parts: Parts, live: LiveView) -> None:
        self._snapshot = parts.snapshot
        self._feeder = Feeder(parts, live)

    def routes(self) -> list[Route]:
        says = "the same whenever it changes, as server-sent events"
        return [Route("GET", "/api/v1/live/stream", self._stream, says, "visitors", query=LiveQuery, media=MEDIA)]

    def _stream(self, request: Request) -> Answer:
        """Follow a site: events `live`, `away` while its database cannot be read, and a comment when all is quiet."""
        asked = question_of(request, LiveQuery)
        site = asked.among(visible(self._snapshot(), request))
        if request.method == "HEAD":
            return Stream(_HEADERS, b"", _nothing)
        first = b"retry: %d\n" % random.randint(*_RETRY_MS)  # no secret
        return self._feeder.open(request, site, asked.feed, _HEADERS, first)


def _nothing() -> None:
    """Nobody follows."""
