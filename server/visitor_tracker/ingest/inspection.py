"""What an operator sees of the journal, whether the server runs or not. Nothing here changes anything."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from visitor_tracker.ingest.parcel import read_record
from visitor_tracker.ingest.reclaim import DEAD
from visitor_tracker.ingest.segments import Piece, Segment, scan
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore


class SegmentStatus(msgspec.Struct, frozen=True):
    """One segment; `drained` is how far the store has it, None where the store was not asked.

    `waiting` events are durable and not in the store: without a store, all of them. `age_seconds` counts from the
    last write. `live`: a process of the server writes it.
    """

    path: Path
    bytes: int
    synced: int
    drained: int | None
    live: bool
    waiting: int
    age_seconds: float


class JournalStatus(msgspec.Struct, frozen=True):
    """The journal of a node and its totals; `dead` are the files of what not even the store's dead letters took."""

    segments: tuple[SegmentStatus, ...]
    bytes: int
    waiting_bytes: int
    waiting: int
    dead: tuple[Path, ...]


class SegmentReport(msgspec.Struct, frozen=True):
    """What reading a whole segment found.

    `damaged` counts the stretches that hold no valid record, `strange` the records that are whole and hold something
    that is no batch of ours. `torn`: it ends in a record that was never finished, which nobody was told is stored.
    """

    path: Path
    records: int
    events: int
    visits: int
    damaged: int
    strange: int
    torn: bool

    @property
    def is_sound(self) -> bool:
        return not self.damaged and not self.strange


class _Sizes(msgspec.Struct, array_like=True):
    """A Batch as far as counting its events goes: decoding them would take five times as long."""

    id: bytes
    at: int
    events: list[msgspec.Raw]
    visits: list[msgspec.Raw] = []


_sizes = msgspec.msgpack.Decoder(_Sizes).decode


def status(folder: Path, store: SqlStore | None) -> JournalStatus:
    """Look at every segment; raises StoreUnavailable, or StoreError, when the store is asked and does not answer."""
    segments = scan(folder)
    positions: dict[bytes, int] | None = None
    if store is not None:
        positions = Inbox(store.database).positions([segment.id for segment in segments]) if segments else {}
    found: list[SegmentStatus] = []
    waiting_bytes = 0
    for segment in segments:
        drained = None if positions is None else positions.get(segment.id, 0)
        try:
            one, behind = _status(segment, drained)
        except FileNotFoundError:  # the server has just deleted it
            continue
        found.append(one)
        waiting_bytes += behind
    return JournalStatus(
        tuple(found),
        sum(one.bytes for one in found),
        waiting_bytes,
        sum(one.waiting for one in found),
        tuple(sorted((folder / DEAD).glob("*.record"))),
    )


def verify(folder: Path) -> list[SegmentReport]:
    """Read every record of every segment, a live one as far as it is synced."""
    reports: list[SegmentReport] = []
    for segment in scan(folder):
        try:
            reports.append(_report(segment))
        except FileNotFoundError:  # the server has just deleted it
            continue
    return reports


def _status(segment: Segment, drained: int | None) -> tuple[SegmentStatus, int]:
    """Return the status and how many bytes of records wait."""
    live = segment.is_live()
    position = end = drained or 0
    waiting = 0
    for piece in _pieces(segment, position):
        waiting += sum(_events_in(payload) for payload, _ in piece.batches)
        end = piece.position
    return SegmentStatus(
        segment.path,
        segment.size,
        segment.synced_length(),
        drained,
        live,
        waiting,
        max(0.0, time.time() - segment.written_at),
    ), end - position


def _report(segment: Segment) -> SegmentReport:
    records = events = visits = damaged = strange = end = 0
    torn = False
    for piece in _pieces(segment, 0):
        records += len(piece.batches)
        damaged += piece.damaged
        torn, end = piece.torn, piece.position
        for payload, record_end in piece.batches:
            record = read_record(payload, record_end)
            strange += len(record.refused)
            if record.batch is not None:
                events += len(record.batch.events)
                visits += len(record.batch.visits)
    if torn and segment.synced_length() > end:  # it was finished once, and is damaged now
        damaged, torn = damaged + 1, False
    return SegmentReport(segment.path, records, events, visits, damaged, strange, torn)


def _pieces(segment: Segment, position: int) -> Iterator[Piece]:
    """Read a segment to its end."""
    while True:
        piece = segment.read(position)
        yield piece
        position = piece.position
        if piece.torn or not piece.batches:
            return


def _events_in(payload: bytes) -> int:
    try:
        return len(_sizes(payload).events)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
