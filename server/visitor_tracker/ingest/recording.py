"""Pieces of recorded sessions and heat of pages, as the tracker script sends them: read, bounded, made ready to store.

body ──▶ Recording ──(sanitise)──▶ Piece: events as packed JSON, and the first views of pages that it has
body ──▶ Heat: where pages were clicked, moved over and scrolled to, as counts of cells
"""

import re
import zlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from visitor_tracker.ingest.safe_markup import Rules
from visitor_tracker.ingest.safe_values import Made
from visitor_tracker.ingest.sanitise import FULL_SNAPSHOT, META, sanitise

PIECE_MOST = 5 << 20  # bytes, unpacked: the first view of a large page is one event
HEAT_MOST = 64 * 1024
EVENTS_MOST = 5_000  # of a piece
OBJECTS_MOST = 100_000  # in a piece, two or so for each node; they take a second of one core
CELLS_MOST = 2_000  # of a report of heat
SPAN_MOST_MS = 86_400_000  # from a piece's first event to its last
SEQUENCE_MOST = 1 << 53
_PACKING = 5  # of zlib's levels: a third of the time of 6, 2 % larger
SESSION_MOST = 128  # characters

Viewport = Literal["mobile", "tablet", "desktop"]
HeatKind = Literal["click", "move", "scroll"]
VIEWPORTS: tuple[Viewport, ...] = ("mobile", "tablet", "desktop")  # the database has the position
HEAT_KINDS: tuple[HeatKind, ...] = ("click", "move", "scroll")
COLUMNS, ROWS, ROW_PX = 100, 5_000, 20  # of a page's cells
_MOBILE_BELOW, _TABLET_BELOW = 768, 1024  # CSS pixels of width
_size = re.compile(r"([0-9]{1,5})x([0-9]{1,5})").fullmatch

Cell = tuple[
    Annotated[int, msgspec.Meta(ge=0, lt=COLUMNS)],
    Annotated[int, msgspec.Meta(ge=0, lt=ROWS)],
    Annotated[int, msgspec.Meta(ge=1, le=10_000)],
]


class Recording(msgspec.Struct, frozen=True):
    """A piece of a recorded session as it was sent; of the same session, pieces are in the order of `sequence`."""

    session: Annotated[str, msgspec.Meta(min_length=1, max_length=SESSION_MOST)]
    sequence: Annotated[int, msgspec.Meta(ge=0, le=SEQUENCE_MOST)]
    events: list[object]
    site: str = ""
    url: str = ""
    viewport: str = ""


class HeatReport(msgspec.Struct, frozen=True):
    """What happened on a page, by cell: column, row, how often; `id` makes a repetition harmless."""

    id: str
    cells: dict[HeatKind, list[Cell]]
    site: str = ""
    url: str = ""
    viewport: str = ""


class PageView(msgspec.Struct, frozen=True):
    """A page as it was when its recording began: the snapshot event as JSON, all text masked."""

    url: str
    width: int
    height: int
    event: bytes


class Piece(msgspec.Struct, frozen=True):
    """What is stored of a Recording; `body` is a JSON array of `events` events, packed, `size` its length unpacked."""

    body: bytes
    size: int
    events: int
    views: tuple[PageView, ...] = ()


_recording = msgspec.json.Decoder(Recording).decode
_heat = msgspec.json.Decoder(HeatReport).decode
_encode = msgspec.json.Encoder().encode


def read_recording(body: bytes) -> Recording:
    """Return what a body says; raises ValueError with a text for the user."""
    if has_many_objects(body):
        raise ValueError(f"more than {OBJECTS_MOST} nodes in one piece of a recording")
    try:
        found = _recording(body)
    except RecursionError as error:
        raise ValueError("the recording is too deep") from error
    if len(found.events) > EVENTS_MOST:
        raise ValueError(f"more than {EVENTS_MOST} events in one piece of a recording")
    return found


def has_many_objects(body: bytes) -> bool:
    """Say whether a body would be too many objects or arrays to be read at all: each takes 20 times its text."""
    return body.count(b"{") > OBJECTS_MOST or body.count(b"[") > OBJECTS_MOST


def read_heat(body: bytes) -> HeatReport:
    """Return what a body says; raises ValueError with a text for the user."""
    try:
        found = _heat(body)
    except RecursionError as error:
        raise ValueError("the report is too deep") from error
    if sum(map(len, found.cells.values())) > CELLS_MOST:
        raise ValueError(f"more than {CELLS_MOST} cells in one report")
    return found


def make_piece(events: Sequence[object], rules: Rules) -> Piece | None:
    """Return what is kept of these events; None where nothing is."""
    kept = sanitise(events, rules)
    first = min((event["timestamp"] for event in kept), default=0)
    kept = [event for event in kept if event["timestamp"] - first <= SPAN_MOST_MS]
    if not kept:
        return None
    plain = _encode(kept)
    return Piece(zlib.compress(plain, _PACKING), len(plain), len(kept), _views(kept, rules))


def unpack(body: bytes) -> bytes:
    """Return the JSON array of a piece."""
    return zlib.decompress(body)


def viewport_class(width: int) -> Viewport:
    """Return what kind of screen is so wide."""
    return "mobile" if width < _MOBILE_BELOW else "tablet" if width < _TABLET_BELOW else "desktop"


def page_of(url: str) -> str:
    """Return the page of a normalised URL: recordings and heat know pages as reports do, without query."""
    return url.partition("?")[0]


def size_of(viewport: str) -> tuple[int, int]:
    """Return width and height of a text such as 1280x720, zeros for another."""
    found = _size(viewport)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _views(kept: Sequence[Made], rules: Rules) -> tuple[PageView, ...]:
    """Return the snapshots that begin pages, masked, whatever the recording shows."""
    found: dict[tuple[str, Viewport], PageView] = {}
    about: Made = {}
    for event in kept:
        if event["type"] == META:
            about = event["data"]
        elif event["type"] == FULL_SNAPSHOT and about.get("href"):
            url, width = about["href"], about["width"]
            if (url, viewport_class(width)) not in found:
                masked = event if rules.mask else sanitise([event], Rules())[0]
                found[url, viewport_class(width)] = PageView(url, width, about["height"], _encode(masked))
    return tuple(found.values())
