"""Sessions, links and addresses as the fold stores them."""

import itertools
import random

import msgspec
import pytest

from tests.store.samples import DAY, NOW, key
from visitor_tracker.sessions.session import Acted, Head, Looked, Mark, VisitorSession
from visitor_tracker.store.ip_records import MOST_PATHS, MOST_USER_AGENTS, IpRecord, merge_ip_records
from visitor_tracker.store.session import Rows
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visits import (
    Link,
    add_client_sessions,
    add_daily_visitors,
    add_links,
    links_of,
    mark_joined,
    put_sessions,
    remove_sessions,
    sessions_in,
)

ALICE, BOB, CAROL = key(7), key(8), key(9)


def visit(first_ts: int = NOW, *, day: int = DAY, days: int = 1, pages: int = 1) -> VisitorSession:
    head = Head(False, first_ts, key(1), day, NOW, -5, 6)
    looked = tuple(Looked(day, NOW, 1, page, 2, 3) for page in range(pages))
    mark = Mark(first_ts, key(2), -9)
    return VisitorSession(
        first_ts, first_ts + 9, day, day + days - 1, head, mark, None, 4, looked, (Acted(day, NOW, 25, 8, 1),)
    )


def found(store: SqlStore, *keys: tuple[int, bytes]) -> list[tuple[int, bytes, VisitorSession]]:
    return sorted(
        store.database.read(lambda session: sessions_in(session, 1, keys)), key=lambda one: (one[:2], one[2].first_ts)
    )


def put(store: SqlStore, *rows: tuple[bytes, VisitorSession], site_id: int = 1) -> None:
    store.database.write(lambda session: put_sessions(session, site_id, rows))


def test_sessions_are_found_by_bucket_and_visitor(store: SqlStore) -> None:
    first, later, before, long = visit(), visit(NOW + 50), visit(day=DAY - 1), visit(NOW + 7, days=3)
    put(store, (BOB, long), (ALICE, later), (ALICE, first), (BOB, before))
    put(store, (ALICE, visit(NOW + 1)), site_id=2)
    assert found(store, (DAY, ALICE)) == [(DAY, ALICE, first), (DAY, ALICE, later)]
    assert found(store, (DAY, BOB), (DAY - 1, CAROL)) == []
    assert found(store, (0, BOB), (DAY - 1, BOB), (0, ALICE)) == [(0, BOB, long), (DAY - 1, BOB, before)]
    assert found(store) == []


def test_a_session_replaces_the_one_that_began_with_it(store: SqlStore) -> None:
    put(store, (ALICE, visit()), (BOB, visit()))
    put(store, (ALICE, visit(pages=200)))
    assert found(store, (DAY, ALICE), (DAY, BOB)) == [(DAY, ALICE, visit(pages=200)), (DAY, BOB, visit())]
    [(last_ts,)] = store.execute("select last_ts from sessions where visitor = %s", (ALICE,))
    assert last_ts == visit().last_ts


def test_sessions_are_removed_one_by_one(store: SqlStore) -> None:
    put(store, (ALICE, visit()), (ALICE, visit(NOW + 50)), (BOB, visit()))
    keys = [(DAY, BOB, NOW + 1), (DAY, ALICE, NOW), (0, BOB, NOW)]
    store.database.write(lambda session: remove_sessions(session, 1, keys))
    assert found(store, (DAY, ALICE), (DAY, BOB)) == [(DAY, ALICE, visit(NOW + 50)), (DAY, BOB, visit())]


@pytest.mark.parametrize("number", [1, 3, 150, 1000, 2500])
def test_many_sessions_are_one_call(store: SqlStore, number: int) -> None:
    rows = [(key(one), visit(NOW + one, day=DAY + one % 3)) for one in range(number)]
    put(store, *random.sample(rows, number))
    keys = [(DAY + one % 3, key(one)) for one in range(number)]
    wanted = [(bucket, visitor, session) for (bucket, visitor), (_, session) in zip(keys, rows, strict=True)]
    assert found(store, *random.sample(keys, number)) == sorted(wanted, key=lambda one: one[:2])
    store.database.write(
        lambda session: remove_sessions(session, 1, [(*one, NOW + at) for at, one in enumerate(keys)][1:])
    )
    assert found(store, *keys) == wanted[:1]


def links(store: SqlStore, *visitors: bytes) -> list[Link]:
    return store.database.read(lambda session: links_of(session, 1, visitors))


def test_a_link_is_found_from_both_ends(store: SqlStore) -> None:
    first, second = Link(BOB, ALICE, NOW), Link(CAROL, BOB, NOW + 5)
    store.database.write(lambda session: add_links(session, 1, [second, first]))
    store.database.write(lambda session: add_links(session, 2, [Link(ALICE, CAROL, NOW)]))
    assert links(store, ALICE) == [first]
    assert links(store, CAROL) == [second]
    assert links(store, BOB) == links(store, ALICE, BOB, CAROL) == [first, second]
    assert links(store, key(1)) == links(store) == []


@pytest.mark.parametrize("order", list(itertools.permutations((0, 5, -5))))
def test_a_link_keeps_its_first_time_and_that_it_is_joined(store: SqlStore, order: tuple[int, ...]) -> None:
    for later in order:
        link = Link(BOB, ALICE, NOW + later, later == 0)
        store.database.write(lambda session, link=link: add_links(session, 1, [link]))  # type: ignore[misc]
    assert links(store, BOB) == [Link(BOB, ALICE, NOW - 5, True)]


def test_links_are_marked_joined(store: SqlStore) -> None:
    given = [Link(BOB, ALICE, NOW), Link(CAROL, ALICE, NOW), Link(CAROL, BOB, NOW)]
    store.database.write(lambda session: add_links(session, 1, given))
    store.database.write(lambda session: mark_joined(session, 1, {(CAROL, BOB), (BOB, ALICE), (BOB, CAROL)}))
    assert links(store, ALICE, BOB) == [
        Link(BOB, ALICE, NOW, True),
        Link(CAROL, ALICE, NOW, False),
        Link(CAROL, BOB, NOW, True),
    ]


def rows_of(store: SqlStore, columns: str, table: str) -> Rows:
    found = store.execute(f"select {columns} from {table} order by {columns}")
    return [tuple(bytes(value) if isinstance(value, bytes | bytearray) else value for value in one) for one in found]


def test_a_session_of_a_page_keeps_when_it_was_first_heard_of(store: SqlStore) -> None:
    for rows in (
        [(CAROL, ALICE, DAY, NOW + 5), (CAROL, ALICE, DAY, NOW + 3), (CAROL, ALICE, DAY + 1, NOW)],
        [(CAROL, ALICE, DAY, NOW + 4), (CAROL, BOB, DAY, NOW), (CAROL, ALICE, DAY + 1, NOW - 1)],
    ):
        store.database.write(lambda session, rows=rows: add_client_sessions(session, 1, rows))  # type: ignore[misc]
    assert rows_of(store, "client, visitor, day, ts", "client_sessions") == [
        (CAROL, ALICE, DAY, NOW + 3),
        (CAROL, ALICE, DAY + 1, NOW - 1),
        (CAROL, BOB, DAY, NOW),
    ]


def test_visitors_of_a_day_are_noted_once(store: SqlStore) -> None:
    for rows in ([(DAY, BOB), (DAY, ALICE)], {(DAY, BOB), (DAY + 1, BOB)}, []):
        store.database.write(lambda session, rows=rows: add_daily_visitors(session, 1, rows))  # type: ignore[misc]
    assert rows_of(store, "site_id, day, visitor", "daily_visitors") == [
        (1, DAY, ALICE),
        (1, DAY, BOB),
        (1, DAY + 1, BOB),
    ]


def address(
    at: int, visits: int = 1, *, ip: str = "192.0.2.1", city: str = "", paths: tuple[str, ...] = ()
) -> IpRecord:
    return IpRecord(ip, NOW + at, NOW + at, visits, "DE", "", city, "Telekom", paths, (f"agent {at}",))


def addresses(store: SqlStore) -> list[IpRecord]:
    """Read the records as somebody else would who knows what the columns hold."""
    rows = store.execute("select ip, first_at, last_at, visits, body from ip_records where site_id = 1 order by ip")
    fields = IpRecord.__struct_fields__
    found = [dict(zip(fields, (*row[:4], *msgspec.msgpack.decode(row[4])), strict=True)) for row in rows]
    return msgspec.convert(found, list[IpRecord])


def merge(store: SqlStore, *records: IpRecord) -> None:
    store.database.write(lambda session: merge_ip_records(session, 1, records))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [False, True])
def test_records_of_an_address_are_one(store: SqlStore, order: tuple[int, ...], at_once: bool) -> None:
    given = [
        address(0, 2, city="Bonn", paths=("GET /", "GET /b")),
        address(7, 3, city="Köln", paths=("GET /b", "POST /c")),
        address(3, city="Ulm"),
    ]
    other = address(1, ip="2001:db8::1")
    records = [given[position] for position in order]
    for batch in [[*records, other]] if at_once else [records[:1], [*records[1:], other]]:
        merge(store, *batch)
    agents = ("agent 0", "agent 3", "agent 7")
    whole = IpRecord("192.0.2.1", NOW, NOW + 7, 6, "DE", "", "Köln", "Telekom", ("GET /", "GET /b", "POST /c"), agents)
    assert addresses(store) == [whole, other]


def test_an_address_remembers_so_much_and_no_more(store: SqlStore) -> None:
    paths = tuple(f"GET /{number:05}" for number in range(MOST_PATHS + 50))
    agents = tuple(f"agent {number:05}" for number in range(MOST_USER_AGENTS + 5))
    for start in random.sample(range(0, len(paths), 50), len(paths) // 50):
        some = IpRecord("::1", NOW, NOW, 1, paths=paths[start : start + 50], user_agents=agents[: start + 1])
        merge(store, some)
    [record] = addresses(store)
    assert (record.paths, record.user_agents) == (paths[:MOST_PATHS], agents[:MOST_USER_AGENTS])
    assert record.visits == len(paths) // 50
