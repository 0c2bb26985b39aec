"""Fields as strangers send them, of any type, size and spelling, and the values that can be made of them."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite

import msgspec

from visitor_tracker.event import Property
from visitor_tracker.http.message import Headers, Request
from visitor_tracker.http.url import parse_query
from visitor_tracker.ingest.hit import PROPERTIES_MOST
from visitor_tracker.web.dialect import unreadable

Fields = Mapping[str, object]  # a JSON object, a query or a form

HITS_MOST = 1_000  # in one request
# A transparent GIF of one pixel: screen, two colours, "the first is transparent", the picture.
PIXEL = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + b"!\xf9\4\1\0\0\0\0" + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
IMAGE: Headers = (("Content-Type", "image/gif"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))

_NUMBER_MOST = 1 << 53  # what JSON numbers hold exactly
_DEPTH_MOST = 3  # of objects in properties
_MS_FROM = 1e11  # a time above it is in milliseconds: in seconds it would be the year 5138
_NUMBER_CHARACTERS = 32

_is_web = re.compile(r"https?://", re.IGNORECASE).match
_app = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.IGNORECASE).match  # app://localhost/page
_is_no_page = re.compile(r"(?:about|blob|data|file|javascript|mailto):", re.IGNORECASE).match
_is_bare_host = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*").fullmatch
_is_host = re.compile(r"(?:[^\s/?#@\\:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch
_origin = re.compile(
    r"https?://(([^\s/?#@\\:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(?=[/?#]|$)", re.IGNORECASE
).match


def json_of(body: bytes, hint: str) -> object:
    """Return what a JSON body says; raises HttpError where it says nothing."""
    try:
        found: object = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:  # no JSON, not UTF-8, or too deep
        raise unreadable(f"the body is not JSON: {error}", hint) from error
    return found


def object_of(body: bytes, hint: str) -> Fields:
    """Return the object that a JSON body is; raises HttpError where it is none."""
    found = json_of(body, hint)
    if not isinstance(found, dict):
        raise unreadable("the body is not a JSON object", hint)
    return found


def list_of(value: object, what: str, hint: str) -> list[object]:
    """Return the parts of a batch; raises HttpError where it is none, or too long."""
    if not isinstance(value, list) or not value:
        raise unreadable(f"{what} is not an array with something in it", hint)
    if len(value) > HITS_MOST:
        raise unreadable(f"more than {HITS_MOST} events in one request", "send them in several")
    return value


def form_of(request: Request, hint: str) -> Fields:
    """Return the fields of the query and of the body, which may be a form or a JSON object; the query wins."""
    try:
        fields: dict[str, object] = dict(parse_query(request.query))
        if request.body and not _is_object(request.body):
            fields = dict(parse_query(request.body.decode())) | fields
    except ValueError as error:
        raise unreadable(str(error), hint) from error
    return {**object_of(request.body, hint), **fields} if _is_object(request.body) else fields


def _is_object(body: bytes) -> bool:
    return body[:1] == b"{" or body[:64].lstrip()[:1] == b"{"


def first(fields: Fields, *names: str) -> object:
    """Return the first of these fields that is there and not empty, else None."""
    for name in names:
        value = fields.get(name)
        if value is not None and value != "":
            return value
    return None


def text(value: object) -> str:
    """Return a text, or a number as text; "" for what is neither."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_NUMBER_MOST <= value <= _NUMBER_MOST:
        return ""
    return str(int(value)) if value == int(value) else str(value)


def number(value: object) -> float:
    """Return a finite number, also one sent as text; 0.0 for what is none."""
    if isinstance(value, str) and len(value) > _NUMBER_CHARACTERS:
        return 0.0
    try:
        found = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return found if isfinite(found) else 0.0


def whole(value: object, most: int = _NUMBER_MOST) -> int:
    """Return a whole number from 0 to `most`."""
    return int(min(max(number(value), 0), most))


def flag(value: object) -> bool:
    """Say whether a switch is on, however it was written."""
    return value is True or text(value).lower() in ("1", "true", "on")


def nested(value: object) -> Fields:
    """Return an object, also one that was sent as JSON text; an empty one for anything else."""
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def properties(sent: Fields) -> dict[str, Property]:
    """Return an object's values that can be kept: objects inside are a.b, arrays texts with commas."""
    kept: dict[str, Property] = {}
    _keep(kept, sent, "", _DEPTH_MOST)
    return kept


def _keep(kept: dict[str, Property], sent: Fields, prefix: str, depth: int) -> None:
    for name, value in sent.items():
        if len(kept) >= PROPERTIES_MOST:
            return
        if isinstance(value, dict):
            if depth > 1:
                _keep(kept, value, f"{prefix}{name}.", depth - 1)
        elif (simple := _simple(value)) is not None:
            kept[prefix + name] = simple


def _simple(value: object) -> Property | None:
    """Return what a property can be; None for nothing, empty texts too."""
    if isinstance(value, list):
        value = ", ".join(filter(None, map(text, value[:PROPERTIES_MOST])))
    if isinstance(value, str):
        return value or None
    return value if isinstance(value, int | float) and -_NUMBER_MOST <= value <= _NUMBER_MOST else None


def size(width: object, height: object) -> str:
    """Return 1920x1080, "" where a side is missing."""
    wide, high = whole(width, 99_999), whole(height, 99_999)
    return f"{wide}x{high}" if wide and high else ""


def age_ms(moment: object) -> int:
    """Return how long ago a moment was: epoch seconds or milliseconds, or a date as text (UTC); 0 for none."""
    at = epoch_ms(moment)
    return 0 if at is None else max(0, int(now_ms() - at))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def epoch_ms(moment: object) -> float | None:
    """Return a moment (epoch seconds or milliseconds, or a date as text, UTC) in ms, None for no such thing."""
    found = number(moment)
    if found > 0:
        return found if found > _MS_FROM else found * 1000
    if not isinstance(moment, str) or len(moment) < len("2026-11-22"):
        return None
    try:
        when = datetime.fromisoformat(moment[:40])
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None


def page_url(url: str, host: str, request: Request) -> str:
    """Return a page's whole address; `host` (host[:port]) is its host where `url` has none.

    Without either it is that of the page that sends, or the name this server was called by. What is no page's
    address is returned as it is, for the pipeline to refuse.
    """
    url = url.strip()
    if _is_web(url):
        return url
    app = _app(url)
    if app:
        url = url[app.end() :]
    elif _is_no_page(url):
        return url
    elif url.startswith("//"):
        return f"https:{url}"
    origin = _origin_for(host.strip(), request)
    if not origin:
        return url
    return origin + url if url.startswith("/") else f"{origin}/{url}"


def sender(request: Request) -> str:
    """Return the page that sends, as far as its browser tells, else ""."""
    for name in ("referer", "origin"):
        sent = request.headers.get(name, "")
        if _origin(sent):
            return sent
    return ""


def _origin_for(host: str, request: Request) -> str:
    """Return scheme and host: the sender's where that is the host, for only it knows scheme and port."""
    if host and not _is_host(host):
        return ""
    for name in ("origin", "referer"):
        sent = _origin(request.headers.get(name, ""))
        if sent and (not host or host.lower() in (sent[1].lower(), sent[2].lower())):
            return sent[0]
    if not host:
        own = _origin(f"https://{request.headers.get('host', '')}")
        host = own[2] if own else ""
    return f"https://{host}" if host else ""


def with_route(url: str, *, always: bool = False) -> str:
    """Return the address with its fragment as part of the path where that names a page, as in /#/about.

    `always`: every fragment does.
    """
    page, _, fragment = url.partition("#")
    if not fragment or not (always or fragment.startswith(("/", "!/"))):
        return page
    path, mark, query = page.partition("?")
    slash = "/" if _is_bare_host(path) else ""
    return f"{path}{slash}%23{fragment.replace('#', '%23').replace('?', '%3F')}{mark}{query}"
