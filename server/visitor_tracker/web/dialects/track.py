"""The privacy-focused visitor tracker of old: POST /track and POST /click."""

import re

import msgspec

from visitor_tracker.event import Agent, Channel
from visitor_tracker.http.message import Request, Response
from visitor_tracker.http.url import normalise
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect, unreadable
from visitor_tracker.web.dialects.fields import JSON, Fields, first, object_of, text

_DEFAULT = "default"
_TRACK_HINT = 'send {"path": "/page", "site_id": "default"}, or nothing'
_CLICK_HINT = 'send {"url": "https://…", "site_id": "default"}'
_DEVICES = {"desktop": "Desktop", "mobile": "Mobile", "tablet": "Tablet", "bot": "Bot", "": "Unknown"}
_CATEGORIES: dict[Channel, str] = {
    "direct": "Direct",
    "internal": "Direct",
    "search": "Search Engine",
    "social": "Social Media",
}
_is_web = re.compile(r"https?://", re.IGNORECASE).match
_origin_of = re.compile(r"(https?://[^/?#]+)(?:[/?#]|$)", re.IGNORECASE).match


def read_track(request: Request) -> list[Hit | Malformed]:
    """A pageview of a path, on the page's origin where a browser tells it, else on the site's name.

    A browser sends Origin, and the page's own address as Referer. Without Origin a program hands on the Referer that
    its visitor sent.
    """
    sent = _sent(request)
    site, path = _site(sent), _path(sent)
    origin = _origin(request)
    url = path if _is_web(path) else f"{origin or _stand_in(site)}/{path.removeprefix('/')}"
    referrer = sent.get("referrer")
    return [Hit(site=site, url=url, referrer=text(referrer) if referrer is not None else _handed_on(request, origin))]


def read_click(request: Request) -> list[Hit | Malformed]:
    """A click on an outgoing link, on the page that Referer names."""
    sent = object_of(request.body, _CLICK_HINT)
    target, site = text(sent.get("url")), _site(sent)
    if not target:
        raise unreadable("url is missing", _CLICK_HINT)
    referer = request.headers.get("referer", "")
    page = referer if _origin_of(referer) else f"{_origin(request) or _stand_in(site)}/"
    return [Hit("outbound", site=site, url=page, target=target)]


def write_track(request: Request, receipt: Receipt) -> Response:
    """What was understood of the visitor; `unique` and `unique_today` are null while the store is away."""
    event = receipt.first
    if event is None:
        return _answer({"status": "dropped", "reason": receipt.verdicts[0]})
    ever, today = receipt.first_visit or (None, None)
    body: dict[str, object] = {
        "status": "ok",
        "country": event.place.country,
        "unique": ever,
        "unique_today": today,
        "page": _path(_sent(request)),
        "ua_info": _ua_info(event.agent),
        "referrer": _CATEGORIES.get(event.source.channel, "Other"),
    }
    return _answer(body)


def write_click(request: Request, receipt: Receipt) -> Response:
    """The link, and whether the click is kept."""
    if not receipt.accepted:
        return _answer({"status": "dropped", "reason": receipt.verdicts[0]})
    return _answer({"status": "ok", "url": text(object_of(request.body, _CLICK_HINT).get("url"))})


def dialects() -> list[Dialect]:
    return [
        Dialect("POST", "/track", "store a pageview: {path, site_id}", read_track, write_track, asks_first=True),
        Dialect("POST", "/click", "store a click on a link: {url, site_id}", read_click, write_click),
    ]


def _sent(request: Request) -> Fields:
    return object_of(request.body, _TRACK_HINT) if request.body.strip() else {}


def _path(sent: Fields) -> str:
    return text(first(sent, "path")) or "/"


def _site(sent: Fields) -> str:
    return text(first(sent, "site_id")) or _DEFAULT


def _origin(request: Request) -> str:
    """Return the origin of the page that calls, without a slash; "" where no browser tells it."""
    found = _origin_of(request.headers.get("origin", ""))
    return found[1] if found else ""


def _handed_on(request: Request, origin: str) -> str:
    """Return the Referer, unless it is the page that calls."""
    referer = request.headers.get("referer", "")
    found = _origin_of(referer)
    return "" if found and found[1] == origin else referer


def _stand_in(site: str) -> str:
    """Return an origin for the pages of a site of which only the name is known."""
    origin = f"http://{site}"
    try:
        clean = normalise(origin)
    except ValueError:  # a name that is no host's, such as 42
        return f"http://{_DEFAULT}"
    return origin if clean.lower() == f"{origin}/".lower() else f"http://{_DEFAULT}"


def _ua_info(agent: Agent) -> dict[str, str]:
    return {
        "device": _DEVICES.get(agent.device, "Other"),
        "browser": agent.bot or agent.browser or "Unknown",
        "os": agent.os or "Unknown",
    }


def _answer(body: dict[str, object]) -> Response:
    return Response(200, msgspec.json.encode(body), JSON)
