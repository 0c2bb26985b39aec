"""Who is erased is nowhere, whatever comes later, and nothing of anybody else has changed."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from tests.everything import everything, places_of, tells, without
from tests.ingest.test_fold import AT, SITE, drain, folder_of, put, total
from tests.mariadb import MariaDB
from tests.sessions.happening import World, happenings, hashed
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.event import Event, encode_events
from visitor_tracker.ingest import rebuild
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.erasing import Eraser, Found
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import LeaseLost, Rebuilder
from visitor_tracker.ingest.revival import rows_again
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.dead_letters import DeadLetters
from visitor_tracker.store.erasing_site import KEYS, STAY, SiteTables
from visitor_tracker.store.inbox import Inbox, add_days
from visitor_tracker.store.replay import Chunk, Limits, ReplayTable
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visits import sessions_in

LATER = AT + 400 * 86_400_000  # after everything that happens here
ERASING = ("erasures", "open_erasures", "event_ids", "site_lease", "schema_migrations", "audit")
COOKIES = World("Europe/Berlin", "persistent")
LASTING = Rule("Europe/Berlin", daily=False)
DAILY = Rule("Europe/Berlin")


def eraser_of(store: SqlStore, at: int = LATER) -> Eraser:
    return Eraser(store, lambda: at)


def fold(store: SqlStore, events: Sequence[Event], rule: Rule = LASTING) -> None:
    put(store, events)
    days = [(SITE, event.visitor, event.day, event.ts) for event in events if event.visitor]
    store.database.write(lambda session: add_days(session, days))  # as the drain does
    folder = folder_of(store, rule)
    drain(folder)
    folder.let_go()


def seen(event: Event) -> Event:
    """Return the event with an address and a tab of its visitor's own."""
    who = event.visitor or bytes(16)
    return msgspec.structs.replace(event, session=b"tab of " + who[:9], ip=f"192.0.2.{who[0]}")


def record(store: SqlStore, session_id: bytes) -> None:
    chunk = Chunk(SITE, session_id, 1, AT, b"packed", 6, 1)
    assert ReplayTable(store.database).add(chunk, Limits(1000, 1000)) == "stored"


def erase(store: SqlStore, visitors: Sequence[bytes], rule: Rule = LASTING) -> Found:
    eraser = eraser_of(store)
    found = eraser.finish(eraser.begin(SITE, rule, visitors, Audit(store).row(OPERATOR, "visitor.erased")))
    eraser.go_on()
    return found


@pytest.fixture(scope="module")
def memory() -> Iterator[SqlStore]:
    """A store for many examples, each of which begins with empty tables."""
    store = open_store("sqlite:///:memory:")
    migrate(store)
    yield store
    store.close()


@pytest.fixture(scope="module")
def kept_mariadb(mariadb: MariaDB) -> Iterator[SqlStore]:
    store = open_store(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    yield store
    store.close()


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def check_everything(store: SqlStore, happened: tuple[World, list[list[Event]]]) -> None:
    for table in everything(store, ("schema_migrations",)):
        store.execute(f"delete from {table}")
    world, batches = happened
    rule = Rule(world.timezone, world.keys == "daily")
    events = [[seen(event) if event.visitor else event for event in batch] for batch in batches]
    for batch in events:
        fold(store, batch, rule)
    anna = {event.visitor for batch in batches for event in batch if event.visitor in _of(world, "anna", event)}
    before = everything(store)
    needles = [*anna, *(b"tab of " + visitor[:9] for visitor in anna)]
    records = {f"192.0.2.{visitor[0]}" for visitor in anna}

    found = erase(store, sorted(anna), rule)
    assert found.events == sum(event.visitor in anna for batch in events for event in batch)
    assert places_of(store, needles) == set()
    after = everything(store)
    expected = without(before, needles, ERASING)
    expected["ip_records"] = {row for row in before["ip_records"] if row[1] not in records}
    assert without(after, (), ERASING) == expected

    late = [msgspec.structs.replace(event, id=b"late" + event.id[4:]) for batch in events for event in batch]
    fold(store, [event for event in late if event.visitor in anna], rule)
    assert without(everything(store), (), ERASING) == without(after, (), ERASING)
    rebuilder = Rebuilder(store, SITE, rule)
    for day in rebuilder.days():
        rebuilder.rebuild(day)
    rebuilder.let_go()
    assert places_of(store, needles) == set()
    assert everything(store)["sessions"] == after["sessions"]
    assert everything(store)["visitor_days"] == after["visitor_days"]


def _of(world: World, person: str, event: Event) -> set[bytes]:
    """Return what a person's hash may be at the time of an event."""
    day = local_day(world.timezone, event.ts)
    return {hashed(person, period) for period in (day.period, day.month, "")}


@given(happened=happenings())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_nothing_else_changes(memory: SqlStore, happened: tuple[World, list[list[Event]]]) -> None:
    check_everything(memory, happened)


@given(happened=happenings())
@settings(max_examples=4, deadline=None, suppress_health_check=SLOW)
def test_nor_does_it_on_mariadb(kept_mariadb: SqlStore, happened: tuple[World, list[list[Event]]]) -> None:
    check_everything(kept_mariadb, happened)


ANNA = hashed("anna", "")


def visit(number: int, when: str = "2026-11-20 12:00", person: str = "anna") -> Event:
    return seen(COOKIES.event(number, when, person=person))


def test_what_waits_to_be_folded_is_dropped_and_who_comes_again_is_new(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, person="bert")])
    put(store, [visit(3, "2026-11-20 12:05"), visit(4, "2026-11-20 12:06", "bert")])
    eraser = eraser_of(store, visit(9, "2026-11-20 12:10").ts)
    eraser.finish(eraser.begin(SITE, LASTING, [ANNA], None))
    fold(store, [visit(5, "2026-11-20 12:07")])
    assert places_of(store, [ANNA, visit(1).session]) == set()
    fold(store, [visit(6, "2026-11-20 12:11"), visit(7, "2026-11-20 12:08"), visit(8, "2026-11-21 09:00")])
    assert [row[0] for row in store.execute("select ts from events where visitor = %s order by ts", (ANNA,))] == [
        visit(6, "2026-11-20 12:11").ts,
        visit(8, "2026-11-21 09:00").ts,
    ]
    days = store.execute("select day, first_at from visitor_days where visitor = %s order by day", (ANNA,))
    assert days == [(20261120, visit(6, "2026-11-20 12:11").ts), (20261121, visit(8, "2026-11-21 09:00").ts)]
    late = [visit(10, "2026-11-20 11:00")]  # drained before, so that the day is noted again as its first
    fold(store, late)
    assert store.execute("select day, first_at from visitor_days where visitor = %s order by day", (ANNA,)) == days


def test_recordings_of_the_visitors_sessions_go_and_others_stay(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, person="bert")])
    record(store, visit(1).session)
    record(store, visit(2, person="bert").session)
    assert eraser_of(store).look(SITE, LASTING, [ANNA]) == Found(1, 1, 1, 1, 1)
    assert erase(store, [ANNA]) == Found(1, 0, 1, 1, 1)
    assert store.execute("select session from replays") == [(visit(2, person="bert").session,)]
    assert eraser_of(store).look(SITE, LASTING, [ANNA]) == Found(1)


def test_erasing_twice_does_no_harm(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, person="bert")])
    erase(store, [ANNA])
    after = without(everything(store), (), ("erasures", "audit"))
    assert erase(store, [ANNA]) == Found(1)
    assert without(everything(store), (), ("erasures", "audit")) == after


def test_what_was_set_aside_is_looked_through(store: SqlStore) -> None:
    inbox = Inbox(store.database)
    inbox.set_aside("both", encode_events([visit(1), visit(2, person="bert")]), AT, SITE)
    inbox.set_aside("only anna", encode_events([visit(3)]), AT, SITE)
    inbox.set_aside("damaged", b"\xc1" + ANNA, AT)
    inbox.set_aside("of others", encode_events([visit(4, person="bert")]), AT, SITE)
    fold(store, [visit(5)])
    erase(store, [ANNA])
    assert places_of(store, [ANNA]) == set()
    letters = sorted(inbox.dead_letters(10), key=lambda letter: letter.reason)
    assert [letter.reason for letter in letters] == ["both", "of others"]
    assert letters[0].body == encode_events([visit(2, person="bert")])


def test_events_that_are_tried_again_are_found_like_all_others(store: SqlStore) -> None:
    Inbox(store.database).set_aside("a fault of before", encode_events([visit(1)]), AT, SITE)
    [letter] = Inbox(store.database).dead_letters(10)
    assert DeadLetters(store.database).put_back(letter.id, rows_again(letter))
    folder = folder_of(store, LASTING)
    drain(folder)
    erase(store, [ANNA])
    assert places_of(store, [ANNA]) == set()


def test_a_rebuild_that_has_read_before_starts_again(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fold(store, [visit(1), visit(2, person="bert")])
    making = rebuild._Making

    class Slow(making):  # type: ignore[valid-type,misc]
        def make(self, day: int) -> object:
            made = super().make(day)
            monkeypatch.undo()
            eraser_of(store).begin(SITE, LASTING, [ANNA], None)
            return made

    monkeypatch.setattr(rebuild, "_Making", Slow)
    rebuilder = Rebuilder(store, SITE, LASTING)
    with pytest.raises(LeaseLost):
        rebuilder.rebuild(20261120)
    rebuilder.rebuild(20261120)  # before the events are gone
    rebuilder.let_go()
    eraser_of(store).go_on()
    assert places_of(store, [ANNA]) == set()
    assert total(store) == (1, 1, 1)


def test_one_visit_can_be_erased_alone(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, "2026-11-20 18:00"), visit(3, "2026-11-21 18:00"), visit(4, person="bert")])
    own = [(bucket, found) for bucket, _, found in _sessions(store)]
    eraser = eraser_of(store)
    for _, found in own[1:]:
        eraser.finish([eraser.begin_visit(SITE, LASTING, ANNA, found, None)])
    assert store.execute("select ts from events where visitor = %s", (ANNA,)) == [(visit(1).ts,)]
    assert store.execute("select day from visitor_days where visitor = %s", (ANNA,)) == [(20261120,)]
    assert store.execute("select day from daily_visitors where visitor = %s", (ANNA,)) == [(20261120,)]
    assert len(_sessions(store)) == 1
    fold(store, [msgspec.structs.replace(visit(2, "2026-11-20 18:00"), id=b"again" + bytes(11))])
    assert len(_sessions(store)) == 1, "it comes back by no journal either"


def _sessions(store: SqlStore) -> list[tuple[int, bytes, VisitorSession]]:
    keys = [(bucket, ANNA) for bucket in (0, 20261120, 20261121)]

    def work(session: Session) -> list[tuple[int, bytes, VisitorSession]]:
        return sorted(sessions_in(session, SITE, keys), key=lambda found: found[2].first_ts)

    return store.database.read(work)


def test_all_of_a_site_goes_and_what_is_late_is_dropped(store: SqlStore) -> None:
    other = msgspec.structs.replace(visit(5), site_id=2)
    fold(store, [visit(1), visit(2, person="bert"), visit(3, person="")])
    put(store, [other], 2)
    drain(folder_of(store, LASTING, holder="other"))
    record(store, visit(1).session)
    Inbox(store.database).set_aside("damaged", b"\xc1", AT, SITE)
    left = {table: {row for row in rows if row[0] == 2} for table, rows in everything(store).items()}
    put(store, [visit(6)])
    eraser = eraser_of(store)
    eraser.finish([eraser.begin_site(SITE, None)])
    found = everything(store)
    for table in set(found) - {*ERASING, "strings", "sources", "contexts", "heat"}:
        assert found[table] == left[table], table
    put(store, [visit(7), visit(8, person="")])
    drain(folder_of(store, LASTING, holder="late"))
    left_over = [row for rows in everything(store).values() for row in rows if tells(row, ANNA) and row[0] != 2]
    assert left_over == []
    assert store.execute("select count(*) from events where site_id = 1") == [(0,)]
    assert Eraser(store, lambda: LATER + 20_000).go_on() == 1
    assert store.execute("select count(*) from open_erasures") == [(0,)]


def test_every_table_of_sites_is_known(store: SqlStore) -> None:
    tables = set(SiteTables(store.database).tables())
    assert set(KEYS) | STAY <= tables
    assert tables - set(KEYS) - STAY - SMALL == set(), "say in KEYS what follows site_id in its key, if it may be large"


SMALL = {
    "sites", "replay_sites", "raw_days", "site_users", "api_keys", "signing_keys", "share_links", "share_embeds",
    "annotations", "funnels", "goals", "segments", "report_schedules", "report_stops", "alert_channels", "alert_rules",
}  # fmt: skip


@pytest.mark.parametrize("statements", [1, 6, 9, 13, 17, 21, 24, 27, 30])
def test_who_is_killed_in_between_is_gone_on_for(lasting: SqlStore, store_url: str, statements: int) -> None:
    fold(lasting, [visit(1), visit(2, "2026-11-20 18:00"), visit(3, "2026-11-21 18:00"), visit(4, person="bert")])
    record(lasting, visit(1).session)
    before = everything(lasting)
    needles = [ANNA, visit(1).session]
    command = [sys.executable, "-m", "tests.ingest.erasing_child", store_url, ANNA.hex(), str(statements)]
    ended = subprocess.run(command, check=False, timeout=60)
    assert ended.returncode in (0, -signal.SIGKILL)
    was_begun = bool(lasting.execute("select 1 from erasures"))
    if ended.returncode == 0:
        assert places_of(lasting, needles) == set()
    elif not was_begun:
        assert without(everything(lasting), ()) == without(before, ())
    eraser_of(lasting).go_on()
    if was_begun:
        assert places_of(lasting, needles) == set()
        expected = without(before, needles, (*ERASING, "ip_records", "replay_sites"))
        assert without(everything(lasting), (), (*ERASING, "ip_records", "replay_sites")) == expected
    assert lasting.execute("select count(*) from open_erasures") == [(0,)]


@pytest.fixture
def lasting(store_url: str) -> Iterator[SqlStore]:
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


def test_nothing_of_the_visitor_is_left_in_the_file_of_sqlite(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'v.db'}")
    migrate(store)
    fold(store, [visit(number, f"2026-11-20 {number:02}:00") for number in range(1, 20)])
    fold(store, [visit(30, person="bert")])
    assert any(ANNA in path.read_bytes() for path in tmp_path.iterdir())
    erase(store, [ANNA])
    store.close()
    assert not any(ANNA in path.read_bytes() for path in tmp_path.iterdir())
