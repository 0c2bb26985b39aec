"""Count a batch of visits inside one transaction.

    event_ids: insert those not seen, read back which are ours      (only visits that carry an id)
    visitors:  one sorted multi-row upsert, read the rows back      (k visits of a page get T-k+1 … T)
    ledger:    the batch id with the results                        (last, so that it is one insert)

Every writer takes its locks in this order and by ascending key, so two batches cannot wait for each other.

The ledger row may come last: whatever a transaction did is undone with it. Of two transactions of the same
batch (a client's retry and the one that a server still has in hand) the second waits for the first one's
locks and then fails on the ledger's key with DuplicateKey; the caller rolls back and returns the stored results.
"""

from collections.abc import Iterable, Sequence

import msgspec

from visitor_tracker.event import Counted, Visit
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


def count(session: Session, batch_id: bytes, visits: Sequence[Visit], at: int) -> Results:
    """Count the visits and write the ledger row."""
    duplicates = _duplicates(session, batch_id, visits, at)
    increments: dict[PageKey, int] = {}
    urls: dict[PageKey, str] = {}
    keys = [(visit.site_id, visit.page_hash) for visit in visits]
    for position, visit in enumerate(visits):
        key = keys[position]
        if key not in urls:
            urls[key] = visit.page_url
            increments[key] = 0
        if position not in duplicates:
            increments[key] += 1
    values: list[Value] = []
    for key in sorted(increments):
        if increments[key]:
            values += (*key, urls[key], increments[key], at, at)
    send_rows(session, ADD_VISITS, 6, values)
    results = _read_back(session, keys, increments, duplicates, at)
    session.send(ADD_TO_LEDGER, (batch_id, at, _encode(results)))
    return results


def stored(session: Session, batch_id: bytes) -> Results | None:
    """Return the results of a batch that is in the ledger."""
    rows = session.ask(READ_LEDGER, (batch_id,))
    return _decode(rows[0][0]) if rows else None


def _read_back(
    session: Session, keys: list[PageKey], pages: Iterable[PageKey], duplicates: frozenset[int], at: int
) -> Results:
    number: dict[PageKey, int] = {}
    found: list[tuple[int, int, int]] = []
    for site_id, hashes in by_site(pages):
        for page_hash, *row in ask_rows(session, READ_PAGES, (site_id,), hashes):
            number[site_id, page_hash] = len(found)
            found.append((row[0], row[1], row[2]))
    for key in pages:
        if key not in number:  # its id was counted for another page: this one has never been visited
            number[key] = len(found)
            found.append((0, at, at))
    return Results(found, [number[key] for key in keys], sorted(duplicates))


def _duplicates(session: Session, batch_id: bytes, visits: Sequence[Visit], at: int) -> frozenset[int]:
    """Return the positions of visits whose id came before, in another batch or in this one."""
    first: dict[tuple[int, bytes], int] = {}
    for position, visit in enumerate(visits):
        if visit.id is not None:
            first.setdefault((visit.site_id, visit.id), position)
    if not first:
        return frozenset()
    values: list[Value] = []
    for site_id, visit_id in sorted(first):
        values += (site_id, visit_id, batch_id, at)
    send_rows(session, CLAIM_IDS, 4, values)
    ours = {
        first[site_id, row[0]]
        for site_id, ids in by_site(first)
        for row in ask_rows(session, READ_IDS, (batch_id, site_id), ids)
    }
    return frozenset(position for position, visit in enumerate(visits) if visit.id is not None and position not in ours)


def by_site(keys: Iterable[tuple[int, bytes]]) -> list[tuple[int, list[bytes]]]:
    """Group the second parts of keys by site, both ascending."""
    groups: dict[int, list[bytes]] = {}
    for site_id, key in sorted(keys):
        groups.setdefault(site_id, []).append(key)
    return list(groups.items())
