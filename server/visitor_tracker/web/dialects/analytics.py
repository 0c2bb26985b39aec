"""Website analytics scripts of old: /collect, /api/events (clicks and recordings) and /api/analytics (batches).

Clicks and recordings of /api/events name no website: they belong to the one that has the page's host, or that the
same browser session named at /collect. Recordings are read apart (`read_replay`): to store them takes a thread that
may wait.
"""

import threading

import msgspec

from visitor_tracker.event import Kind
from visitor_tracker.http.message import Request, Response
from visitor_tracker.ingest.hit import AGE_MOST_MS, Hit, Malformed, Receipt
from visitor_tracker.ingest.recording import EVENTS_MOST, OBJECTS_MOST, SESSION_MOST, Recording, has_many_objects
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.dialects.fields import (
    HITS_MOST,
    JSON,
    Fields,
    epoch_ms,
    first,
    nested,
    object_of,
    properties,
    size,
    text,
    whole,
)

EVENTS_PATH = "/api/events"
_COLLECT_HINT = 'send {"type": "pageview", "websiteId": "…", "href": "https://…"}'
_EVENTS_HINT = 'send {"metadata": {"url": "https://…"}, "analytics": [{"type": "click", …}]}'
_BATCH_HINT = 'send {"events": [{"type": "pageview", "url": "https://…"}], "site_id": "…"}'
_CUSTOM = "custom:"
_KINDS: dict[str, Kind] = {
    "pageview": "pageview",
    "click": "click",
    "scroll": "scroll",
    "form_interaction": "form",
    "error": "error",
    "page_exit": "engagement",
    "identify": "identify",
}
_SILENT = frozenset({"mousemove", "visibility"})  # say nothing that the others do not
_ABOUT_CLICK = frozenset({"type", "text", "href", "timestamp"})
_ABOUT_EVENT = frozenset({
    "type", "data", "url", "href", "referrer", "title", "sessionId", "session_id", "userId", "user_id", "timestamp",
    "message", "name",
})  # fmt: skip
_SESSIONS_MOST = 8_192  # of a generation
_MOMENT_MOST = 1 << 42  # epoch ms, the year 2109
_SESSION_LENGTH = 128  # characters of a session's id that is remembered


class Replay(msgspec.Struct, frozen=True):
    """The recording of a request; `is_alone`: there are no events in it."""

    recording: Recording
    is_alone: bool


class Sessions:
    """The website that a browser session named; bounded, forgotten with the process, safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def note(self, session: str, site: str) -> None:
        """Remember the website of a session."""
        if not session or not site or len(session) > _SESSION_LENGTH or len(site) > _SESSION_LENGTH:
            return
        with self._lock:
            if len(self._young) >= _SESSIONS_MOST:
                self._young, self._old = {}, self._young
            self._young[session] = site

    def site(self, session: str) -> str:
        """Return the website, "" where it is not known."""
        return self._young.get(session) or self._old.get(session, "")


def read_collect(request: Request, sessions: Sessions) -> list[Hit | Malformed]:
    """POST /collect: one event."""
    sent = object_of(request.body, _COLLECT_HINT)
    named = text(sent.get("type")) or "pageview"
    kind: Kind = "identify" if named == "identify" else "pageview" if named == "pageview" else "custom"
    told = {**nested(sent.get("extraData")), **nested(sent.get("data")), **nested(sent.get("traits"))}
    name = text(sent.get("name")) or text(told.pop("eventName", "")) or ("" if named == "custom" else named)
    person = ""
    if kind == "identify":
        person = text(first(sent, "userId")) or text(told.pop("user_id", "")) or text(sent.get("id"))
    site, session = text(first(sent, "websiteId", "domain")), text(sent.get("sessionId"))
    sessions.note(session, site)
    viewport = nested(sent.get("viewport"))
    return [
        Hit(
            kind,
            site=site,
            url=text(sent.get("href")) or request.headers.get("referer", ""),
            referrer=text(sent.get("referrer")),
            title=text(sent.get("title")),
            name=name if kind == "custom" else "",
            properties=properties(told),
            visitor=text(sent.get("visitorId")),
            session=session,
            person=person,
            language=text(sent.get("language")),
            timezone=text(sent.get("timezone")),
            screen=size(sent.get("screenWidth"), sent.get("screenHeight")),
            viewport=size(viewport.get("width"), viewport.get("height")),
        )
    ]


def read_events(request: Request, sessions: Sessions) -> list[Hit | Malformed]:
    """POST /api/events: clicks of one page."""
    sent = object_of(request.body, _EVENTS_HINT)
    about = sent.get("metadata")
    if not isinstance(about, dict):
        raise unreadable("metadata is no object", _EVENTS_HINT)
    session = text(about.get("sessionId"))
    base = Hit(
        site=text(first(about, "websiteId", "domain")) or sessions.site(session),
        url=text(about.get("url")) or request.headers.get("referer", ""),
        visitor=text(about.get("visitorId")),
        session=session,
        screen=text(about.get("screen")),
    )
    found = [_click(each, base, about.get("timestamp")) for each in _list(sent.get("analytics"), _EVENTS_HINT)]
    return found or [Malformed("there is nothing in analytics")]


def read_replay(request: Request, sessions: Sessions) -> Replay | None:
    """POST /api/events: the recording in it; None where there is none that could be shown."""
    if has_many_objects(request.body):
        raise unreadable(f"more than {OBJECTS_MOST} nodes in one request", "send them in several")
    sent = object_of(request.body, _EVENTS_HINT)
    about, events = nested(sent.get("metadata")), sent.get("replay")
    session = text(about.get("sessionId"))
    if not isinstance(events, list) or not events or not 0 < len(session) <= SESSION_MOST:
        return None
    if len(events) > EVENTS_MOST:
        raise unreadable(f"more than {EVENTS_MOST} recorded events in one request", "send them in several")
    earliest = events[0] if isinstance(events[0], dict) else {}
    recording = Recording(
        session,
        # So that pieces have an order, and one that is sent again is known.
        whole(earliest.get("timestamp"), _MOMENT_MOST) * 1000,
        events,
        site=text(first(about, "websiteId", "domain")) or sessions.site(session),
        url=text(about.get("url")) or request.headers.get("referer", ""),
    )
    return Replay(recording, is_alone=not sent.get("analytics"))


def read_analytics(request: Request) -> list[Hit | Malformed]:
    """POST /api/analytics: events of several pages."""
    sent = object_of(request.body, _BATCH_HINT)
    site = text(sent.get("site_id")) or request.headers.get("x-site-id", "")
    meta = nested(sent.get("meta"))
    base = Hit(site=site, language=text(meta.get("language")), screen=text(meta.get("screenResolution")))
    events = _list(sent.get("events"), _BATCH_HINT)
    found = [_event(each, base, request) for each in events if not _is_silent(each)]
    return found or [Malformed("there is nothing in events that is kept")]


def write(request: Request, receipt: Receipt) -> Response:
    """200 {"status": "ok"} with what was accepted."""
    dropped = len(receipt.verdicts) - receipt.accepted
    body = {"status": "ok", "success": True, "accepted": receipt.accepted, "dropped": dropped}
    return Response(200, msgspec.json.encode(body), JSON)


def dialects(sessions: Sessions | None = None) -> list[Dialect]:
    """Return the endpoints; `sessions` is shared with who reads recordings."""
    sessions = sessions or Sessions()
    return [
        Dialect(
            "POST",
            "/collect",
            "store an event of the website-analytics script",
            lambda request: read_collect(request, sessions),
            write,
        ),
        Dialect(
            "POST",
            EVENTS_PATH,
            "store clicks of the website-analytics script",
            lambda request: read_events(request, sessions),
            write,
            BATCH,
        ),
        Dialect(
            "POST", "/api/analytics", "store a batch of the website-analytics script", read_analytics, write, BATCH
        ),
    ]


def _list(value: object, hint: str) -> list[object]:
    """Return the parts of a batch; missing ones are none."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable("the events are no array", hint)
    if len(value) > HITS_MOST:
        raise unreadable(f"more than {HITS_MOST} events in one request", "send them in several")
    return value


def _click(click: object, base: Hit, sent_at: object) -> Hit | Malformed:
    if not isinstance(click, dict):
        return Malformed("an event of analytics is no object")
    return msgspec.structs.replace(
        base,
        kind=_KINDS.get(text(click.get("type")), "custom"),
        name=text(first(click, "text", "id", "tag")),
        target=text(click.get("href")),
        properties=properties({key: value for key, value in click.items() if key not in _ABOUT_CLICK}),
        age_ms=_age_ms(sent_at, click.get("timestamp")),
    )


def _is_silent(event: object) -> bool:
    return isinstance(event, dict) and text(event.get("type")) in _SILENT


def _event(event: object, base: Hit, request: Request) -> Hit | Malformed:
    if not isinstance(event, dict):
        return Malformed("an event is no object")
    sent_type = text(event.get("type"))
    told: Fields = {**event, **nested(event.get("data"))}
    kind = _KINDS.get(sent_type, "custom")
    name = first(told, "message", "name") if kind == "error" else first(told, "name", "text")
    return msgspec.structs.replace(
        base,
        kind=kind,
        url=text(first(told, "url", "href")) or request.headers.get("referer", ""),
        referrer=text(told.get("referrer")),
        title=text(told.get("title")),
        name=sent_type.removeprefix(_CUSTOM) if kind == "custom" else text(name),
        properties=properties({key: value for key, value in told.items() if key not in _ABOUT_EVENT}),
        session=text(first(told, "sessionId", "session_id")),
        person=text(first(told, "userId", "user_id")) if kind == "identify" else "",
        engaged_ms=whole(told.get("engagementTime")),
        scroll=whole(told.get("scrollDepth"), 100),
    )


def _age_ms(sent_at: object, happened_at: object) -> int:
    """Return the time between two moments of one clock, the client's, which may be wrong.

    The script sends every ten seconds: what is said to be older than is taken happened on another clock.
    """
    sent, happened = epoch_ms(sent_at), epoch_ms(happened_at)
    if sent is None or happened is None or not 0 < sent - happened <= AGE_MOST_MS:
        return 0
    return int(sent - happened)
