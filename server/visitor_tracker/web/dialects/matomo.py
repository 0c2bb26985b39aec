"""/matomo.php and /piwik.php: Matomo's tracking HTTP API, one request or many in one.

A request is a page view unless it says otherwise: ping, event, outbound link, download, search, goal, content,
crash. What Matomo works out by itself and the timings of pages (pf_*) are not read.
"""

import re
from collections.abc import Callable

import msgspec

from visitor_tracker.event import Property
from visitor_tracker.http.message import Request, Response
from visitor_tracker.http.url import parse_query
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
    form_of,
    list_of,
    nested,
    number,
    object_of,
    page_url,
    properties,
    sender,
    text,
    whole,
    with_route,
)

_HINT = "send idsite, rec=1 and url"
_BULK_HINT = 'send {"requests": ["?idsite=1&rec=1&url=…"]}'
_PING_MS = 15_000  # between two signs of life, unless a page changed that, of which it tells nothing
_AGE_MOST = 10_000_000  # seconds: far beyond what is taken
_PICTURE = Response(200, PIXEL, IMAGE)
_SILENT = Response(204)
_SWITCH = b"send_image"
_silent_query = re.compile(r"(?:^|&)send_image=0(?:&|$)").search
_silent_body = re.compile(rb"(?:^|&)send_image=0(?:&|$)").search
_TOKEN = b"token_auth"


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hit of a request, or those of a bulk request."""
    if _is_bulk(request):
        return _read_bulk(request)
    try:
        return [_hit(form_of(request, _HINT), request)]
    except ValueError as error:
        raise unreadable(str(error), _HINT) from error


def write(request: Request, receipt: Receipt) -> Response:
    """200 with an image, 204 for send_image=0, 200 {status, tracked, invalid} for many."""
    if _wants_silence(request):
        return _SILENT
    if not _is_bulk(request):
        return _PICTURE
    invalid = [index for index, reason in enumerate(receipt.verdicts) if reason is not None]
    answer: dict[str, object] = {"status": "success", "tracked": receipt.accepted, "invalid": len(invalid)}
    if invalid:
        answer["invalid_indices"] = invalid
    return Response(200, msgspec.json.encode(answer), JSON)


def token(request: Request) -> str:
    """Return token_auth, wherever it stands, else ""."""
    if _TOKEN not in request.body and _TOKEN.decode() not in request.query:
        return ""
    if not _is_bulk(request):
        return text(form_of(request, _HINT).get("token_auth"))
    sent = object_of(request.body, _BULK_HINT)
    for each in (sent, *list_of(sent.get("requests"), "requests", _BULK_HINT)):
        try:
            found = text(_fields(each).get("token_auth"))
        except ValueError:
            continue
        if found:
            return found
    return ""


def dialects() -> list[Dialect]:
    one = f"store an event as Matomo's trackers send it, or up to {HITS_MOST} as {{requests: […]}}"
    return [
        Dialect(method, path, one, read, write, BATCH if method == "POST" else 0, token=token)
        for path in ("/matomo.php", "/piwik.php")
        for method in ("GET", "POST")
    ]


def _is_bulk(request: Request) -> bool:
    return b'"requests"' in request.body and request.body[:64].lstrip()[:1] == b"{"


def _wants_silence(request: Request) -> bool:
    if _is_bulk(request):
        return _SWITCH in request.body and text(object_of(request.body, _BULK_HINT).get("send_image")) == "0"
    return bool(_silent_query(request.query) or _silent_body(request.body))


def _read_bulk(request: Request) -> list[Hit | Malformed]:
    found: list[Hit | Malformed] = []
    sent = object_of(request.body, _BULK_HINT)
    for each in list_of(sent.get("requests"), "requests", _BULK_HINT):
        try:
            found.append(_hit(_fields(each), request))
        except ValueError as error:
            found.append(Malformed(str(error)))
    return found


def _fields(sent: object) -> Fields:
    """Return the fields of a part of a bulk request: an object, or a query with or without an address before it."""
    if isinstance(sent, str):
        return dict(parse_query(sent.partition("?")[2] or sent))
    return nested(sent)


def _hit(sent: Fields, request: Request) -> Hit:
    """Return what one request says; raises ValueError with what to change."""
    site, url = text(sent.get("idsite")), text(sent.get("url"))
    if text(sent.get("rec")) != "1" or not site:
        raise ValueError("idsite or rec=1 is missing")
    hit = Hit(
        site=site,
        url=page_url(with_route(url), "", request) if url else sender(request),
        referrer=text(sent.get("urlref")),
        title=text(sent.get("action_name")),
        properties=_custom(sent),
        visitor=text(first(sent, "cid", "_id")),
        person=text(sent.get("uid")),
        age_ms=age_ms(sent.get("cdt")) + whole(sent.get("cdo"), _AGE_MOST) * 1000,
        language=text(sent.get("lang")),
        screen=text(sent.get("res")),
        ip=text(sent.get("cip")),
        user_agent=text(sent.get("ua")),
    )
    for name, act in _ACTS:
        if text(sent.get(name)) not in ("", "0") or (name == "idgoal" and text(sent.get(name))):
            act(hit, sent)
            break
    return hit


def _custom(sent: Fields) -> dict[str, Property]:
    """Return custom dimensions by their names, and custom variables ({"1": ["name", "value"]}) by the page's."""
    told = {name: value for name, value in sent.items() if name.startswith("dimension")}
    for scope in ("_cvar", "cvar"):
        for pair in nested(sent.get(scope)).values():
            if isinstance(pair, list) and len(pair) == 2:
                told[text(pair[0])] = pair[1]
    told.pop("", None)
    return properties(told)


def _ping(hit: Hit, sent: Fields) -> None:
    hit.kind, hit.engaged_ms = "engagement", _PING_MS


def _event(hit: Hit, sent: Fields) -> None:
    hit.kind = "custom"
    hit.name = ": ".join(filter(None, (text(sent.get("e_c")), text(sent.get("e_a")))))
    hit.value = number(sent.get("e_v"))
    hit.properties = properties({"name": sent.get("e_n"), "value": hit.value or None} | hit.properties)


def _outbound(hit: Hit, sent: Fields) -> None:
    hit.kind, hit.target = "outbound", text(sent.get("link"))


def _download(hit: Hit, sent: Fields) -> None:
    hit.kind, hit.target = "download", text(sent.get("download"))


def _search(hit: Hit, sent: Fields) -> None:
    told = {"keyword": sent.get("search"), "category": sent.get("search_cat"), "count": sent.get("search_count")}
    hit.kind, hit.name, hit.properties = "custom", "Site search", properties(told | hit.properties)


def _goal(hit: Hit, sent: Fields) -> None:
    """Read the goal of a number; that of number 0 is an order, or a cart as long as it has no order's id."""
    goal, order = text(sent.get("idgoal")), sent.get("ec_id")
    hit.kind, hit.value = "custom", number(sent.get("revenue"))
    hit.name = f"Goal {goal}" if goal != "0" else "Ecommerce order" if order else "Ecommerce cart"
    hit.properties = properties({"order": order} | hit.properties)


def _content(hit: Hit, sent: Fields) -> None:
    done = text(sent.get("c_i"))
    hit.kind, hit.name, hit.interactive = "custom", "Content interaction" if done else "Content impression", bool(done)
    hit.target = text(sent.get("c_t"))
    told = {"content": sent.get("c_n"), "piece": sent.get("c_p"), "interaction": done}
    hit.properties = properties(told | hit.properties)


def _crash(hit: Hit, sent: Fields) -> None:
    hit.kind, hit.name, hit.target, hit.interactive = "error", text(sent.get("cra")), text(sent.get("cra_ru")), False
    told = {"type": sent.get("cra_tp"), "line": sent.get("cra_rl"), "column": sent.get("cra_rc")}
    hit.properties = properties(told | hit.properties)


def _other(hit: Hit, sent: Fields) -> None:
    """Read what a plug-in of theirs sends: no page view, and more is not known."""
    hit.kind, hit.name, hit.interactive = "custom", hit.title or "Custom action", False


# The first of these fields that a request has says what it is.
_ACTS: tuple[tuple[str, Callable[[Hit, Fields], None]], ...] = (
    ("ping", _ping),
    ("e_c", _event),
    ("link", _outbound),
    ("download", _download),
    ("search", _search),
    ("idgoal", _goal),
    ("c_n", _content),
    ("cra", _crash),
    ("ca", _other),
)
