"""A journal to try things with, and a record of whom it told what."""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.ingest.journal_child import event, payloads
from visitor_tracker.config import JournalConfig
from visitor_tracker.event import Batch, decode_batch
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.ingest.segments import Segment, scan
from visitor_tracker.metrics import Cell, Metrics

WAIT_SECONDS = 30.0
KINDS = [(commit, durability) for commit in ("inline", "committer") for durability in ("full", "relaxed")]
MIB = 1 << 20


class Answers:
    """Notes how often each was told what."""

    def __init__(self) -> None:
        self.told: Tally[tuple[int, bool]] = Tally()
        self._changed = threading.Condition()

    def of(self, number: int) -> Callable[[bool], None]:
        def done(stored: bool) -> None:
            with self._changed:
                self.told[number, stored] += 1
                self._changed.notify_all()

        return done

    def wait(self, expected: dict[tuple[int, bool], int]) -> None:
        """Wait for that many answers, which must be these."""
        with self._changed:
            self._changed.wait_for(lambda: self.told.total() >= sum(expected.values()), WAIT_SECONDS)
        assert self.told == expected


def once(*told: int, stored: bool = True) -> dict[tuple[int, bool], int]:
    return dict.fromkeys(((number, stored) for number in told), 1)


class Bench:
    """A journal in a folder, and what it has said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        self.metrics = Metrics()
        self.answers = Answers()
        self.journal: Journal

    def open(self, commit: str = "inline", durability: str = "full", *, most: int = 4096, mib: int = 4096) -> Journal:
        self.journal = Journal(
            self.folder,
            self.metrics.counters(),
            config=msgspec.convert({"commit": commit, "max_bytes": mib * MIB}, JournalConfig),
            durability="relaxed" if durability == "relaxed" else "full",
            most_waiting=most,
        )
        return self.journal

    def send(self, *sent: int) -> list[int]:
        """Journal events, one by one, and flush; return those that were taken."""
        taken = [number for number in sent if self.journal.add([event(number)], self.answers.of(number))]
        self.journal.flush()
        return taken

    def batches(self) -> list[Batch]:
        return [decode_batch(payload) for payload in payloads(self.folder)]

    def segments(self) -> list[Segment]:
        return scan(self.folder)

    def total(self, cell: Cell) -> int:
        return self.metrics.total(cell)
