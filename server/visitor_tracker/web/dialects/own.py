"""POST /api/v1/events: this server's own format, one event or many, each with a verdict."""

from typing import Any

import msgspec

from visitor_tracker.event import Kind, Property
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.ingest.scrub import REMOVED, names_secret
from visitor_tracker.web.dialect import BATCH, Dialect, unreadable
from visitor_tracker.web.ids import read_id

EVENTS_MOST = 1_000  # in one request
_VALUE_MOST = 1e15  # of revenue that is told as a property: whole cents are exact up to here, or nearly
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
    tab: str = ""
    seq: int = 0


class _SentHit(Hit, gc=False):
    """The same, read straight into what it becomes: a third less than to read it and copy its fields.

    The names in brackets are nobody's: these two fields are set from what was sent, always.
    """

    kind: Kind = msgspec.field(default="pageview", name="type")
    id: bytes | None = msgspec.field(default=None, name="(id)")
    properties: dict[str, Property] = msgspec.field(default_factory=dict, name="(properties)")
    visitor: str = msgspec.field(default="", name="visitor_id")
    session: str = msgspec.field(default="", name="session_id")
    person: str = msgspec.field(default="", name="user_id")
    sent_id: str | None = msgspec.field(default=None, name="id")
    sent_properties: dict[str, Property | None] | None = msgspec.field(default=None, name="properties")


_hit_of = msgspec.json.Decoder(_SentHit).decode
_one = msgspec.json.Decoder(Sent).decode
_many = msgspec.json.Decoder(list[Sent]).decode
_pieces = msgspec.json.Decoder(list[msgspec.Raw]).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read(request: Request) -> list[Hit | Malformed]:
    """Return the hits of a body; in a batch what cannot be read is Malformed and the rest is kept."""
    body = request.body
    try:
        if body[:1] == b"{" or not body.lstrip().startswith(b"["):
            return [_read_one(body)]
        sent = _many(body)
    except msgspec.ValidationError as error:
        return _piecewise(body, error)
    except (ValueError, RecursionError) as error:  # no JSON, or not UTF-8
        raise unreadable(str(error), _HINT) from error
    if len(sent) > EVENTS_MOST:
        raise unreadable(f"more than {EVENTS_MOST} events in one request", "send them in several")
    return [_hit_or_problem(each) for each in sent]


def _read_one(body: bytes) -> Hit:
    """Read an event; what is unusual about it is left to `_hit`, which says what is wrong."""
    try:
        hit = _hit_of(body)
        hit.id = None if hit.sent_id is None else read_id(hit.sent_id)
    except ValueError:
        return _hit(_one(body))
    if hit.sent_properties is not None:
        return _hit(_one(body))
    hit.properties = {}
    return hit


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
        Dialect("POST", path, summary, read, write, BATCH, accepted=_ONE_ACCEPTED)
        for path, summary in (
            ("/api/v1/events", "store one event or an array of them"),
            ("/e", "the same under the short name that the tracker script uses"),
        )
    ]


def _piecewise(body: bytes, whole: msgspec.ValidationError) -> list[Hit | Malformed]:
    """Read what can be read of a batch, or of one event."""
    try:
        pieces = _pieces(body) if body.lstrip().startswith(b"[") else [msgspec.Raw(body)]
    except (ValueError, RecursionError):
        return [Malformed(str(whole))]
    if len(pieces) > EVENTS_MOST:
        raise unreadable(f"more than {EVENTS_MOST} events in one request", "send them in several")
    found: list[Hit | Malformed] = []
    for piece in pieces:
        try:
            found.append(_hit_or_problem(_one_by_force(piece)))
        except (ValueError, RecursionError) as error:
            found.append(Malformed(str(error)))
    return found


def _one_by_force(piece: msgspec.Raw) -> Sent:
    """Read an event; properties that are objects or arrays become texts, their JSON."""
    try:
        return _one(piece)
    except msgspec.ValidationError:
        fields = _fields(piece)
        properties = fields.get("properties")
        if properties is None or bytes(properties)[:1] != b"{":
            raise
        texts = {name: _as_text(value) for name, value in _fields(properties).items()}
        return _one(msgspec.json.encode({**fields, "properties": texts}))


def _as_text(value: msgspec.Raw) -> msgspec.Raw | str:
    if bytes(value)[:1] not in (b"{", b"["):
        return value
    # Decoded, because an escape would hide from the pipeline what is personal.
    return msgspec.json.encode(_without_secrets(msgspec.json.decode(value))).decode()


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: REMOVED if names_secret(name) else _without_secrets(inner) for name, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


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
    value, currency = sent.value, sent.currency
    if properties and sent.type == "custom" and not value:
        value, currency = _revenue(properties, currency)
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
        value,
        currency,
        sent.interactive,
        sent.automation,
        sent.ip,
        sent.user_agent,
        sent.tab,
        sent.seq,
    )


def _revenue(properties: dict[str, Property | None], currency: str) -> tuple[float, str]:
    """Return value and currency that are told among the properties of a custom event which has no value."""
    for name in ("value", "revenue"):
        value = properties.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _VALUE_MOST:
            told = properties.get("currency")
            return float(value), currency or (told.upper() if isinstance(told, str) else "")
    return 0.0, currency
