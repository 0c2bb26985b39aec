"""Website analytics scripts of old: /collect, /api/events (clicks and recordings) and /api/analytics (batches)."""

from typing import Any

import msgspec

from visitor_tracker.event import Kind, Property
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.dialects.own import EVENTS_MOST

_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_HINT_COLLECT = 'send {"type": "pageview", "websiteId": "…", "href": "https://…"}'
_CUSTOM = "custom:"
_KINDS: dict[str, Kind] = {  # of /api/analytics
    "pageview": "pageview",
    "click": "click",
    "scroll": "scroll",
    "form_interaction": "form",
    "error": "error",
    "page_exit": "engagement",
    "identify": "identify",
}
_IGNORED = frozenset({"mousemove", "visibility"})  # say nothing that the others do not


class _Size(msgspec.Struct, gc=False):
    width: float = 0
    height: float = 0


class _Collected(msgspec.Struct, gc=False):
    """The body of POST /collect; unknown fields are ignored."""

    type: str = "pageview"
    websiteId: str = ""
    domain: str = ""
    href: str = ""
    referrer: str | None = None
    viewport: _Size | None = None
    visitorId: str | None = None
    sessionId: str | None = None
    screenWidth: float = 0
    screenHeight: float = 0
    language: str | None = None
    timezone: str | None = None
    title: str | None = None
    name: str | None = None
    id: str | None = None
    userId: str | None = None
    extraData: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None


class _Metadata(msgspec.Struct, gc=False):
    sessionId: str | None = None
    url: str = ""
    screen: Any = None
    timestamp: Any = None
    websiteId: str = ""
    visitorId: str | None = None


class _Recorded(msgspec.Struct, gc=False):
    """The body of POST /api/events; recordings are not stored yet, their place is reserved."""

    metadata: _Metadata
    analytics: list[Any] = []
    replay: list[msgspec.Raw] = []


class _Meta(msgspec.Struct, gc=False):
    language: str | None = None
    screenResolution: str | None = None


class _Batch(msgspec.Struct, gc=False):
    """The body of POST /api/analytics."""

    events: list[Any]
    meta: _Meta = msgspec.field(default_factory=_Meta)
    site_id: str | None = None


_collected = msgspec.json.Decoder(_Collected, strict=False).decode
_recorded = msgspec.json.Decoder(_Recorded, strict=False).decode
_batch = msgspec.json.Decoder(_Batch, strict=False).decode


def read_collect(request: Request) -> list[Hit | Malformed]:
    """POST /collect: one event."""
    try:
        sent = _collected(request.body)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error), _HINT_COLLECT) from error
    more = (sent.extraData or {}) | (sent.data or {}) | (sent.traits or {})
    kind: Kind = sent.type if sent.type in ("pageview", "identify") else "custom"  # type: ignore[assignment]
    name = (
        sent.name
        or _text(more.pop("eventName", ""))
        or ("" if sent.type in ("pageview", "custom", "identify") else sent.type)
    )
    person = sent.userId or _text(more.pop("user_id", "")) if kind == "identify" else ""
    return [
        Hit(
            kind,
            site=sent.websiteId or sent.domain,
            url=sent.href or request.headers.get("referer", ""),
            referrer=sent.referrer or "",
            title=sent.title or "",
            name="" if kind == "identify" else name,
            properties=plain(more),
            visitor=sent.visitorId or "",
            session=sent.sessionId or "",
            person=person or (_text(sent.id) if kind == "identify" else ""),
            language=sent.language or "",
            timezone=sent.timezone or "",
            screen=_size(sent.screenWidth, sent.screenHeight),
            viewport=_size(sent.viewport.width, sent.viewport.height) if sent.viewport else "",
        )
    ]


def read_events(request: Request) -> list[Hit | Malformed]:
    """POST /api/events: clicks of one page."""
    try:
        sent = _recorded(request.body)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error), 'send {"metadata": {"url": …}, "analytics": [{"type": "click", …}]}') from error
    about = sent.metadata
    url = about.url or request.headers.get("referer", "")
    found: list[Hit | Malformed] = []
    for click in sent.analytics[:EVENTS_MOST]:
        if not isinstance(click, dict):
            found.append(Malformed("an event of analytics is no object"))
            continue
        kind = _KINDS.get(_text(click.get("type")), "custom")
        found.append(
            Hit(
                kind,
                site=about.websiteId,
                url=url,
                name=_text(click.get("text")) or _text(click.get("id")) or _text(click.get("tag")),
                target=_text(click.get("href")),
                properties=plain(
                    {key: value for key, value in click.items() if key not in ("type", "text", "href", "timestamp")}
                ),
                visitor=about.visitorId or "",
                session=about.sessionId or "",
                age_ms=_age(about.timestamp, click.get("timestamp")),
                screen=about.screen if isinstance(about.screen, str) else "",
            )
        )
    return found or [Malformed("there is nothing in analytics")]


def read_analytics(request: Request) -> list[Hit | Malformed]:
    """POST /api/analytics: events of several pages."""
    try:
        sent = _batch(request.body)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error), 'send {"events": [{"type": "pageview", "url": …}], "site_id": "…"}') from error
    site = sent.site_id or request.headers.get("x-site-id", "")
    return [
        _analytics_hit(event, site, sent.meta, request) for event in sent.events[:EVENTS_MOST] if not _is_ignored(event)
    ]


def _is_ignored(event: Any) -> bool:  # noqa: ANN401  # JSON as it comes
    return isinstance(event, dict) and event.get("type") in _IGNORED


def _analytics_hit(event: Any, site: str, meta: _Meta, request: Request) -> Hit | Malformed:  # noqa: ANN401
    if not isinstance(event, dict):
        return Malformed("an event is no object")
    sent_type = _text(event.get("type"))
    nested = event.get("data")
    more: dict[str, Any] = {**event, **nested} if isinstance(nested, dict) else dict(event)
    kind = _KINDS.get(sent_type, "custom")
    name = sent_type.removeprefix(_CUSTOM) if kind == "custom" else _text(more.get("name")) or _text(more.get("text"))
    known = ("type", "data", "url", "href", "referrer", "title", "sessionId", "session_id", "userId", "timestamp")
    return Hit(
        kind,
        site=site,
        url=_text(more.get("url")) or _text(more.get("href")) or request.headers.get("referer", ""),
        referrer=_text(more.get("referrer")),
        title=_text(more.get("title")),
        name=_text(more.get("message")) if kind == "error" else name,
        properties=plain({key: value for key, value in more.items() if key not in known}),
        session=_text(more.get("sessionId")) or _text(more.get("session_id")),
        person=_text(more.get("userId")) if kind == "identify" else "",
        language=meta.language or "",
        screen=meta.screenResolution or "",
        engaged_ms=_whole(more.get("engagementTime")),
        scroll=_whole(more.get("scrollDepth")),
    )


def write(request: Request, receipt: Receipt) -> Response:
    """200 {"status": "ok"} with what was accepted."""
    dropped = len(receipt.verdicts) - receipt.accepted
    body = {"status": "ok", "success": True, "accepted": receipt.accepted, "dropped": dropped}
    return Response(200, msgspec.json.encode(body), _JSON)


def dialects() -> list[Dialect]:
    return [
        Dialect("POST", "/collect", "store an event of the website-analytics script", read_collect, write),
        Dialect("POST", "/api/events", "store clicks of the website-analytics script", read_events, write, BATCH),
        Dialect(
            "POST", "/api/analytics", "store a batch of the website-analytics script", read_analytics, write, BATCH
        ),
    ]


def plain(fields: dict[str, Any]) -> dict[str, Property]:
    """Return what can be a property: texts, numbers and booleans."""
    return {str(key): value for key, value in fields.items() if isinstance(value, (str, int, float, bool))}


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _whole(value: Any) -> int:  # noqa: ANN401
    """Return a number without its fraction, 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
        return 0
    return int(value)


def _size(width: float, height: float) -> str:
    return f"{_whole(width)}x{_whole(height)}" if width > 0 and height > 0 else ""


def _age(sent_at: Any, happened_at: Any) -> int:  # noqa: ANN401
    """Return the ms between two times of one clock, the client's; so that clock may be wrong."""
    return max(0, _whole(sent_at) - _whole(happened_at)) if _whole(sent_at) and _whole(happened_at) else 0
