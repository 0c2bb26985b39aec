"""The rights of the people who are counted: find, export and erase what is stored of one; for the API and commands."""

import time
from collections.abc import Callable, Iterator

import msgspec

from visitor_tracker.access.audit import Audit
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.who import Who
from visitor_tracker.config import Config
from visitor_tracker.ingest.erasing import Eraser, Found
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.subjects import Match, Subject, find
from visitor_tracker.reports.export import Exporter, addresses_of
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store.sql import SqlStore

STAYS_NOTE = "sums of hours, days and months, heatmaps and counts of pages stay: they tell of nobody"


class Erased(msgspec.Struct, frozen=True):
    """What is stored of somebody (`dry_run`), or was erased; `done` false: the rest is erased within a minute."""

    visitors: int
    visits: int
    events: int
    recordings: int
    ip_records: int
    dry_run: bool
    done: bool
    notes: list[str]


class Rights:
    """Any thread."""

    def __init__(self, store: SqlStore, config: Config, audit: Audit, clock: Callable[[], int]) -> None:
        """`clock` is epoch ms."""
        self._store = store
        self._config = config
        self._audit = audit
        self._clock = clock
        self._eraser = Eraser(store, clock)

    def find(self, snapshot: Snapshot, site: Site, subject: Subject) -> Match:
        """Return which visitors somebody is; raises ValueError for an address that is none."""
        found = find(self._store.database, snapshot, site, subject)
        addresses = set(found.addresses) | addresses_of(self._store.database, site, found.visitors)
        return msgspec.structs.replace(found, addresses=tuple(sorted(addresses)))

    def look(self, site: Site, match: Match) -> Erased:
        """Return how much is stored."""
        return self._told(self._measured(site, match), match, dry_run=True, done=True)

    def export(self, site: Site, match: Match, recordings_most: int | None = None) -> Iterator[bytes]:
        """Yield all that is stored, as one JSON object."""
        exporter = Exporter(self._store.database, self._clock, recordings_most)
        return exporter.pieces(site, self._policy(site), match.visitors, match.addresses, (*match.notes, STAYS_NOTE))

    def erase(self, who: Who, site: Site, match: Match, seconds: float | None = None) -> Erased:
        """Erase all of it; after `seconds` the housekeeping does the rest. What was erased is in the audit log."""
        found = self._measured(site, match)
        row = self._audit.row(who, "visitor.erased", site_id=site.id, detail=msgspec.structs.asdict(found))
        visitors = (*match.visitors, *match.unstored)
        begun = self._eraser.begin(site.id, self._rule(site), visitors, row, addresses=match.addresses)
        until = None if seconds is None else time.monotonic() + seconds

        def is_over() -> bool:
            return until is not None and time.monotonic() >= until

        self._eraser.finish(begun, is_over)
        return self._told(found, match, dry_run=False, done=not is_over())

    def erase_visit(self, who: Who, site: Site, visitor: bytes, visit: VisitorSession) -> None:
        """Erase one visit."""
        row = self._audit.row(who, "visit.erased", site_id=site.id)
        self._eraser.finish([self._eraser.begin_visit(site.id, self._rule(site), visitor, visit, row)])

    def note_export(self, who: Who, site: Site, match: Match) -> None:
        """Write into the audit log that somebody's data was exported."""
        self._audit.note(who, "visitor.exported", site_id=site.id, detail={"visitors": len(match.visitors)})

    def _measured(self, site: Site, match: Match) -> Found:
        found = self._eraser.look(site.id, self._rule(site), match.visitors)
        return msgspec.structs.replace(found, ip_records=max(found.ip_records, len(match.addresses)))

    def _told(self, found: Found, match: Match, *, dry_run: bool, done: bool) -> Erased:
        notes = [*match.notes, STAYS_NOTE]
        return Erased(**msgspec.structs.asdict(found), dry_run=dry_run, done=done, notes=notes)

    def _policy(self, site: Site) -> Policy:
        return site.policy or policy_of(self._config.identity)

    def _rule(self, site: Site) -> Rule:
        return Rule(site.timezone, self._policy(site).visitor == "daily")
