"""What one transaction takes from the journal into the store: records of a segment, made into rows.

payloads ──read_record──▶ Record ──groups──▶ records of one transaction ──rows_of, seen_of──▶ rows
"""

import os
from collections.abc import Iterable, Sequence

import msgspec

from visitor_tracker.event import Batch, Event, InboxRow, decode_batch, encode_batch, encode_events
from visitor_tracker.store.base import Seen

ROW_EVENTS = 100  # of one inbox row: what the fold takes at once where others wait for the turn to write
ROW_BYTES = 1 << 20
_MOST_INTEGER = (1 << 63) - 1  # a database's
_MOST_DAY = 99_991_231


LEDGER_DAYS = 7  # that the store remembers batches of the counter
_SETTLED_MS = (LEDGER_DAYS - 1) * 86_400_000  # an older batch may have been forgotten


def counting_id(at: int, *, tried: bool) -> bytes:
    """Return a new id for a batch of the counter: 6 bytes of `at` in epoch ms, 10 of chance.

    Its last bit says whether the store may have counted the batch before it was journaled.
    """
    chance = os.urandom(10)
    return at.to_bytes(6, "big") + chance[:9] + bytes([chance[9] | 1 if tried else chance[9] & 0xFE])


def is_forgotten(batch: Batch, now_ms: int) -> bool:
    """Say whether the store may have counted the batch and would not know it any more: nobody can tell then."""
    return bool(batch.visits and batch.id[-1] & 1) and batch.at < now_ms - _SETTLED_MS


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A part of a record that no store can take, and why; `body` is as it lay in the journal, or a Batch of it."""

    reason: str
    body: bytes


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record of the journal that ends at `end`; `batch` has what can be stored of it, None: nothing."""

    payload: bytes
    end: int
    batch: Batch | None
    refused: Sequence[Refused] = ()

    @property
    def stands_alone(self) -> bool:
        """Whether it needs more than the one transaction that it could share with its neighbours."""
        return self.batch is None or bool(self.batch.visits) or bool(self.refused)


def read_record(payload: bytes, end: int) -> Record:
    """Decode a record and part what can be stored from what cannot."""
    try:
        batch = decode_batch(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Record(payload, end, None, [Refused(f"not a batch of events: {error}", payload)])
    problem = _problem_of_batch(batch)
    if problem:
        return Record(payload, end, None, [Refused(problem, payload)])
    refused = [
        Refused(problem, encode_batch(Batch(batch.id, batch.at, [event])))
        for event in batch.events
        if (problem := _problem_of_event(event))
    ]
    if refused:
        good = [event for event in batch.events if not _problem_of_event(event)]
        batch = Batch(batch.id, batch.at, good, batch.visits)
    return Record(payload, end, batch, refused)


def next_group(records: Sequence[Record], start: int, *, most_events: int, most_records: int) -> Sequence[Record]:
    """Return the records from `start` that go into one transaction, at least one."""
    if records[start].stands_alone:
        return records[start : start + 1]
    events = 0
    position = start
    for position in range(start, min(len(records), start + most_records)):
        record = records[position]
        if record.stands_alone or record.batch is None:
            return records[start:position]
        events += len(record.batch.events)
        if events > most_events and position > start:
            return records[start:position]
    return records[start : position + 1]


def rows_of(records: Iterable[Record]) -> list[InboxRow]:
    """Merge the events of records that follow one another, by site."""
    rows: list[InboxRow] = []
    open_rows: dict[int, _OpenRow] = {}
    for record in records:
        if record.batch is None:
            continue
        for site_id, events, size in _by_site(record.batch, len(record.payload)):
            row = open_rows.get(site_id)
            if row is None or not row.has_room(len(events), size):
                if row is not None:
                    rows.append(row.closed())
                row = open_rows[site_id] = _OpenRow(site_id, _row_id(record.batch, row), record.batch.at)
            row.batch_id = record.batch.id
            row.events += events
            row.bytes += size
    rows += [row.closed() for row in open_rows.values()]
    return rows


def seen_of(records: Iterable[Record]) -> list[Seen]:
    """Return who was seen on which day, and when first; robots too, who may be judged otherwise later."""
    first: dict[tuple[int, bytes, int], int] = {}
    for record in records:
        for event in record.batch.events if record.batch else ():
            if event.visitor:
                key = (event.site_id, event.visitor, event.day)
                first[key] = min(first.get(key, event.ts), event.ts)
    # Sorted, so that two nodes take their locks in one order.
    return sorted((*key, at) for key, at in first.items())


class _OpenRow:
    """A row that still takes events; `batch_id` is the batch that it took the last ones of."""

    __slots__ = ("at", "batch_id", "bytes", "events", "id", "site_id")

    def __init__(self, site_id: int, row_id: bytes, at: int) -> None:
        self.site_id = site_id
        self.id = row_id
        self.at = at
        self.batch_id = b""
        self.events: list[Event] = []
        self.bytes = 0

    def has_room(self, events: int, size: int) -> bool:
        return len(self.events) + events <= ROW_EVENTS and self.bytes + size <= ROW_BYTES

    def closed(self) -> InboxRow:
        return InboxRow(self.site_id, self.id, self.at, len(self.events), encode_events(self.events))


def _row_id(batch: Batch, before: _OpenRow | None) -> bytes:
    """Return the batch's id, or one beside it when the row `before` has events of the same batch."""
    if before is None or before.batch_id != batch.id:
        return batch.id
    return batch.id[:6] + os.urandom(10)


def _by_site(batch: Batch, size: int) -> Iterable[tuple[int, list[Event], int]]:
    """Split a batch into parts of one site that each fit into a row, with the bytes they take at most."""
    if size > ROW_BYTES:
        return [(event.site_id, [event], len(encode_events([event]))) for event in batch.events]
    parts: dict[int, list[Event]] = {}
    for event in batch.events:
        parts.setdefault(event.site_id, []).append(event)
    return [
        (site_id, events[start : start + ROW_EVENTS], size)
        for site_id, events in parts.items()
        for start in range(0, len(events), ROW_EVENTS)
    ]


def _problem_of_batch(batch: Batch) -> str:
    if len(batch.id) != 16:
        return f"a batch's id has 16 bytes, not {len(batch.id)}"
    if not 0 <= batch.at <= _MOST_INTEGER:
        return "the batch's time is out of range"
    for visit in batch.visits:
        if len(visit.page_hash) != 16 or (visit.id is not None and len(visit.id) != 16):
            return "a hash or id of a visit has not 16 bytes"
        if not 0 < visit.site_id <= _MOST_INTEGER:
            return "the site_id of a visit is out of range"
    return ""


def _problem_of_event(event: Event) -> str:
    if len(event.id) != 16:
        return f"an event's id has 16 bytes, not {len(event.id)}"
    if len(event.visitor) not in (0, 16):
        return f"a visitor's hash has 16 bytes or none, not {len(event.visitor)}"
    if not 0 < event.site_id <= _MOST_INTEGER:
        return "the site_id is out of range"
    if not (0 <= event.ts <= _MOST_INTEGER and 0 <= event.at <= _MOST_INTEGER and 0 <= event.day <= _MOST_DAY):
        return "a time or the day is out of range"
    return ""
