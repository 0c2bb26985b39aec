"""GET /e?e=JSON: one event of the tracker script, from a page that may load nothing but images; the image says that
it is durable.
"""

from urllib.parse import unquote_plus

import msgspec

from visitor_tracker.http.message import Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect, unreadable
from visitor_tracker.web.dialects import own
from visitor_tracker.web.dialects.fields import IMAGE, PIXEL

_HINT = 'ask for /e?e= with an event as JSON, such as {"type": "pageview", "url": "https://…"}'


def read_image(request: Request) -> list[Hit | Malformed]:
    """GET /e?e=: one event in the address."""
    field, _, text = request.query.partition("=")
    if field != "e":
        raise unreadable("the address has no event", _HINT)
    try:
        body = unquote_plus(text, errors="strict").encode()
    except ValueError as error:
        raise unreadable(f"the event is not UTF-8: {error}", _HINT) from error
    return own.read(msgspec.structs.replace(request, body=body))


def write_image(request: Request, receipt: Receipt) -> Response:
    """200 with the image; 400 where the event could not be read, so that a page sees no success."""
    if receipt.problems:
        return own.write(request, receipt)
    return Response(200, PIXEL, IMAGE)


def dialects() -> list[Dialect]:
    summary = "store one event of the tracker script, answered with an image"
    return [Dialect("GET", "/e", summary, read_image, write_image)]
