"""Recordings and heat in every kind of store: once, within their limits, all or nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from visitor_tracker.errors import StoreError
from visitor_tracker.store import heat as heats
from visitor_tracker.store import replay as replays
from visitor_tracker.store.heat import HeatPage, HeatTable, Report
from visitor_tracker.store.replay import Chunk, Limits, PageSnapshot, RecordedSession, ReplayTable
from visitor_tracker.store.sql import SqlStore

T = 1_774_000_800_000
MINUTE = 60_000
SESSION, OTHER = b"s" * 16, b"t" * 16
LIMITS = Limits(1 << 20, 30 * MINUTE)
PAGE = "https://example.com/"
CHUNK = Chunk(1, SESSION, 1_000, T, b"packed", 100, 5, "1280x720", PAGE)
VIEW = PageSnapshot(b"p" * 16, 2, T, 1280, 720, PAGE, b"view")
REPORT = Report(1, b"i" * 16, b"p" * 16, PAGE, 2, 202603, T, {0: [(5, 6, 2), (7, 8, 1)], 2: [(0, 40, 1)]})


def chunk(**changes: object) -> Chunk:
    return msgspec.structs.replace(CHUNK, **changes)


def report(**changes: object) -> Report:
    return msgspec.structs.replace(REPORT, **changes)


def rows(store: SqlStore, table: str) -> int:
    return int(store.execute(f"select count(*) from {table}")[0][0])


def everything(store: SqlStore) -> dict[str, int]:
    return {table: rows(store, table) for table in ("replays", "replay_chunks", "page_snapshots", "heat", "heat_pages")}


def test_pieces_come_back_in_the_order_of_their_numbers(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    for number in (3_000, 1_000, 2_000):
        assert table.add(chunk(sequence=number, at=T + number, body=b"%d" % number), LIMITS) == "stored"
    table.add(chunk(session=OTHER), LIMITS)
    assert table.bodies(1, SESSION) == [b"1000", b"2000", b"3000"]
    assert table.one(1, SESSION) == RecordedSession(1, SESSION, T + 3_000, T + 3_000, 3, 15, 300, "1280x720", PAGE)
    assert (table.one(2, SESSION), table.bodies(2, SESSION)) == (None, [])
    assert (table.events([1]), table.events([1, 2]), table.events([2]), table.events([])) == (20, 20, 0, 0)


def test_many_pieces_are_read_in_several_steps(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    for number in range(101):
        table.add(chunk(sequence=number, body=b"%d" % number), LIMITS)
    assert table.bodies(1, SESSION) == [b"%d" % number for number in range(101)]


def test_the_same_piece_is_stored_once(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    assert [table.add(CHUNK, LIMITS), table.add(chunk(at=T + 5, body=b"other", size=7), LIMITS)] == ["stored", "known"]
    found = table.one(1, SESSION)
    assert found is not None
    assert (found.chunks, found.events, found.size, found.last_at) == (1, 5, 100, T)
    assert table.bodies(1, SESSION) == [b"packed"]


def test_the_same_piece_by_many_at_once_is_stored_once(lasting_store: SqlStore) -> None:
    table = ReplayTable(lasting_store.database)
    with ThreadPoolExecutor(4) as pool:
        sent = [chunk(sequence=number) for number in range(8) for _ in range(4)]
        outcomes = list(pool.map(lambda each: table.add(each, LIMITS, [VIEW]), sent))
    assert sorted(outcomes) == ["known"] * 24 + ["stored"] * 8
    found = table.one(1, SESSION)
    assert found is not None
    assert (found.chunks, found.events, found.size, table.events([1])) == (8, 40, 800, 40)


def test_a_session_takes_no_more_than_it_may(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    limits = Limits(250, 30 * MINUTE)
    assert table.add(chunk(size=251), limits) == "full"
    assert table.one(1, SESSION) is None
    assert [table.add(chunk(sequence=number), limits) for number in range(3)] == ["stored", "stored", "full"]
    assert table.add(chunk(sequence=9, size=50), limits) == "stored"
    late = chunk(session=OTHER, at=T + 30 * MINUTE)
    assert [table.add(chunk(session=OTHER), limits), table.add(msgspec.structs.replace(late, sequence=2), limits)] == [
        "stored", "stored",
    ]  # fmt: skip
    assert table.add(msgspec.structs.replace(late, sequence=3, at=late.at + 1, size=1), limits) == "full"
    assert rows(store, "replay_chunks") == 5


def test_a_session_has_only_so_many_pieces(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "CHUNKS_MOST", 2)
    table = ReplayTable(store.database)
    assert [table.add(chunk(sequence=number), LIMITS) for number in range(3)] == ["stored", "stored", "full"]


def test_a_large_piece_comes_back_whole(lasting_store: SqlStore) -> None:
    body = bytes(range(256)) * 8_000  # more than one of MySQL's packets
    table = ReplayTable(lasting_store.database)
    assert table.add(chunk(body=body), LIMITS, [msgspec.structs.replace(VIEW, body=body)]) == "stored"
    assert table.bodies(1, SESSION) == [body]
    found = table.snapshot(1, VIEW.page, 2)
    assert found is not None
    assert found.body == body


def test_a_piece_that_fails_leaves_nothing(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    view = msgspec.structs.replace(VIEW, width=1 << 70)  # no column holds it
    with pytest.raises((StoreError, OverflowError)):
        table.add(CHUNK, LIMITS, [view])
    assert set(everything(store).values()) == {0}
    assert table.add(CHUNK, LIMITS, [VIEW]) == "stored"


def test_a_site_has_only_so_much_until_old_sessions_go(store: SqlStore) -> None:
    table, limits = ReplayTable(store.database), Limits(1 << 20, 30 * MINUTE, 250)
    outcomes = [table.add(chunk(sequence=number, at=T + number), limits) for number in (1, 2, 3, 2)]
    assert outcomes == ["stored", "stored", "full", "known"]
    before = everything(store)
    assert table.add(chunk(session=OTHER), limits) == "full"
    assert everything(store) == before
    assert table.add(chunk(site_id=2, session=OTHER), limits) == "stored"
    table.purge(1, T + MINUTE)
    assert table.add(chunk(session=OTHER), limits) == "stored"


def test_sessions_are_listed_newest_first(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    for number, site in ((1, 1), (2, 2), (3, 1), (4, 3)):
        table.add(chunk(site_id=site, session=bytes([number]) * 16, at=T + number), LIMITS)
    assert [each.session[0] for each in table.newest([1, 2], 10, T + 10)] == [3, 2, 1]
    assert [each.session[0] for each in table.newest([1, 2], 2, T + 10)] == [3, 2]
    assert [each.session[0] for each in table.newest([1, 2], 10, T + 2)] == [1]
    assert table.newest([], 10, T + 10) == []


def test_the_first_snapshot_of_a_page_stays(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "SNAPSHOTS_MOST", 2)
    table = ReplayTable(store.database)
    table.add(CHUNK, LIMITS, [VIEW, msgspec.structs.replace(VIEW, viewport=0, body=b"small")])
    later = msgspec.structs.replace(VIEW, body=b"later", at=T + 5)
    table.add(chunk(sequence=2), LIMITS, [later, msgspec.structs.replace(later, page=b"q" * 16)])
    assert table.snapshot(1, VIEW.page, 2) == VIEW
    assert table.snapshot(1, VIEW.page, 0) == msgspec.structs.replace(VIEW, viewport=0, body=b"small")
    assert [table.snapshot(1, b"q" * 16, 2), table.snapshot(2, VIEW.page, 2)] == [None, None]


def test_old_sessions_go_as_a_whole(store: SqlStore) -> None:
    table = ReplayTable(store.database)
    for number in range(7):
        key = bytes([number]) * 16
        table.add(chunk(session=key, at=T + number), LIMITS, [msgspec.structs.replace(VIEW, page=key, at=T + number)])
        table.add(chunk(session=key, sequence=2, at=T + 100), LIMITS)
    removed = [table.purge(1, T + 6) for _ in range(3)]
    assert (sum(removed), removed[-1]) == (12, 0)
    assert (rows(store, "replays"), rows(store, "replay_chunks"), rows(store, "page_snapshots")) == (1, 2, 1)
    assert table.events([1]) == 10
    assert store.execute("select sessions, events, bytes from replay_sites") == [(1, 10, 200)]


def test_heat_adds_up(store: SqlStore) -> None:
    table = HeatTable(store.database)
    assert table.add(REPORT)
    assert table.add(report(id=b"j" * 16, at=T + 5, cells={0: [(5, 6, 3), (5, 6, 1)], 1: [(1, 1, 4)]}))
    assert table.cells(1, b"p" * 16, 2, 0) == ([(5, 6, 6), (7, 8, 1)], 7)
    assert table.cells(1, b"p" * 16, 2, 1) == ([(1, 1, 4)], 4)
    assert table.cells(1, b"p" * 16, 2, 2) == ([(0, 40, 1)], 1)
    assert table.cells(1, b"p" * 16, 0, 0) == ([], 0)
    assert table.pages(1, 10) == [HeatPage(PAGE, T + 5, 2)]


def test_the_same_report_adds_once(lasting_store: SqlStore) -> None:
    table = HeatTable(lasting_store.database)
    start = threading.Barrier(4)

    def send(_: int) -> bool:
        start.wait(20)
        return table.add(REPORT)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(send, range(4)))
    assert table.cells(1, b"p" * 16, 2, 0) == ([(5, 6, 2), (7, 8, 1)], 3)
    assert table.add(report(site_id=2))
    assert table.cells(2, b"p" * 16, 2, 0)[1] == 3


def test_a_site_has_only_so_many_pages(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heats, "PAGES_MOST", 1)
    table = HeatTable(store.database)
    assert table.add(REPORT)
    assert not table.add(report(id=b"j" * 16, page=b"q" * 16))
    assert table.add(report(id=b"j" * 16))
    assert table.cells(1, b"p" * 16, 2, 0)[1] == 6


def test_old_heat_goes_and_the_rest_stays(store: SqlStore) -> None:
    table = HeatTable(store.database)
    day = 86_400_000
    table.add(report(at=T - 400 * day, month=202502))
    table.add(report(id=b"j" * 16))
    table.add(report(id=b"k" * 16, page=b"q" * 16, at=T - 400 * day, month=202502))
    assert [table.purge(T - 365 * day, 202503), table.purge(T - 365 * day, 202503)] == [2, 0]
    assert table.cells(1, b"p" * 16, 2, 0)[1] == 3
    assert table.cells(1, b"q" * 16, 2, 0)[1] == 0
    assert rows(store, "heat_pages") == 1


def test_old_heat_goes_in_small_steps(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heats, "_CELLS_AT_ONCE", 4)
    table = HeatTable(store.database)
    day = 86_400_000
    many = {kind: [(x, y, 1) for x in range(2) for y in range(3)] for kind in (0, 1)}
    table.add(report(at=T - 400 * day, month=202501, cells=many))
    table.add(report(id=b"j" * 16, at=T - 399 * day, month=202502, cells=many))
    table.add(report(id=b"k" * 16))
    left = []
    while table.purge(T - 365 * day, 202503):
        left.append(rows(store, "heat"))
    assert left[0] in (27 - 4, 27 - 5)
    assert left[-1] == 3
    assert all(before - after <= 5 for before, after in zip([27, *left], left, strict=False))
    assert table.pages(1, 10) == [HeatPage(PAGE, T, 3)]
