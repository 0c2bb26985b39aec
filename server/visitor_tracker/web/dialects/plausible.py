"""POST /api/event: the format of Plausible's trackers and of its events API."""

from visitor_tracker.event import Kind
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect, unreadable
from visitor_tracker.web.dialects.fields import (
    Fields,
    first,
    flag,
    nested,
    number,
    object_of,
    page_url,
    properties,
    text,
    whole,
    with_route,
)

DOMAINS_MOST = 20  # sites that one event may be for
_HINT = 'send {"n": "pageview", "u": "https://…", "d": "example.com"}'
_SCROLL_UNKNOWN = 255
_TEXT: Headers = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
_ACCEPTED = Response(202, b"ok", _TEXT)
_DROPPED = Response(202, b"ok", (*_TEXT, ("X-Plausible-Dropped", "1")))
_KINDS: dict[str, Kind] = {
    "pageview": "pageview",
    "engagement": "engagement",
    "pageleave": "engagement",  # its name in scripts of 2024
    "Outbound Link: Click": "outbound",
    "Cloaked Link: Click": "outbound",
    "File Download": "download",
    "Form: Submission": "form",
}
_TARGETS = {"outbound": "url", "download": "url", "form": "path"}  # the property that says where it leads


def read(request: Request) -> list[Hit | Malformed]:
    """Return a hit for each of the sites that an event names."""
    sent = object_of(request.body, _HINT)
    name, url = text(first(sent, "n", "name")), text(first(sent, "u", "url"))
    if not name or not url:
        raise unreadable("the event's name or URL is missing", _HINT)
    if flag(first(sent, "h", "hashMode")):
        url = with_route(url, always=True)
    return [_hit(sent, name, page_url(url, domain, request), domain) for domain in _domains(sent)]


def write(request: Request, receipt: Receipt) -> Response:
    """202 ok; a header says when nothing was kept."""
    return _ACCEPTED if receipt.first is not None else _DROPPED


def dialects() -> list[Dialect]:
    return [Dialect("POST", "/api/event", "store an event as Plausible's trackers send it", read, write)]


def _domains(sent: Fields) -> list[str]:
    """Return the names of the sites, "" for the one that has the URL's host."""
    names = [name.strip().removeprefix("www.") for name in text(first(sent, "d", "domain")).split(",", DOMAINS_MOST)]
    if len(names) > DOMAINS_MOST:
        raise unreadable(f"the event names more than {DOMAINS_MOST} domains", "send it once for each group of them")
    return list(dict.fromkeys(filter(None, names))) or [""]


def _hit(sent: Fields, name: str, url: str, site: str) -> Hit:
    kind = _KINDS.get(name, "custom")
    told = properties(nested(first(sent, "m", "meta", "p", "props")))
    target = text(told.pop(_TARGETS[kind], "")) if kind in _TARGETS else ""
    revenue = nested(first(sent, "$", "revenue"))
    scroll = whole(sent.get("sd"))
    return Hit(
        kind,
        site=site,
        url=url,
        referrer=text(first(sent, "r", "referrer")),
        name=name if kind == "custom" else "",
        target=target,
        properties=told,
        engaged_ms=whole(sent.get("e")) if kind == "engagement" else 0,
        scroll=0 if scroll == _SCROLL_UNKNOWN or kind != "engagement" else min(scroll, 100),
        value=number(revenue.get("amount")),
        currency=text(revenue.get("currency")).upper(),
        interactive=first(sent, "i", "interactive") not in (False, "false", 0),
    )
