"""Compare what clients were told with what the tables and the reports have in the end."""

from collections import Counter

from tests.end_to_end.hits import Senders, Told
from tests.folded import waiting_events
from tests.running import Server, until
from visitor_tracker.event import DEFAULT_SITE, Event
from visitor_tracker.ingest.inspection import status
from visitor_tracker.store import open_store

SOME = 150  # events, between two faults


def wait_for_some(senders: Senders, number: int = SOME) -> None:
    """Wait until so many more were accepted."""
    mark = senders.accepted + number
    until(lambda: senders.accepted >= mark, lambda: f"too few were accepted: {senders}")


def is_folded(server: Server, store_url: str) -> bool:
    """Say whether nothing waits in the journal, nor in the inbox."""
    store = open_store(store_url)
    found = status(server.folder / "data" / "journal", store)
    store.close()
    return found.waiting_bytes == 0 and waiting_events(store_url) == 0


def check_totals(store_url: str, events: list[Event]) -> None:
    """Compare the reports with the events: each one a page view and a visit of a visitor of its own."""
    store = open_store(store_url)
    totals = {}
    for grain in ("hour", "day", "month"):
        sql = f"select sum(visitors), sum(visits), sum(views) from rollup_{grain} where site_id = %s and dimension = 0"
        totals[grain] = tuple(map(int, store.execute(sql, (DEFAULT_SITE,))[0]))
    store.close()
    assert set(totals.values()) == {(len(events),) * 3}


def check_events(told: Told, events: list[Event]) -> None:
    """Compare what the clients were told with what is stored."""
    assert told.wrong == []
    stored = Counter(event.id for event in events)
    assert max(stored.values()) == 1, "an event was stored twice"
    assert told.accepted <= stored.keys(), f"{len(told.accepted - stored.keys())} acknowledged events are lost"
    assert stored.keys() <= told.accepted | told.unanswered, "a refused event was stored"
    visitors = Counter(event.visitor for event in events)
    assert visitors.most_common(1)[0][1] == 1, f"each was sent by a new visitor, not {visitors.most_common(2)}"
