"""The privacy-focused visitor tracker of old: POST /track and POST /click."""

from urllib.parse import urlsplit

import msgspec

from visitor_tracker.event import Agent, Channel
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect, unreadable

_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_DEVICES = {"desktop": "Desktop", "mobile": "Mobile", "tablet": "Tablet", "bot": "Bot", "": "Unknown"}
_CATEGORIES: dict[Channel, str] = {
    "direct": "Direct",
    "internal": "Direct",
    "search": "Search Engine",
    "social": "Social Media",
}


class _Track(msgspec.Struct, gc=False):
    path: str = "/"
    site_id: str = "default"
    referrer: str | None = None


class _Click(msgspec.Struct, gc=False):
    url: str
    site_id: str = "default"


_read_track = msgspec.json.Decoder(_Track).decode
_read_click = msgspec.json.Decoder(_Click).decode


def read_track(request: Request) -> list[Hit | Malformed]:
    """A pageview of a path; the page's origin is that of Origin or Referer, or the site's name stands for it."""
    try:
        sent = _read_track(request.body) if request.body.strip() else _Track()
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error), 'send {"path": "/page", "site_id": "default"}, or nothing') from error
    referer = request.headers.get("referer", "")
    url = sent.path
    if not url.startswith(("http://", "https://")):
        url = f"{_origin(request, sent.site_id)}/{url.removeprefix('/')}"
    # A page calls /track by fetch, so that Referer names the page itself; a program hands on the visitor's own.
    referrer = sent.referrer if sent.referrer is not None else referer
    return [Hit(site=sent.site_id, url=url, referrer=referrer)]


def read_click(request: Request) -> list[Hit | Malformed]:
    """A click on an outgoing link, on the page that Referer names."""
    try:
        sent = _read_click(request.body)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error), 'send {"url": "https://…", "site_id": "default"}') from error
    page = request.headers.get("referer", "") or _origin(request, sent.site_id) + "/"
    return [Hit("outbound", site=sent.site_id, url=page, target=sent.url)]


def write_track(request: Request, receipt: Receipt) -> Response:
    """What was understood of the visitor; `unique` and `unique_today` are null while the store is away."""
    first = receipt.first_visit
    sent = _read_track(request.body) if request.body.strip() else _Track()
    body: dict[str, object] = {"status": "ok" if receipt.accepted else "dropped"}
    event = receipt.first
    if event is not None:
        body |= {
            "country": event.place.country,
            "unique": None if first is None else first[0],
            "unique_today": None if first is None else first[1],
            "page": sent.path,
            "ua_info": _ua_info(event.agent),
            "referrer": _CATEGORIES.get(event.source.channel, "Other"),
        }
    else:
        body["reason"] = receipt.verdicts[0]
    return Response(200, msgspec.json.encode(body), _JSON)


def write_click(request: Request, receipt: Receipt) -> Response:
    status = "ok" if receipt.accepted else "dropped"
    body: dict[str, object] = {"status": status, "url": _read_click(request.body).url}
    return Response(200, msgspec.json.encode(body), _JSON)


def dialects() -> list[Dialect]:
    return [
        Dialect("POST", "/track", "store a pageview: {path, site_id}", read_track, write_track, asks_first=True),
        Dialect("POST", "/click", "store a click on a link: {url, site_id}", read_click, write_click),
    ]


def _origin(request: Request, site: str) -> str:
    """Return the origin of the page that calls, without a slash."""
    for name in ("origin", "referer"):
        try:
            parts = urlsplit(request.headers.get(name, ""))
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc:
            return f"{parts.scheme}://{parts.netloc}"
    return f"http://{site}"


def _ua_info(agent: Agent) -> dict[str, str]:
    return {
        "device": _DEVICES.get(agent.device, "Other"),
        "browser": agent.bot or agent.browser or "Unknown",
        "os": agent.os or "Unknown",
    }
