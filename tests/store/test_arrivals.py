"""Arrivals add up, hour by hour, and robots are found by their signals, on every database."""

from tests.reports.traffic import MINUTE, event, fold
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Agent, InboxRow
from visitor_tracker.measures import text_id
from visitor_tracker.sites import Site
from visitor_tracker.store.arrivals import ArrivalTable, ArrivedEvents, add_arrivals
from visitor_tracker.store.inbox import Inbox, add_rows
from visitor_tracker.store.robots import RobotTable
from visitor_tracker.store.sql import SqlStore

SITE = Site(3, "blog")
OTHER = 4
START = bounds("UTC", 20260310)[0]
END = 1 << 62


def add(store: SqlStore, site_id: int, hours: dict[int, ArrivedEvents]) -> None:
    store.database.write(lambda session: add_arrivals(session, site_id, hours))


def test_hours_grow_and_each_site_has_its_own(store: SqlStore) -> None:
    table = ArrivalTable(store.database)
    assert table.since(SITE.id) is None
    add(store, SITE.id, {2 * HOUR_MS: ArrivedEvents(5, 1, 1, 3, 1, 1), HOUR_MS: ArrivedEvents(1)})
    add(store, SITE.id, {2 * HOUR_MS: ArrivedEvents(10, 2, 0, 1, 0, 2)})
    add(store, OTHER, {0: ArrivedEvents(7)})
    add(store, OTHER, {})
    grown = (2 * HOUR_MS, ArrivedEvents(15, 3, 1, 4, 1, 3))
    assert table.hours(SITE.id, 0, END) == [(HOUR_MS, ArrivedEvents(1)), grown]
    assert table.hours(SITE.id, 2 * HOUR_MS, 3 * HOUR_MS) == [grown]
    assert table.hours(SITE.id, 0, HOUR_MS) == []
    assert (table.since(SITE.id), table.since(OTHER)) == (HOUR_MS, 0)


def test_what_waits_and_what_was_set_aside(store: SqlStore) -> None:
    table = ArrivalTable(store.database)
    rows = [
        InboxRow(site_id, bytes([number]) * 16, 1, 4, b"") for number, site_id in enumerate((SITE.id, SITE.id, OTHER))
    ]
    store.database.write(lambda session: add_rows(session, rows))
    Inbox(store.database).set_aside("broken", b"1", HOUR_MS, SITE.id)
    Inbox(store.database).set_aside("broken", b"2", 3 * HOUR_MS, SITE.id)
    assert (table.waiting(SITE.id), table.waiting(OTHER), table.waiting(9)) == (8, 4, 0)
    assert (table.set_aside(SITE.id, 0, 2 * HOUR_MS), table.set_aside(OTHER, 0, END)) == (1, 0)


def test_robots_are_added_up_by_signals_context_and_page(store: SqlStore) -> None:
    crawler = Agent(device="bot", bot="GPTBot")
    fold(
        store,
        SITE,
        [
            event(SITE, START, "robot", "/a", agent=crawler, signals=1),
            event(SITE, START + MINUTE, "robot", "/a", agent=crawler, signals=1),
            event(SITE, START + MINUTE, "odd", "/a", signals=4),
            event(SITE, START + MINUTE, "anna", "/a"),
            event(SITE, START + DAY_MS, "robot", "/b", agent=crawler, signals=1),
        ],
    )
    table = RobotTable(store.database)
    found = sorted(table.found(SITE.id, START, START + DAY_MS))
    assert [(each.signals, each.page, each.events) for each in found] == [(1, text_id("/a"), 2), (4, text_id("/a"), 1)]
    assert found[0].context != found[1].context
    assert (table.events(SITE.id, 20260310, 20260310), table.events(SITE.id, 20260309, 20260311)) == (4, 5)
    assert table.events(OTHER, 20260310, 20260310) == 0
