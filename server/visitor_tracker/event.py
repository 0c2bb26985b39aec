"""What happened on a page: the values that travel from a request to the journal and a store."""

from collections.abc import Sequence
from enum import IntFlag
from typing import Literal, get_args

import msgspec

DropReason = Literal[
    "duplicate", "prefetch", "invalid_url", "invalid_event", "rate_limit", "origin", "unavailable",
    "unknown_site", "hostname", "too_old", "opt_out", "replay", "heatmap",
]  # closed: each has a counter, and X-Tracker shows no other  # fmt: skip

Kind = Literal[
    "pageview", "custom", "identify", "click", "scroll", "outbound", "download", "form", "error", "vital",
    "engagement",
]  # fmt: skip

KINDS: tuple[Kind, ...] = get_args(Kind)  # the database has the position: add at the end only
KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}

DEFAULT_SITE = 1  # site_id of the site that takes every page no other site claims

Property = str | int | float | bool


class Signal(IntFlag):
    """What speaks for a robot. Stored with every event, so that changed rules can judge the past again."""

    USER_AGENT = 1  # a crawler by its own words, or none at all
    HEADLESS = 2  # a browser that nobody looks at
    MISSING_HEADERS = 4  # a browser sends fields that this one did not
    RATE = 8  # more pages in a minute than anybody reads
    PROBE_PATH = 16  # looks for holes in other programs
    REFERRER_SPAM = 32  # came to be seen in the list of referrers
    AUTOMATION = 64  # the page itself says so (navigator.webdriver)
    BEHAVIOUR = 128  # what the visitor did all day says so; found when the day is over


# Any one of these makes a robot; missing headers alone do not, for a proxy may have taken them.
ROBOT = sum(int(signal) for signal in Signal) & ~int(Signal.MISSING_HEADERS)
# Signals of a visitor whom a person called human are kept above these bits, where they make no robot.
SIGNAL_BITS = 16
SIGNALS = (1 << SIGNAL_BITS) - 1


class Agent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A user agent as reports show it: families and major versions, never the text that was sent."""

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: Literal["", "desktop", "mobile", "tablet", "tv", "console", "wearable", "bot"] = ""
    bot: str = ""  # a crawler's name


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a client is: country as ISO 3166-1 alpha-2, "XX" unknown, "LOCAL" for local networks; names in English."""

    country: str = "XX"
    region: str = ""
    city: str = ""
    organisation: str = ""


Channel = Literal["direct", "search", "social", "email", "ai", "paid", "campaign", "referral", "internal"]


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What brought a visitor: `referrer` is host and path without query, `name` what reports show for it."""

    channel: Channel = "direct"
    name: str = ""
    referrer: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    click_id: str = ""  # the parameter's name, such as gclid; its value says who clicked and is not kept


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event, understood. New fields come last, with a default: old journals stay readable.

    Times are epoch ms, UTC: `ts` when it happened, `at` when it arrived. `day` is the site's local date as
    yyyymmdd. `visitor`, `session` and `person` are 16-byte hashes or empty; `previous` is the visitor's hash under
    yesterday's key during the first half hour of a day, to join a session over midnight, and goes with the journal.
    """

    id: bytes
    kind: Kind
    site_id: int
    ts: int
    at: int
    day: int
    visitor: bytes
    previous: bytes
    session: bytes
    person: bytes
    url: str
    source: Source
    place: Place
    agent: Agent
    language: str = ""
    signals: int = 0  # of Signal
    title: str = ""
    name: str = ""  # of a custom event, a goal, a vital; an error's message
    target: str = ""  # where a click, outbound link, download or form leads
    properties: dict[str, Property] = {}
    screen: str = ""  # such as 1920x1080
    viewport: str = ""
    engaged_ms: int = 0  # time the page was seen and in focus
    scroll: int = 0  # deepest point reached, percent
    value: float = 0.0  # revenue, a vital's value
    currency: str = ""  # ISO 4217
    interactive: bool = True  # False: it happened by itself and a visit with nothing else still bounces
    ip: str = ""  # only where the site's policy keeps it
    user_agent: str = ""  # only where the site's policy keeps it
    counted: bool = False  # came through the per-page counter, which has checked its id
    tab: bytes = b""  # a browser tab's, gone after the fold: when it began, in 6 bytes, and 10 of a keyed hash
    seq: int = 0  # number of the event in its tab, from 1: gaps are losses


class RawEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An Event of which what many others have too is still encoded: mostly it is known without being decoded."""

    id: bytes
    kind: Kind
    site_id: int
    ts: int
    at: int
    day: int
    visitor: bytes
    previous: bytes
    session: bytes
    person: bytes
    url: str
    source: msgspec.Raw  # Source
    place: msgspec.Raw  # Place
    agent: msgspec.Raw  # Agent
    language: str = ""
    signals: int = 0
    title: str = ""
    name: str = ""
    target: str = ""
    properties: dict[str, Property] = {}
    screen: str = ""
    viewport: str = ""
    engaged_ms: int = 0
    scroll: int = 0
    value: float = 0.0
    currency: str = ""
    interactive: bool = True
    ip: str = ""
    user_agent: str = ""
    counted: bool = False
    tab: bytes = b""
    seq: int = 0


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One visit to be counted for one page.

    `page_hash` is BLAKE2b-128 of the normalised URL, `id` the client's 16-byte id that makes a
    repetition harmless, or None.
    """

    page_hash: bytes
    page_url: str
    id: bytes | None = None
    site_id: int = DEFAULT_SITE


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became durable together: a record of the journal. With `visits` it is a batch of the counter.

    `id` is 16 bytes and begins with the time; `at` is epoch ms.
    """

    id: bytes
    at: int
    events: list[Event]
    visits: list[Visit] = []


encode_batch = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
encode_events = msgspec.msgpack.Encoder().encode
decode_events = msgspec.msgpack.Decoder(list[Event]).decode
decode_raw_events = msgspec.msgpack.Decoder(list[RawEvent]).decode
decode_place = msgspec.msgpack.Decoder(Place).decode
decode_agent = msgspec.msgpack.Decoder(Agent).decode


class InboxRow(msgspec.Struct, frozen=True, gc=False):
    """Events of one site that wait to be folded; `body` is `encode_events` of them."""

    site_id: int
    id: bytes
    at: int
    events: int
    body: bytes


def inbox_rows(batch_id: bytes, at: int, events: Sequence[Event]) -> list[InboxRow]:
    """Return the events of one batch as rows, one for each site."""
    if not events:
        return []
    sites: dict[int, list[Event]] = {}
    for event in events:
        sites.setdefault(event.site_id, []).append(event)
    return [InboxRow(site_id, batch_id, at, len(own), encode_events(own)) for site_id, own in sorted(sites.items())]


class PageCount(msgspec.Struct, frozen=True, gc=False):
    """One row of `visitors`; times are epoch milliseconds, UTC."""

    page_url: str
    visit_count: int
    last_visited: int
    created_at: int


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What one visit of a batch came to: its own number, unique per page unless `duplicate`.

    A duplicate (its id was counted before) has the page's number at that moment and added nothing.
    """

    visit_count: int
    last_visited: int
    created_at: int
    duplicate: bool = False
