"""/count and /api/v0/count: the formats of GoatCounter's script, of its pixel and of its API.

GoatCounter has one site for each of its own host names, so a hit names none here: it is the one that has the
page's host. The script sends paths only; their host is that of the page that asks.
"""

import msgspec

from visitor_tracker.http.message import Request, Response
from visitor_tracker.http.url import TRACKING_PARAMETERS
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.dialects.fields import (
    HITS_MOST,
    IMAGE,
    JSON,
    PIXEL,
    Fields,
    age_ms,
    first,
    flag,
    form_of,
    list_of,
    nested,
    object_of,
    page_url,
    sender,
    size,
    text,
    whole,
    with_route,
)

_HINT = "send p=/path, and t, r, e, s, q where they are known"
_API_HINT = 'send {"hits": [{"path": "/", "ip": "…", "user_agent": "…"}]}'
_ANSWER = Response(200, PIXEL, IMAGE)
_API_ACCEPTED = Response(202, b"{}", JSON)
_CAMPAIGN = frozenset(name for name in TRACKING_PARAMETERS if not name.endswith("*"))
_CAMPAIGN_BEGINNINGS = tuple(name[:-1] for name in TRACKING_PARAMETERS if name.endswith("*"))


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hit of one call of the script or the pixel."""
    try:
        return [_hit(form_of(request, _HINT), request)]
    except ValueError as error:
        raise unreadable(str(error), _HINT) from error


def write(request: Request, receipt: Receipt) -> Response:
    """200 with an invisible image, whatever became of the hit."""
    return _ANSWER


def read_api(request: Request) -> list[Hit | Malformed]:
    """Return the hits of a batch."""
    found: list[Hit | Malformed] = []
    for each in list_of(object_of(request.body, _API_HINT).get("hits"), "hits", _API_HINT):
        try:
            found.append(_hit(nested(each), request))
        except ValueError as error:
            found.append(Malformed(str(error)))
    return found


def write_api(request: Request, receipt: Receipt) -> Response:
    """202 {}, or 400 {errors: {index: why}}: those are to be sent again when they are right, the others not."""
    errors = {
        str(index): receipt.problems.get(index, reason)
        for index, reason in enumerate(receipt.verdicts)
        if reason is not None and reason != "duplicate"
    }
    return Response(400, msgspec.json.encode({"errors": errors}), JSON) if errors else _API_ACCEPTED


# GET /count is a route of the per-page counter too, whose handler passes on what has p=.
count_pixel = Dialect("GET", "/count", "count a page as GoatCounter's script and pixel do: ?p=", read, write)


def dialects() -> list[Dialect]:
    """Return all but `count_pixel`."""
    one, many = "count a page as GoatCounter's script does", f"count up to {HITS_MOST} pages as GoatCounter's API does"
    return [
        Dialect("GET", "/gc/count", one, read, write),
        Dialect("POST", "/gc/count", one, read, write),
        Dialect("POST", "/count", one, read, write),
        Dialect("POST", "/api/v0/count", many, read_api, write_api, BATCH),
    ]


def _hit(sent: Fields, request: Request) -> Hit:
    """Return a page view or an event; raises ValueError with what to change."""
    path = text(first(sent, "p", "path")).strip()
    if not path:
        raise ValueError("the path is missing")
    is_event = flag(first(sent, "e", "event"))
    query = text(first(sent, "q", "query"))
    session = text(sent.get("session"))
    return Hit(
        "custom" if is_event else "pageview",
        url=_event_page(request) if is_event else _page(path, query, request),
        referrer=text(first(sent, "r", "ref")),
        title=text(first(sent, "t", "title")),
        name=path.lstrip("/") or "(no event name)" if is_event else "",
        visitor=session,
        session=session,
        age_ms=age_ms(sent.get("created_at")),
        screen=_screen(first(sent, "s", "size")),
        automation=whole(first(sent, "b", "bot")) > 0,
        ip=text(sent.get("ip")),
        user_agent=text(sent.get("user_agent")),
    )


def _page(path: str, query: str, request: Request) -> str:
    """Return the page's address; from the query it lacks what tells of campaigns."""
    if not path.lower().startswith(("http://", "https://")):
        path = "/" + path.lstrip("/")
    url = page_url(with_route(path), "", request)
    told = url.partition("?")[2].split("&")
    missing = [piece for piece in query.lstrip("?").split("&") if _is_campaign(piece) and piece not in told]
    return f"{url}{'&' if '?' in url else '?'}{'&'.join(missing)}" if missing else url


def _is_campaign(piece: str) -> bool:
    name = piece.partition("=")[0].lower()
    return name in _CAMPAIGN or name.startswith(_CAMPAIGN_BEGINNINGS)


def _event_page(request: Request) -> str:
    """Return where an event happened: its path is its name, so only the browser tells."""
    return sender(request) or page_url("/", "", request)


def _screen(sent: object) -> str:
    """Return 1920x1080 from "1920,1080,2" or [1920, 1080, 2]."""
    sides = sent if isinstance(sent, list) else text(sent).split(",", 3)
    return size(*sides[:2]) if len(sides) >= 2 else ""
