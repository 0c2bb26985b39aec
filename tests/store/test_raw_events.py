"""Raw events, as reports read them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.mariadb import MariaDB
from tests.reports.traffic import event, fold, who
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.event import ROBOT, Event
from visitor_tracker.measures import text_id
from visitor_tracker.sessions.fact import decode_rest
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate
from visitor_tracker.store.raw_events import BETWEEN, RawEvents
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Asia/Kathmandu")
OTHER = Site(2, "other")
DAY = bounds(SITE.timezone, 20261122)[0]


def put(store: SqlStore) -> list[Event]:
    """Write events of several moments, some of them at once; return those that no robot made, in their order."""
    events = [
        event(SITE, DAY + n // 3 * HOUR_MS, name, f"/{n}", properties={"n": n})
        for n in range(12)
        for name in ("anna", "")
    ]
    robot = event(SITE, DAY, "robot", host="bots.test", signals=1)
    fold(store, SITE, [*events, robot])
    fold(store, OTHER, [event(OTHER, DAY, "anna", host="other.test")])
    return sorted(events, key=lambda each: (each.ts, each.id))


@pytest.mark.parametrize("most", [1, 2, 5, 24, 100])
def test_every_event_is_read_once_in_its_order(store: SqlStore, most: int) -> None:
    events = put(store)
    rows = list(RawEvents(store.database).between(SITE, DAY, DAY + 4 * HOUR_MS, signals=ROBOT, most=most))
    assert [fact.id for row in rows for fact in row] == [each.id for each in events]
    assert all(len(row) <= most for row in rows)
    some = RawEvents(store.database).between(SITE, DAY + 1, DAY + 2 * HOUR_MS, signals=ROBOT, most=most)
    assert [fact.id for row in some for fact in row] == [each.id for each in events if each.ts == DAY + HOUR_MS]


def test_what_is_read_of_an_event(store: SqlStore) -> None:
    made = event(
        SITE, DAY + HOUR_MS + 5, "anna", "/a", "form", name="order", target="/b", engaged_ms=7, properties={"n": 1}
    )
    fold(store, SITE, [made, event(SITE, DAY + HOUR_MS + 6)])
    [[fact, other]] = RawEvents(store.database).between(SITE, DAY, DAY + 2 * HOUR_MS, signals=0, most=9)
    assert (fact.id, fact.ts, fact.day, fact.hour) == (made.id, made.ts, 20261122, DAY + HOUR_MS)
    assert (fact.visitor, other.visitor) == (who("anna"), b"")
    assert [fact.page, fact.host, fact.name, fact.target] == list(map(text_id, ("/a", "a.test", "order", "/b")))
    assert (fact.engaged_ms, decode_rest(fact.rest).properties, other.rest) == (7, {"n": 1}, b"")


def test_days_say_whether_their_events_are_there(store: SqlStore) -> None:
    put(store)
    fold(store, SITE, [event(SITE, DAY + 24 * HOUR_MS), event(SITE, DAY + 48 * HOUR_MS)])
    store.execute("update raw_days set raw_complete = 0 where day = 20261123")
    raw = RawEvents(store.database)
    assert raw.kept(SITE.id, 20261101, 20261123) == {20261122: True, 20261123: False}
    assert raw.kept(3, 20261101, 20261130) == {}


@pytest.mark.parametrize("most", [1, 10, 1_000])
def test_hosts_of_all_sites_are_known(store: SqlStore, most: int) -> None:
    raw = RawEvents(store.database)
    assert raw.hosts(most) == set()
    put(store)
    assert raw.hosts(most) == set(map(text_id, ("a.test", "bots.test", "other.test")))
    store.execute("delete from events")
    assert raw.hosts(most) == set(map(text_id, ("a.test", "other.test")))


def test_mariadb_begins_where_the_last_piece_ended(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    far = opened(mariadb.url(mariadb.fresh_database()))
    migrate(far)
    event_id = "unhex(lpad(hex(seq), 32, '0'))"
    nothing = ", ".join(["0"] * 10)
    far.execute(
        f"insert into events select 1, seq, {event_id}, 20261122, {event_id}, {nothing}, '' from seq_1_to_20000"
    )
    values: tuple[Any, ...] = (1, 15_000, 15_000, b"\x01", 20_001, ROBOT, 100)
    plan = far.database.read(lambda session: session.ask(f"explain {BETWEEN}", values))
    [line] = plan
    assert (line[3], line[5]) == ("range", "PRIMARY"), plan
    assert int(line[8]) < 12_000, plan
