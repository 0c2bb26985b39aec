"""Take the visitors of a visitors.json into the store, each view once."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import msgspec

from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import judge
from visitor_tracker.jobs.importing.importer import FOR_EVER, ImportFailed, drain_once
from visitor_tracker.jobs.importing.reading import LineReader
from visitor_tracker.jobs.importing.records import RecordsFile, event_of, ip_record_of, views_of
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.ip_records import IpRecord, merge_ip_records
from visitor_tracker.store.session import Session

_BATCH_EVENTS = 1_000  # of one transaction: SQLite's other writers wait for its end
_MARK_BYTES = 7  # of the file's id, so that a cursor holds them


class Taken(msgspec.Struct):
    """What an import came to, so far; `skipped` are views by the reason."""

    visitors: int = 0
    addresses: int = 0  # visitors of whom there is a record now
    views: int = 0
    robots: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    was_there: int = 0  # views that the store had already


class RecordImporter:
    """Belongs to one thread."""

    def __init__(
        self, reader: LineReader, site_id: int, *, inbox: Inbox | None = None, fold: Callable[[], bool] = lambda: False
    ) -> None:
        """Without `inbox` nothing is stored; `fold` is called after each transaction for as long as it says True."""
        self._reader = reader
        self._site_id = site_id
        self._inbox = inbox
        self._fold = fold

    def run(self, file: RecordsFile) -> Taken:
        """Take what is not stored yet; raises what the store raises, and ImportFailed."""
        start = self._begin(file)
        taken = Taken(was_there=start)
        events: list[Event] = []
        kept: list[IpRecord] = []
        stored = position = start
        for position, record, line, is_first in views_of(file, start):
            found = self._reader.event(line, file.id, position)
            if isinstance(found, str):
                taken.skipped[found] += 1
                continue
            if is_first:
                taken.visitors += 1
                if (own := ip_record_of(found, record)) is not None:
                    kept.append(own)
                    taken.addresses += 1
            is_robot = judge(found.signals)
            taken.robots += is_robot
            taken.views += not is_robot
            events.append(event_of(found, record))
            if len(events) >= _BATCH_EVENTS:
                self._store(file, events, kept, stored, position)
                stored, events, kept = position, [], []
        if position > stored:
            self._store(file, events, kept, stored, position)
        return taken

    def _begin(self, file: RecordsFile) -> int:
        """Return how many views of the file are stored; raises ImportFailed for another copy of one that was taken."""
        if self._inbox is None or not file.records:
            return 0
        mark = int.from_bytes(file.id[:_MARK_BYTES], "big") + 1
        if not self._inbox.drain([], [], segment_id=file.known_by, old=0, new=mark, at=FOR_EVER):
            positions = self._inbox.positions([file.known_by, file.id])
            if positions.get(file.known_by) != mark:
                raise ImportFailed(
                    f"{file.name}: another copy of this file was imported before, and what came since cannot be told"
                    " apart; import it once, when the middleware has stopped"
                )
            return positions.get(file.id, 0)
        return 0

    def _store(self, file: RecordsFile, events: list[Event], kept: list[IpRecord], old: int, new: int) -> None:
        if self._inbox is None:
            return
        also = partial(_merge, site_id=self._site_id, kept=tuple(kept))
        drain_once(self._inbox, events, file_id=file.id, name=file.name, old=old, new=new, also=also)
        while self._fold():
            pass


def _merge(session: Session, *, site_id: int, kept: tuple[IpRecord, ...]) -> None:
    merge_ip_records(session, site_id, kept)
