"""What visitors sent and nobody has counted yet: in this node's journal, and in the inbox."""

from contextlib import suppress
from pathlib import Path

from visitor_tracker.config.site_stores import place_of
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.ingest.parcel import read_record
from visitor_tracker.ingest.segments import READ_BYTES, Segment, scan
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, View
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.alert_looks import LookTable
from visitor_tracker.store.folding import FoldTables
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore

_BEHIND_MS = 3 * MINUTE_MS


def is_behind(view: View) -> bool:
    """Say whether so much waits that what is missing in the numbers may be that."""
    own = next((each for each in view.config.site_stores if each.name == view.site.name), None)
    if own is None:
        since = waiting_since(view.store, view.config.journal_folder)
    else:
        since = waiting_since(view.store.of_site(view.site.id), place_of(view.config, own).journal)
    return bool(since) and view.now - since > _BEHIND_MS


def waiting_anywhere(view: View) -> int:
    """Return the same of all databases; of one site's that is away, what its journal has is said to wait."""
    found = [waiting_since(view.store, view.config.journal_folder)]
    for site in view.config.site_stores:
        journal = place_of(view.config, site).journal
        try:
            found.append(waiting_since(view.store.of_site(site_id_of(site.name)), journal))
        except (StoreUnavailable, OutcomeUnknown):
            found += [_oldest(each, 0) for each in scan(journal)]
    return min(filter(None, found), default=0)


def waiting_since(store: SqlStore, journal: Path) -> int:
    """Return when the oldest event came that is not counted yet, epoch ms, 0: none; raises what the store raises."""
    sites = FoldTables(store.database).sites_waiting()
    found = [LookTable(store.database).waiting_since(sites)]
    segments = scan(journal) if journal.is_dir() else []
    positions = Inbox(store.database).positions([each.id for each in segments]) if segments else {}
    found += [_oldest(each, positions.get(each.id, 0)) for each in segments]
    return min(filter(None, found), default=0)


def _oldest(segment: Segment, position: int) -> int:
    """Return when the first batch was taken that is not drained, 0: there is none."""
    with suppress(FileNotFoundError):  # just drained, and deleted
        if segment.synced_length() <= position:
            return 0
        for found in segment.read(position, READ_BYTES).batches:
            record = read_record(*found)
            if record.batch is not None:
                return record.batch.at
    return 0
