"""Move what the journals of this node hold into the store, exactly once.

    folder/*.segment ──read──▶ records ──one transaction──▶ inbox, visitor_days, journal_cursor
                                 │ batches of the counter ──▶ Store.count, which its ledger makes exactly-once
                                 └ what no store takes    ──▶ dead_letters, else folder/dead/

The transaction moves the segment's cursor from where the records begin to where they end, so what was stored is
never stored again: who finds the cursor elsewhere has stored nothing and asks where it is. While the store is away
everything stays in the journal.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from visitor_tracker.config import JournalConfig
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import InboxRow
from visitor_tracker.ingest import reclaim
from visitor_tracker.ingest.parcel import Record, Refused, is_forgotten, next_group, read_record, rows_of, seen_of
from visitor_tracker.ingest.segments import Segment, scan
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import Seen
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.session import ValueRefused
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20  # read of one segment before the next one has its turn
_MOST_EVENTS = {"sqlite": 1_000, "mysql": 2_000}  # of one transaction: SQLite's other writers wait for its end
_MOST_RECORDS = 1 << 16  # of one transaction; it begins with one again after an error
_MOST_REASON = 500  # characters
_IDLE_SECONDS = 0.1
_PAUSE_SECONDS = (0.1, 2.0)  # first and longest pause while the store is away
_LAST_SECONDS = 5.0  # to drain what is left when the server stops
# What is said of values; the last two are a driver's, for those that it cannot send. Where the store itself fails, as
# without a table, everything waits in the journal.
_REFUSALS = (ValueRefused, ValueError, OverflowError)


class _Progress:
    """What is known of one segment; `position` is None until the store has said how far it has it."""

    __slots__ = ("drained", "end", "is_live", "position", "told", "told_damage", "torn_at")

    def __init__(self) -> None:
        self.position: int | None = None
        self.end = 0  # bytes that can be read
        self.is_live = True
        self.drained = False  # it grows no more and the store has it
        self.torn_at = -1  # the end at which nothing valid was left before it
        self.told = self.told_damage = False  # in the log

    @property
    def waiting(self) -> int:
        """Bytes that are not in the store."""
        return 0 if self.drained else max(0, self.end - (self.position or 0))


class Drainer:
    """Belongs to one thread. One for a folder is enough; a second one would double nothing."""

    def __init__(
        self, folder: Path, store: SqlStore, counters: Counters, *, config: JournalConfig | None = None
    ) -> None:
        self._folder = folder
        self._store = store
        self._inbox = Inbox(store.database)
        self._counters = counters
        self._reclaimer = reclaim.Reclaimer(folder, config or JournalConfig())
        self._most_events = _MOST_EVENTS[store.database.dialect]
        self._most_records = _MOST_RECORDS
        self._progress: dict[Path, _Progress] = {}  # by file: a copy of a segment has the same id
        self._stop: threading.Event | None = None
        self._ends_at: float | None = None  # monotonic, once the server stops
        self._pause = 0.0  # until the store, which is away, is asked again
        self._away_since: float | None = None
        self._problem = ""

    def run(self, stop: threading.Event) -> None:
        """Drain until `stop`, and then what is left for some seconds more, if the store is there."""
        self._stop = stop
        while not stop.is_set():
            if not self._step_or_log():
                stop.wait(self._pause or _IDLE_SECONDS)
        while not self._pause and not self._is_over() and self._step_or_log():
            pass

    def step(self) -> bool:
        """Drain a piece of each segment, the oldest first; False: nothing is left, or the store is away."""
        segments = scan(self._folder)
        self._look_at(segments)
        self._measure(segments)  # now too: a store that hangs would keep it from being known
        self._reclaimer.make_room([segment for segment in segments if self._progress[segment.path].drained])
        moved = False
        try:
            self._ask_for(segments)
            for segment in segments:
                if not self._is_over():
                    moved |= self._drain_piece(segment)
        except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
            self._store_failed(error)
            moved = False
        else:
            self._pause = 0.0
        self._publish(segments)
        return moved

    def backlog_bytes(self) -> int:
        """Return how much of the journal was not in the store after the last step."""
        return self._counters.get(Cell.JOURNAL_LAG_BYTES)

    def _step_or_log(self) -> bool:
        try:
            return self.step()
        except Exception as error:
            if repr(error) != self._problem:  # the same one again and again is told once
                log.exception("draining the journal failed and is tried again")
            self._problem = repr(error)
            self._pause = _PAUSE_SECONDS[1]
            return False

    def _is_over(self) -> bool:
        """Say whether the server stops and the time for what was left is over too."""
        if self._stop is None or not self._stop.is_set():
            return False
        if self._ends_at is None:
            self._ends_at = time.monotonic() + _LAST_SECONDS
        return time.monotonic() >= self._ends_at

    # All segments.

    def _look_at(self, segments: Sequence[Segment]) -> None:
        """Learn how far each segment can be read; forget those that are gone."""
        before = self._progress
        self._progress = {segment.path: before.get(segment.path) or _Progress() for segment in segments}
        for segment in segments:
            progress = self._progress[segment.path]
            if progress.drained and segment.size <= progress.end:
                continue
            progress.drained = False  # one that grows all the same is being copied here
            with suppress(FileNotFoundError):  # just deleted: the next listing leaves it out
                progress.is_live = progress.is_live and segment.is_live()
                progress.end = segment.synced_length() if progress.is_live else segment.path.stat().st_size

    def _ask_for(self, segments: Sequence[Segment]) -> None:
        """Ask the store how far it has the segments of which this is not known."""
        unknown = [segment for segment in segments if self._progress[segment.path].position is None]
        if unknown:
            found = self._inbox.positions([segment.id for segment in unknown])
            for segment in unknown:
                self._progress[segment.path].position = found.get(segment.id, 0)

    def _measure(self, segments: Sequence[Segment]) -> int:
        """Publish how large the journal is and return how many bytes of it wait."""
        waiting = sum(progress.waiting for progress in self._progress.values())
        self._counters.set(Cell.JOURNAL_BYTES, sum(segment.size for segment in segments))
        self._counters.set(Cell.JOURNAL_LAG_BYTES, waiting)
        return waiting

    def _publish(self, segments: Sequence[Segment]) -> None:
        waiting = self._measure(segments)
        if self._away_since is not None and not waiting:
            log.info("the journal is drained after %.1f s", time.monotonic() - self._away_since)
            self._away_since = None

    def _store_failed(self, error: Exception) -> None:
        """Wait before the next try, and begin that with a small transaction: a large one may be what was too much."""
        self._counters.add(Cell.STORE_ERRORS)
        first, longest = _PAUSE_SECONDS
        self._pause = min(2 * self._pause, longest) or first
        self._most_records = 1
        if self._away_since is None:
            self._away_since = time.monotonic()
            waiting = sum(progress.waiting for progress in self._progress.values())
            log.warning("the store is away, %d bytes wait in the journal: %s", waiting, error)

    # One segment.

    def _drain_piece(self, segment: Segment) -> bool:
        """Drain up to a piece of the segment; False: there was nothing new in it."""
        progress = self._progress[segment.path]
        position = progress.position
        if progress.drained or position is None:
            return False
        if progress.is_live and (progress.end <= position or progress.end == progress.torn_at):
            return False
        try:
            piece = segment.read(position, _PIECE_BYTES)
        except FileNotFoundError:
            return False
        if not self._store_records(segment, [_settled(read_record(*found)) for found in piece.batches]):
            return True
        if piece.torn:
            progress.torn_at = progress.end
        progress.drained = not progress.is_live and (piece.torn or not piece.batches)
        # Beyond what was synced there may be a record that was never finished: nobody was told that it is stored.
        lost_end = progress.drained and piece.torn and segment.synced_length() > piece.position
        self._note_damage(segment, piece.damaged + lost_end)
        return bool(piece.batches)

    def _store_records(self, segment: Segment, records: Sequence[Record]) -> bool:
        """Store all records in their order; False: not all, what follows the cursor must be read again."""
        start = 0
        while start < len(records):
            group = next_group(records, start, most_events=self._most_events, most_records=self._most_records)
            if self._is_over() or not self._store_group(segment, group):
                return False
            start += len(group)
            self._most_records = min(2 * self._most_records, _MOST_RECORDS)
        return True

    def _store_group(self, segment: Segment, group: Sequence[Record]) -> bool:
        """Store records in one transaction; where that is refused, each alone, and set aside what is refused then."""
        try:
            return self._put(segment, group)
        except _REFUSALS as error:
            if len(group) > 1:
                return all(self._store_group(segment, [record]) for record in group)
            [record] = group
            if record.batch is None:  # not even the cursor moves: that is no fault of the record
                raise
            refused = Refused(str(error), record.payload)
        return self._put(segment, [Record(record.payload, record.end, None, [refused])])

    def _put(self, segment: Segment, group: Sequence[Record]) -> bool:
        """Store what the records hold and move the cursor behind them; False: it was elsewhere."""
        refused = [part for record in group for part in record.refused]
        name = f"{segment.path.stem}-{group[0].end}"
        files = [self._set_aside(part, f"{name}-{number}") for number, part in enumerate(refused)]
        rows, batch = rows_of(group), group[0].batch
        try:
            if batch is not None and batch.visits:  # its rows go with its counts; its cursor may only follow
                self._store.count(batch.id, batch.visits, batch.at, retry=True, events=rows)
                rows = []
            moved = self._move(segment, group[-1].end, rows, seen_of(group))
        except (StoreError, ValueError, OverflowError):
            for file in filter(None, files):  # its record is still in the journal
                file.unlink()
            raise
        if moved:
            self._counters.add(Cell.DRAINED, sum(len(record.batch.events) for record in group if record.batch))
            self._note_refused(segment, refused)
        return moved

    def _move(self, segment: Segment, new: int, rows: Sequence[InboxRow], seen: Sequence[Seen]) -> bool:
        """Store rows and move the cursor in one transaction; False: it was elsewhere and nothing was stored.

        That is so too where the outcome of the try before was not known and it had stored them.
        """
        progress = self._progress[segment.path]
        old = progress.position
        assert old is not None
        moved = self._inbox.drain(rows, seen, segment_id=segment.id, old=old, new=new, at=time.time_ns() // 1_000_000)
        progress.position = new if moved else None
        return moved

    def _set_aside(self, part: Refused, name: str) -> Path | None:
        """Keep what cannot be stored in dead_letters, or where these refuse it in a file, which is returned."""
        try:
            self._inbox.set_aside(part.reason[:_MOST_REASON], part.body, time.time_ns() // 1_000_000)
        except StoreError:
            return reclaim.keep_dead(self._folder, name, part.body)
        return None

    def _note_refused(self, segment: Segment, refused: Sequence[Refused]) -> None:
        progress = self._progress[segment.path]
        self._counters.add(Cell.DEAD_LETTERS, len(refused))
        if refused and not progress.told:
            progress.told = True
            log.error("%s: what cannot be stored is set aside: %s", segment.path, refused[0].reason)

    def _note_damage(self, segment: Segment, damaged: int) -> None:
        progress = self._progress[segment.path]
        self._counters.add(Cell.DRAIN_DAMAGED, damaged)
        if damaged and not progress.told_damage:
            progress.told_damage = True
            log.error("%s is damaged; what can be read of it is stored", segment.path)


def _settled(record: Record) -> Record:
    """Return the record as it is to be stored; a batch that nobody can count exactly once is not."""
    if record.batch is None or not is_forgotten(record.batch, time.time_ns() // 1_000_000):
        return record
    reason = "counted or not, nobody knows: the COMMIT was not answered, and the ledger of that time is gone"
    return Record(record.payload, record.end, None, [Refused(reason, record.payload)])
