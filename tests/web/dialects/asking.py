"""Requests as other trackers' clients send them, and what a dialect makes of them."""

import json
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from visitor_tracker.errors import HttpError
from visitor_tracker.event import Agent, DropReason, Event, Place, Source
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt
from visitor_tracker.web.dialect import Dialect

Headers = Mapping[str, str]
PAGE = "https://example.com/page"


def request(dialect: Dialect, query: str = "", body: object = b"", headers: Headers | None = None) -> Request:
    """Return a request for a dialect; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"host": "stats.example.net:8000"} | dict(headers or {})
    return Request(dialect.method, dialect.path, query, sent, raw, True, Peer("192.0.2.7"))


def read(
    dialect: Dialect, query: str = "", body: object = b"", headers: Headers | None = None
) -> list[Hit | Malformed]:
    return dialect.read(request(dialect, query, body, headers))


def read_one(dialect: Dialect, query: str = "", body: object = b"", headers: Headers | None = None) -> Hit:
    [hit] = read(dialect, query, body, headers)
    assert isinstance(hit, Hit), hit
    return hit


def refusal(dialect: Dialect, query: str = "", body: object = b"") -> str:
    """Return the message with which a request is refused as a whole."""
    with pytest.raises(HttpError) as raised:
        read(dialect, query, body)
    error = raised.value
    assert (error.status, error.code, error.dropped) == (400, "invalid_event", "invalid_event")
    assert error.hint, "a refusal says what to change"
    return error.message


def changed(hit: Hit, **changes: object) -> Hit:
    """Return another hit like this one."""
    return msgspec.structs.replace(hit, **changes)


def found(dialects: Sequence[Dialect], method: str, path: str) -> Dialect:
    [dialect] = [each for each in dialects if (each.method, each.path) == (method, path)]
    return dialect


def receipt(*verdicts: DropReason | None, problems: dict[int, str] | None = None, signals: int = 0) -> Receipt:
    """Return what became of hits; the first accepted one is an event of PAGE."""
    return Receipt(list(verdicts), problems or {}, event(signals) if None in verdicts else None)


def event(signals: int = 0, *, visitor: bytes = b"v" * 16, ts: int = 1_800_000_000_000) -> Event:
    return Event(
        b"i" * 16, "pageview", 1, ts, ts, 20270115, visitor, b"", b"", b"", PAGE, Source(), Place(), Agent(),
        signals=signals,
    )  # fmt: skip
