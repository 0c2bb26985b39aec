"""Print how many events a server of ours holds, in its journal, in the inbox of its store and folded, each id once.

events.py JOURNAL STORE-URL
"""

import sys
from pathlib import Path

from visitor_tracker.event import decode_batch, decode_events
from visitor_tracker.ingest import segments
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.open import open_store
from visitor_tracker.store.session import Rows
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

FOLDED = "select id from events where site_id = ?"


def main() -> None:
    journal, url = Path(sys.argv[1]), sys.argv[2]
    ids: set[bytes] = set()
    for segment in segments.scan(journal):
        position = 0
        while True:
            piece = segment.read(position, 1 << 22)
            ids.update(event.id for record in piece.batches for event in decode_batch(record.payload).events)
            if piece.position == position:
                break
            position = piece.position
    if url:  # a process that was stopped may have the turn to write, for which opening the store would wait
        ids |= in_store(url)
    print(len(ids))


def folded(store: SqlStore, site_id: int) -> Rows:
    return store.database.read(lambda session: session.ask(FOLDED, (site_id,)))


def in_store(url: str) -> set[bytes]:
    """Return what waits and what is folded; in this order, for the fold may be at work."""
    ids: set[bytes] = set()
    store = open_store(url)
    inbox = Inbox(store.database)
    for site in SiteTable(store.database).all():
        after = b""
        while rows := inbox.rows(site.id, 100, after):
            ids.update(event.id for row in rows for event in decode_events(row.body))
            after = rows[-1].id
        ids.update(bytes(event_id) for (event_id,) in folded(store, site.id))
    store.close()
    return ids


if __name__ == "__main__":
    main()
