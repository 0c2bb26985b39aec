"""Take files into the store, each line once.

    Source ─lines─▶ Format ─LogLine─▶ LineReader ─events─▶ batch ─one transaction─▶ inbox, journal_cursor ─▶ fold

A file is to the store what a segment of the journal is: the transaction that adds its events moves its cursor behind
the last line taken. So an import that was killed goes on where it was, and one that is repeated finds nothing to do.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from visitor_tracker.errors import OutcomeUnknown, TrackerError
from visitor_tracker.event import Batch, Event, InboxRow, encode_events
from visitor_tracker.ingest.parcel import ROW_BYTES, Record, seen_of
from visitor_tracker.ingest.segments import time_ordered_id
from visitor_tracker.jobs.importing.line import BrokenLine
from visitor_tracker.jobs.importing.planning import Planned
from visitor_tracker.jobs.importing.reading import LineReader
from visitor_tracker.jobs.importing.resume import Resume
from visitor_tracker.jobs.importing.sources import Source, SourceError, text_of
from visitor_tracker.jobs.importing.tally import Problem, Tally
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.session import Session

_BATCH_EVENTS = 1_000  # of one transaction: SQLite's other writers wait for its end
_BATCH_LINES = 50_000  # after which the cursor moves though few of them were visits
_PROGRESS_LINES = 1_000
FOR_EVER = 253_370_764_800_000  # epoch ms in the year 9999: old cursors are deleted, and these must stay
_TRIES = 3


class ImportFailed(TrackerError):
    """The import cannot go on; the message says what to do."""


class Done(msgspec.Struct, frozen=True):
    """What became of a file: `new_bytes` of it, unpacked, were not in the store; `problem` is why there are no more."""

    name: str
    new_bytes: int
    problem: str = ""


class _Taking:
    """A file that is being taken: where the store has it, and what is not stored yet."""

    __slots__ = ("before", "events", "lines", "plan", "position", "start", "stored", "stored_lines", "waiting_from")

    def __init__(self, plan: Planned, start: int, stored: int) -> None:
        self.plan = plan
        self.start = start
        self.stored = stored  # the cursor in the store
        self.position = start  # behind the last line
        self.waiting_from = start  # where what is not stored begins
        self.lines = self.stored_lines = 0
        self.before: int | None = None  # lines before `start`, once somebody asks
        self.events: list[Event] = []

    def line_number(self) -> int:
        """Return the number of the line at hand, 0 where that is not known."""
        if self.before is None:
            self.before = self.plan.source.lines_before(self.start)
        return 0 if self.before is None else self.before + self.lines


class Importer:
    """Belongs to one thread."""

    def __init__(
        self,
        reader: LineReader,
        *,
        inbox: Inbox | None = None,
        resume: Resume | None = None,
        fold: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Source, Tally], None] = lambda source, tally: None,
    ) -> None:
        """Without `inbox` nothing is stored; `fold` is called after each transaction for as long as it says True."""
        self.tally = Tally()
        self._reader = reader
        self._inbox = inbox
        self._resume = resume
        self._fold = fold
        self._on_progress = on_progress

    def run(self, plans: Sequence[Planned]) -> Iterator[Done]:
        """Take the files one after the other; raises what the store raises, and ImportFailed."""
        for plan in plans:
            if self._resume is not None:
                self._resume.begin(plan.id, plan.source.name)
            start, stored = (0, 0) if self._inbox is None else plan.begin(self._inbox)
            yield self._take(_Taking(plan, start, stored))
            if self._resume is not None:
                self._resume.finish(plan.id)

    def _take(self, file: _Taking) -> Done:
        source, problem = file.plan.source, ""
        try:
            for raw, end in source.lines(file.start):
                self._take_line(file, raw, end)
                if len(file.events) >= _BATCH_EVENTS or file.lines - file.stored_lines >= _BATCH_LINES:
                    self._store(file)
                if not file.lines % _PROGRESS_LINES:
                    self._on_progress(source, self.tally)
        except SourceError as error:
            problem = str(error)
        self._store(file)
        return Done(source.name, file.position - file.start, problem)

    def _take_line(self, file: _Taking, raw: bytes | None, end: int) -> None:
        tally = self.tally
        tally.lines += 1
        file.lines += 1
        file.position = end
        if raw is None:
            tally.skipped["too long"] += 1
            return
        text = text_of(raw)
        if not text.strip():
            tally.skipped["empty"] += 1
            return
        try:
            line = file.plan.read(text)
        except BrokenLine as error:
            tally.broken += 1
            if tally.may_show_more:
                tally.problems.append(Problem(file.plan.source.name, file.line_number(), str(error)))
            return
        outcome = "no request" if line is None else self._reader.event(line, file.plan.id, end)
        if isinstance(outcome, str):
            tally.skipped[outcome] += 1
        else:
            tally.take(outcome)
            file.events.append(outcome)

    def _store(self, file: _Taking) -> None:
        """Store what is waiting and move the cursor behind it."""
        events, file.events, file.stored_lines = file.events, [], file.lines
        if file.position == file.waiting_from or self._inbox is None:
            return
        plan = file.plan
        drain_once(self._inbox, events, file_id=plan.id, name=plan.source.name, old=file.stored, new=file.position)
        file.stored = file.waiting_from = file.position
        while self._fold():
            pass


def drain_once(  # noqa: PLR0913 - the rest by keyword
    inbox: Inbox,
    events: Sequence[Event],
    *,
    file_id: bytes,
    name: str,
    old: int,
    new: int,
    also: Callable[[Session], None] = lambda session: None,
) -> None:
    """Store events and move the file's cursor in one transaction, again where its outcome was not known.

    Raises ImportFailed where somebody else moves the cursor.
    """
    now = time.time_ns() // 1_000_000
    rows = list(_rows(events, now))
    seen = seen_of([Record(b"", 0, Batch(b"", now, list(events)))])
    for left in range(_TRIES - 1, -1, -1):
        try:
            if inbox.drain(rows, seen, segment_id=file_id, old=old, new=new, at=FOR_EVER, also=also):
                return
        except OutcomeUnknown:
            if not left:
                raise
            continue
        break
    if inbox.positions([file_id]).get(file_id) != new:  # else the try whose outcome was not known had stored it
        raise ImportFailed(f"{name} is being imported elsewhere: run the same command afterwards")


def _rows(events: Sequence[Event], now: int) -> Iterator[InboxRow]:
    """Return the events as rows, those of one site in their order."""
    sites: dict[int, list[Event]] = {}
    for event in events:
        sites.setdefault(event.site_id, []).append(event)
    for site_id, own in sites.items():
        yield from _fitting(site_id, own, now)


def _fitting(site_id: int, events: Sequence[Event], now: int) -> Iterator[InboxRow]:
    body = encode_events(events)
    if len(body) > ROW_BYTES and len(events) > 1:
        middle = len(events) // 2
        yield from _fitting(site_id, events[:middle], now)
        yield from _fitting(site_id, events[middle:], now)
    else:
        yield InboxRow(site_id, time_ordered_id(), now, len(events), body)
