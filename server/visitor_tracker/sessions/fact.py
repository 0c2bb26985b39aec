"""An event as the fold sees it: every text is an id, and all that no rollup needs is in one encoded rest."""

from enum import IntFlag

import msgspec

from visitor_tracker.event import KIND_CODES, Agent, Kind, Place, Property


class Flag(IntFlag):
    """What else is known of an event. The numbers are in the database."""

    BY_ITSELF = 1  # it was no interaction
    COUNTED = 2  # it came through the per-page counter


class Context(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a visitor was and with what. New fields come last, with a default."""

    place: Place
    agent: Agent
    language: str = ""
    screen: str = ""


class Rest(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What few events have, and no rollup needs. New fields come last, with a default."""

    url: str = ""  # only where it says more than scheme https, host and page
    title: str = ""
    properties: dict[str, Property] = {}
    viewport: str = ""
    scroll: int = 0
    value: float = 0.0
    currency: str = ""
    client: bytes = b""  # hash of the page's own session id
    person: bytes = b""
    ip: str = ""
    user_agent: str = ""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One event. `visitor` and `previous` are 16 bytes or empty; `hour` is the epoch ms of the site's full hour.

    `page`, `host`, `name` and `target` are ids of texts, 0 for none; `source` and `context` ids of encoded values.
    """

    id: bytes
    ts: int
    day: int
    hour: int
    kind: int  # position in event.KINDS
    flags: int  # of Flag
    signals: int  # of event.Signal
    visitor: bytes
    previous: bytes
    page: int
    host: int
    source: int
    context: int
    name: int
    target: int
    engaged_ms: int
    client: bytes = b""
    rest: bytes = b""  # encode_rest of a Rest, empty when there is nothing in it


NOBODY = bytes(16)  # the visitor column of an event without one

encode_rest = msgspec.msgpack.Encoder().encode
decode_rest = msgspec.msgpack.Decoder(Rest).decode
encode_context = msgspec.msgpack.Encoder().encode
decode_context = msgspec.msgpack.Decoder(Context).decode

PAGEVIEW = KIND_CODES["pageview"]
_ACTIONS: tuple[Kind, ...] = ("pageview", "custom", "click", "outbound", "download", "form")
ACTIONS = frozenset(KIND_CODES[kind] for kind in _ACTIONS)  # what makes a visit; all else only prolongs one
