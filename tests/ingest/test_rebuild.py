"""A rebuild makes a day's numbers again out of its events, all or nothing, whatever else goes on."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from tests.ingest.test_fold import BERLIN, DAILY, SITE, drain, folder_of, put, same, tables_of, total, visit
from tests.sessions.happening import World, happenings
from tests.sessions.recount import Recount, recount
from visitor_tracker.errors import StoreError
from visitor_tracker.event import Event, Signal
from visitor_tracker.ingest import rebuild
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import LeaseLost, RawGone, Rebuilder, ZoneChanged
from visitor_tracker.measures import Dimension
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore

DAY = 20261120
ROBOTS = {int(Dimension.BOT), int(Dimension.CRAWLER)}
HEADERS = int(Signal.MISSING_HEADERS)


def rebuild_all(store: SqlStore, rule: Rule) -> None:
    rebuilder = Rebuilder(store, SITE, rule)
    for day in rebuilder.days():
        rebuilder.rebuild(day)
    rebuilder.let_go()


def fold(store: SqlStore, events: Sequence[Event], rule: Rule = DAILY) -> None:
    """Fold events and let others have the site."""
    put(store, events)
    folder = folder_of(store, rule)
    drain(folder)
    folder.let_go()


def without_robots(found: Recount) -> Recount:
    hours, days, months = (
        {key: row for key, row in rows.items() if key[0] not in ROBOTS}
        for rows in (found.hours, found.days, found.months)
    )
    return Recount(hours, days, months, found.seen)


@given(happened=happenings())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_other_rules_of_robots_reach_the_past_and_can_be_taken_back(happened: tuple[World, list[list[Event]]]) -> None:
    world, batches = happened
    rule = Rule(world.timezone, world.keys == "daily")
    store = open_store("sqlite:///:memory:")
    migrate(store)
    for batch in batches:
        fold(store, batch, rule)
    before = tables_of(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild, "judge", lambda signals: signals != 0)
        rebuild_all(store, rule)
    stricter = [
        msgspec.structs.replace(event, signals=int(Signal.RATE)) if event.signals else event
        for batch in batches
        for event in batch
    ]
    same(without_robots(tables_of(store)), without_robots(recount(stricter, world.timezone, daily=rule.daily)))
    rebuild_all(store, rule)
    same(tables_of(store), before)
    store.close()


def test_what_is_folded_after_the_lease_was_lost_is_not_overwritten(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(store, [visit(1)])
    put(store, [visit(2, person="bert")])
    folder = folder_of(store, DAILY)
    monkeypatch.setattr(rebuild, "_LEASE_SECONDS", 0.0)
    making = rebuild._Making

    class Slow(making):  # type: ignore[valid-type,misc]
        def make(self, day: int) -> object:
            made = super().make(day)
            assert folder.step()
            folder.let_go()
            return made

    monkeypatch.setattr(rebuild, "_Making", Slow)
    rebuilder = Rebuilder(store, SITE, DAILY)
    with pytest.raises(LeaseLost):
        rebuilder.rebuild(DAY)
    assert total(store) == (2, 2, 2)


def test_one_that_fails_at_its_end_has_changed_nothing(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, "2026-11-20 12:45", person="bert")])
    before = tables_of(store)
    rebuilder = Rebuilder(store, SITE, DAILY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild, "judge", lambda signals: True)
        patch.setattr(rebuild, "mark_joined", _fail)
        with pytest.raises(StoreError):
            rebuilder.rebuild(DAY)
    same(tables_of(store), before)
    put(store, [visit(3)])
    assert not folder_of(store, DAILY).step(), "the lease is still the rebuild's"
    rebuilder.let_go()
    fold(store, [])
    assert total(store)[2] == 3


def _fail(*_: object) -> None:
    raise StoreError("the disk is gone")


def test_days_without_all_of_their_events_stay(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, "2026-11-20 23:50"), visit(3, "2026-11-21 00:10"), visit(4, "2026-11-21 13:00")])
    before = tables_of(store)
    store.execute("update raw_days set raw_complete = 0 where day = %s", (DAY,))
    store.execute("delete from events where day = %s", (DAY,))
    rebuilder = Rebuilder(store, SITE, DAILY)
    with pytest.raises(RawGone):
        rebuilder.rebuild(DAY)
    rebuilder.rebuild(20261121)
    rebuilder.let_go()
    same(tables_of(store), before)


@pytest.mark.parametrize("keys", ["daily", "persistent"])
def test_days_of_another_time_zone_stay(store: SqlStore, keys: str) -> None:
    fold(store, [visit(1, "2026-11-20 00:20", person=""), visit(2), visit(3, "2026-11-20 23:20", person="")])
    before = tables_of(store)
    rebuilder = Rebuilder(store, SITE, Rule("Asia/Tokyo", keys == "daily"))
    with pytest.raises(ZoneChanged):
        rebuilder.rebuild(DAY)
    rebuilder.let_go()
    same(tables_of(store), before)


def test_visits_that_it_joins_stay_joined(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    robot = BERLIN.event(1, "2026-11-20 23:50", signals=int(Signal.RATE))
    fold(store, [robot, visit(2, "2026-11-21 00:10")])
    monkeypatch.setattr(rebuild, "judge", lambda signals: False)
    rebuild_all(store, DAILY)
    assert store.execute("select joined from visitor_links") == [(1,)]
    assert total(store, "month")[1] == 1


def test_the_visits_of_a_page_s_session_are_found_when_they_are_no_robot_s_any_more(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = msgspec.structs.replace(visit(1), signals=int(Signal.RATE), session=bytes(range(16)))
    fold(store, [robot])
    monkeypatch.setattr(rebuild, "judge", lambda signals: False)
    rebuild_all(store, DAILY)
    found = store.execute("select client, visitor, day, ts from client_sessions")
    assert [(bytes(row[0]), bytes(row[1]), *row[2:]) for row in found] == [
        (robot.session, robot.visitor, DAY, robot.ts)
    ]
