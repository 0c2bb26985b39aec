"""Count a batch of visits inside one transaction.

    event_ids: insert those not seen, read back which are ours      (only visits that carry an id)
    visitors:  one sorted multi-row upsert, read the rows back      (k visits of a page get T-k+1 … T)
    inbox:     the same visits as events, for the fold              (only when given, and then visitor_days)
    ledger:    the batch id with the results                        (last, so that it is one insert)

Every writer takes its locks in this order and by ascending key, so two batches cannot wait for each other.

The ledger row may come last: whatever a transaction did is undone with it. Of two transactions of the same
batch (a client's retry and the one that a server still has in hand) the second waits for the first one's
locks and then fails on the ledger's key with DuplicateKey; the caller rolls back and returns the stored results.
"""

from collections.abc import Sequence

import msgspec

from visitor_tracker.event import Counted, InboxRow, Visit
from visitor_tracker.store.base import Seen
from visitor_tracker.store.inbox import add_days, add_rows
from visitor_tracker.store.session import Session, Value, ask_rows, send_rows

ADD_VISITS = """/* Store.count */
insert into visitors (site_id, page_hash, page_url, visit_count, last_visited, created_at)
values [(?, ?, ?, ?, ?, ?)]
{add_visits}"""

READ_PAGES = """/* Store.count */
select page_hash, visit_count, last_visited, created_at
from visitors
where site_id = ? and page_hash in ([?])"""

CLAIM_IDS = """/* Store.count */
insert into event_ids (site_id, scope, id, batch_id, at)
values [(?, 'counter', ?, ?, ?)]
{keep_old_id}"""

READ_IDS = """/* Store.count */
select id
from event_ids
where batch_id = ? and site_id = ? and scope = 'counter' and id in ([?])"""

ADD_TO_LEDGER = """/* Store.count */
insert into ledger (batch_id, at, results)
values (?, ?, ?)"""

READ_LEDGER = """/* Store.count */
select results
from ledger
where batch_id = ?"""

PageKey = tuple[int, bytes]  # site_id, page_hash: sorts as the primary key does


class Results(msgspec.Struct, frozen=True, array_like=True):
    """What a batch came to, as the ledger keeps it: about 10 bytes per page and one per visit.

    `pages` has (visit_count, last_visited, created_at) of each page after the batch, `page_of` each visit's
    index into it, `duplicates` the positions of the visits that counted nothing.
    """

    pages: list[tuple[int, int, int]]
    page_of: list[int]
    duplicates: list[int]

    def counted(self) -> list[Counted]:
        """Give every visit its own number, in the order of the batch."""
        found = [_LAST] * len(self.page_of)
        duplicates = set(self.duplicates)
        left = [page[0] for page in self.pages]
        for position in range(len(found) - 1, -1, -1):
            page = self.page_of[position]
            total, last_visited, created_at = self.pages[page]
            if position in duplicates:
                found[position] = Counted(total, last_visited, created_at, True)
            else:
                found[position] = Counted(left[page], last_visited, created_at)
                left[page] -= 1
        return found


_LAST = Counted(0, 0, 0)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Results).decode


def count(  # noqa: PLR0913 - the rest by keyword
    session: Session,
    batch_id: bytes,
    visits: Sequence[Visit],
    at: int,
    *,
    events: Sequence[InboxRow] = (),
    seen: Sequence[Seen] = (),
) -> Results:
    """Count the visits, add the rows and write the ledger row."""
    results = _count_visits(session, batch_id, visits, at)
    if events:
        add_rows(session, events)
    if seen:
        add_days(session, seen)
    session.send(ADD_TO_LEDGER, (batch_id, at, _encode(results)))
    return results


def _count_visits(session: Session, batch_id: bytes, visits: Sequence[Visit], at: int) -> Results:
    duplicates = _duplicates(session, batch_id, visits, at)
    pages: dict[PageKey, int] = {}  # numbered in the order of the batch
    first_visits: list[Visit] = []
    added: list[int] = []
    page_of: list[int] = []
    for visit in visits:
        key = (visit.site_id, visit.page_hash)
        page = pages.get(key)
        if page is None:
            page = pages[key] = len(added)
            first_visits.append(visit)
            added.append(0)
        page_of.append(page)
        added[page] += 1
    for position in duplicates:
        added[page_of[position]] -= 1
    keys = sorted(pages)
    values: list[Value] = []
    for key in keys:
        page = pages[key]
        if added[page]:
            values += (*key, first_visits[page].page_url, added[page], at, at)
    send_rows(session, ADD_VISITS, 6, values)
    # A page that stays so was never visited: its visit's id had been counted for another page.
    totals = [(0, at, at)] * len(pages)
    for site_id, hashes in by_site(keys):
        for page_hash, visit_count, last_visited, created_at in ask_rows(session, READ_PAGES, (site_id,), hashes):
            totals[pages[site_id, page_hash]] = (visit_count, last_visited, created_at)
    return Results(totals, page_of, duplicates)


def stored(session: Session, batch_id: bytes) -> Results | None:
    """Return the results of a batch that is in the ledger."""
    rows = session.ask(READ_LEDGER, (batch_id,))
    return _decode(rows[0][0]) if rows else None


def _duplicates(session: Session, batch_id: bytes, visits: Sequence[Visit], at: int) -> list[int]:
    """Return the positions of visits whose id came before, in another batch or in this one."""
    with_id = [(position, (visit.site_id, visit.id)) for position, visit in enumerate(visits) if visit.id is not None]
    if not with_id:
        return []
    first: dict[tuple[int, bytes], int] = {}
    for position, key in with_id:
        first.setdefault(key, position)
    ids = sorted(first)
    values: list[Value] = []
    for site_id, visit_id in ids:
        values += (site_id, visit_id, batch_id, at)
    send_rows(session, CLAIM_IDS, 4, values)
    ours = {
        first[site_id, row[0]]
        for site_id, of_site in by_site(ids)
        for row in ask_rows(session, READ_IDS, (batch_id, site_id), of_site)
    }
    return [position for position, _ in with_id if position not in ours]


def by_site(keys: Sequence[tuple[int, bytes]]) -> list[tuple[int, list[bytes]]]:
    """Group the second parts of sorted keys by site."""
    groups: dict[int, list[bytes]] = {}
    for site_id, key in keys:
        groups.setdefault(site_id, []).append(key)
    return list(groups.items())
