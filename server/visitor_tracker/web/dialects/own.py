"""POST /api/v1/events: this server's own format, one event or many, each with a verdict."""

from typing import Any

import msgspec

from visitor_tracker.event import Kind, Property
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.ids import read_id

EVENTS_MOST = 1_000  # in one request
_HINT = 'send {"type": "pageview", "site": "…", "url": "https://…"}, or an array of such events'
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_ONE_ACCEPTED = Response(202, b'{"accepted":1,"dropped":[]}', _JSON)


class Sent(msgspec.Struct, gc=False):
    """One event as it is sent; docs/events.md describes the fields."""

    type: Kind = "pageview"
    id: str | None = None
    site: str = ""
    url: str = ""
    referrer: str = ""
    title: str = ""
    name: str = ""
    target: str = ""
    properties: dict[str, Property | None] | None = None
    visitor_id: str = ""
    session_id: str = ""
    user_id: str = ""
    age_ms: int = 0
    language: str = ""
    timezone: str = ""
    screen: str = ""
    viewport: str = ""
    engaged_ms: int = 0
    scroll: int = 0
    value: float = 0.0
    currency: str = ""
    interactive: bool = True
    automation: bool = False
    ip: str = ""
    user_agent: str = ""


_one = msgspec.json.Decoder(Sent).decode
_many = msgspec.json.Decoder(list[Sent]).decode
_pieces = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hits of a body; in a batch what cannot be read is Malformed and the rest is kept."""
    body = request.body
    try:
        if body[:1] == b"{" or not body.lstrip().startswith(b"["):
            return [_hit(_one(body))]
        sent = _many(body)
    except msgspec.ValidationError as error:
        return _piecewise(body, error)
    except (ValueError, RecursionError) as error:  # no JSON, or not UTF-8
        raise unreadable(str(error), _HINT) from error
    if len(sent) > EVENTS_MOST:
        raise unreadable(f"more than {EVENTS_MOST} events in one request", "send them in several")
    return [_hit_or_problem(each) for each in sent]


def write(request: Request, receipt: Receipt) -> Response:
    """202 {accepted, dropped: [{index, reason, problem?}]}; 400 where nothing could be read."""
    verdicts = receipt.verdicts
    if verdicts == [None]:
        return _ONE_ACCEPTED
    dropped: list[dict[str, Any]] = [
        {"index": index, "reason": reason} | ({"problem": receipt.problems[index]} if index in receipt.problems else {})
        for index, reason in enumerate(verdicts)
        if reason is not None
    ]
    status = 400 if receipt.problems and len(receipt.problems) == len(verdicts) else 202
    body: dict[str, Any] = {"accepted": receipt.accepted, "dropped": dropped}
    if status == 400:
        body["error"] = {"code": "invalid_event", "message": receipt.problems[0], "hint": _HINT}
    return Response(status, msgspec.json.encode(body), _JSON)


def dialects() -> list[Dialect]:
    return [
        Dialect(
            "POST", "/api/v1/events", "store one event or an array of them", read, write, BATCH, accepted=_ONE_ACCEPTED
        )
    ]


def _piecewise(body: bytes, whole: msgspec.ValidationError) -> list[Hit | Malformed]:
    """Read what can be read of a batch."""
    try:
        pieces = _pieces(body)
    except (ValueError, RecursionError):
        return [Malformed(str(whole))]
    if len(pieces) > EVENTS_MOST:
        raise unreadable(f"more than {EVENTS_MOST} events in one request", "send them in several")
    found: list[Hit | Malformed] = []
    for piece in pieces:
        try:
            found.append(_hit_or_problem(_one(piece)))
        except (ValueError, RecursionError) as error:
            found.append(Malformed(str(error)))
    return found


def _hit_or_problem(sent: Sent) -> Hit | Malformed:
    try:
        return _hit(sent)
    except msgspec.ValidationError as error:
        return Malformed(str(error))


def _hit(sent: Sent) -> Hit:
    try:
        hit_id = None if sent.id is None else read_id(sent.id)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error
    properties = sent.properties
    return Hit(
        sent.type,
        hit_id,
        sent.site,
        sent.url,
        sent.referrer,
        sent.title,
        sent.name,
        sent.target,
        {name: value for name, value in properties.items() if value is not None} if properties else {},
        sent.visitor_id,
        sent.session_id,
        sent.user_id,
        sent.age_ms,
        sent.language,
        sent.timezone,
        sent.screen,
        sent.viewport,
        sent.engaged_ms,
        sent.scroll,
        sent.value,
        sent.currency,
        sent.interactive,
        sent.automation,
        sent.ip,
        sent.user_agent,
    )
