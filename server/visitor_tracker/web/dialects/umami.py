"""POST /api/send and /api/batch: the format of Umami's tracker and of its API client."""

from hashlib import blake2b

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.event import Event, Signal
from visitor_tracker.http.message import Request, Response, error_response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.dialects.fields import (
    HITS_MOST,
    JSON,
    Fields,
    age_ms,
    json_of,
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

_HINT = 'send {"type": "event", "payload": {"website": "…", "hostname": "example.com", "url": "/"}}'
_VITALS = ("lcp", "inp", "cls", "fcp", "ttfb")
_ROBOT = Signal.USER_AGENT | Signal.HEADLESS
_VISIT_MS = 3_600_000  # after it a visitor's visit gets another name
_BOOP = Response(200, b'{"beep":"boop"}', JSON)
_UNKNOWN_SITE = error_response(
    HttpError(400, "unknown_site", "Website not found.", "add the website id to a site's aliases")
)


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hits of one envelope: as many as it has vitals, else one."""
    try:
        return list(_hits(object_of(request.body, _HINT), request))
    except ValueError as error:
        raise unreadable(str(error), _HINT) from error


def write(request: Request, receipt: Receipt) -> Response:
    """200 {cache, sessionId, visitId}; {beep: boop} for robots, as there, and where nothing was kept."""
    event = receipt.first
    if event is None and receipt.verdicts[:1] == ["unknown_site"]:
        return _UNKNOWN_SITE
    if event is None or event.signals & _ROBOT:
        return _BOOP
    return Response(200, msgspec.json.encode(_tokens(event)), JSON)


def read_batch(request: Request) -> list[Hit | Malformed]:
    """Return the hits of an array of envelopes."""
    return [part for parts in _envelopes(request) for part in parts]


def write_batch(request: Request, receipt: Receipt) -> Response:
    """200 {size, processed, errors, details: [{index, response}], cache}."""
    sizes = [1] * len(receipt.verdicts)
    if b'"performance"' in request.body:  # then one envelope may be several hits
        sizes = list(map(len, _envelopes(request)))
    details: list[dict[str, object]] = []
    at = 0
    for index, size in enumerate(sizes):
        reason = next(filter(None, receipt.verdicts[at : at + size]), None)
        if reason is not None:
            details.append({"index": index, "response": _problem(reason, receipt.problems.get(at, ""))})
        at += size
    answer: dict[str, object] = {
        "size": len(sizes),
        "processed": len(sizes) - len(details),
        "errors": len(details),
        "details": details,
    }
    if receipt.first is not None:
        answer["cache"] = _tokens(receipt.first)["cache"]
    return Response(200, msgspec.json.encode(answer), JSON)


def dialects() -> list[Dialect]:
    many = f"store up to {HITS_MOST} events as Umami takes them"
    return [
        Dialect("POST", "/api/send", "store an event as Umami's tracker sends it", read, write),
        Dialect("POST", "/api/batch", many, read_batch, write_batch, BATCH),
    ]


def _envelopes(request: Request) -> list[list[Hit | Malformed]]:
    found: list[list[Hit | Malformed]] = []
    for each in list_of(json_of(request.body, _HINT), "the body", _HINT):
        try:
            found.append([*_hits(each, request)])
        except ValueError as error:
            found.append([Malformed(str(error))])
    return found


def _hits(envelope: object, request: Request) -> list[Hit]:
    """Return what an envelope says; raises ValueError with what to change."""
    fields = nested(envelope)
    payload = nested(fields.get("payload"))
    kind = fields.get("type")
    if not text(payload.get("website")):
        raise ValueError("the payload names no website")
    hit = _base(payload, request)
    if kind == "event":
        return [_event(hit, payload)]
    if kind == "identify":
        return [_changed(hit, kind=kind, properties=properties(nested(payload.get("data"))))]
    if kind == "engagement":
        return [_changed(hit, kind=kind, engaged_ms=whole(payload.get("engagement")))]
    if kind == "performance":
        return _vitals(hit, payload)
    raise ValueError("type is none of event, identify, performance, engagement")


def _event(hit: Hit, payload: Fields) -> Hit:
    """Return a page view, or a custom event where there is a name."""
    told = properties(nested(payload.get("data")))
    if tag := text(payload.get("tag")):
        told["tag"] = tag
    name = text(payload.get("name"))
    if not name:
        return _changed(hit, properties=told)
    value, currency = number(told.get("revenue")), text(told.get("currency")).upper()
    return _changed(hit, kind="custom", name=name, properties=told, value=value, currency=currency if value else "")


def _vitals(hit: Hit, payload: Fields) -> list[Hit]:
    found = [
        _changed(hit, kind="vital", name=name.upper(), value=number(payload[name]), interactive=False)
        for name in _VITALS
        if payload.get(name) is not None
    ]
    if not found:
        raise ValueError(f"the payload has none of {', '.join(_VITALS)}")
    return found


def _base(payload: Fields, request: Request) -> Hit:
    """Return what every kind of payload says."""
    url, host = text(payload.get("url")), text(payload.get("hostname"))
    return Hit(
        site=text(payload.get("website")),
        url=page_url(with_route(url), host, request) if url or host else sender(request),
        referrer=_referrer(text(payload.get("referrer")), host, request),
        title=text(payload.get("title")),
        visitor=text(payload.get("vid")),
        person=text(payload.get("id")),
        age_ms=age_ms(payload.get("timestamp")),
        language=text(payload.get("language")),
        screen=text(payload.get("screen")),
        ip=text(payload.get("ip")),
        user_agent=text(payload.get("userAgent")),
    )


def _referrer(referrer: str, host: str, request: Request) -> str:
    """Return the referrer, which may be a path of the same host."""
    return page_url(referrer, host, request) if referrer.startswith("/") else referrer


def _changed(hit: Hit, **changes: object) -> Hit:
    return msgspec.structs.replace(hit, **changes)


def _tokens(event: Event) -> dict[str, str]:
    """Return names for a visitor and its visit: the same as long as they last, and none that is stored."""
    session = blake2b(event.visitor or event.id, digest_size=16, person=b"umami-session")
    visit = session.copy()
    visit.update((event.ts // _VISIT_MS).to_bytes(8, "big", signed=True))
    name = visit.hexdigest()
    return {"cache": name, "sessionId": _uuid(session.hexdigest()), "visitId": _uuid(name)}


def _uuid(digits: str) -> str:
    """Return 32 hex digits as a UUID of version 4 (RFC 9562, 5.4)."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _problem(reason: str, problem: str) -> dict[str, object]:
    return {"error": {"code": reason, "message": problem or reason}}
