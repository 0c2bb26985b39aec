"""What tells of single visitors goes after its days; the sums stay, and nobody counts what is not there any more."""

import signal
import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest

from tests.everything import everything, places_of, tells
from tests.ingest.test_erasing import ANNA, LASTING, fold, record, visit
from tests.ingest.test_fold import SITE, drain, folder_of, put, tables_of
from tests.sessions.happening import at
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.config import Config, IdentityConfig, ReplayConfig, RetentionConfig
from visitor_tracker.days import bounds
from visitor_tracker.ingest import rebuild
from visitor_tracker.ingest.rebuild import LeaseLost, RawGone, Rebuilder
from visitor_tracker.jobs.retention import Retainer
from visitor_tracker.reports.answers import answer
from visitor_tracker.reports.profiles import visitor as visitor_view
from visitor_tracker.reports.query import Asked, QueryError, read_question
from visitor_tracker.sites import Policy, Retention, Site
from visitor_tracker.store.profiles import profiles, put_note
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

ZONE = "Europe/Berlin"
NOW = at(ZONE, "2026-11-22 12:00")
HOME = Site(SITE, "default", timezone=ZONE, policy=Policy(visitor="persistent"))
DAY_MS = 86_400_000


def config_of(**days: int) -> Config:
    return Config(
        identity=IdentityConfig(visitor="persistent"),
        retention=replace(RetentionConfig(profiles_days=0, audit_days=0), **days),
        replay=ReplayConfig(keep_days=3650),
    )


def filled(store: SqlStore, retention: Retention | None = None) -> SqlStore:
    SiteTable(store.database).put(msgspec.structs.replace(HOME, retention=retention))
    fold(
        store,
        [
            visit(1, "2026-11-18 10:00"),
            visit(2, "2026-11-19 10:00"),
            visit(3, "2026-11-19 23:50"),
            visit(4, "2026-11-20 00:05"),
            visit(5, "2026-11-20 10:00"),
            visit(6, "2026-11-19 10:00", "bert"),
            visit(7, "2026-11-22 10:00", "carl"),
        ],
        LASTING,
    )
    return store


def run(store: SqlStore, now: int = NOW, **days: int) -> dict[str, int]:
    return {gone.kind: gone.rows for gone in Retainer(store, config_of(**days), lambda: now).run()}


def test_events_and_visits_go_by_the_day_and_sums_stay(any_store: SqlStore) -> None:
    store = filled(any_store)
    numbers = tables_of(store)
    due = {each.kind: each.rows for each in Retainer(store, config_of(events_days=3), lambda: NOW).due()}
    assert due == {"events": 4, "visits": 3, "recordings": 0}
    assert run(store, events_days=3) == {"events": 4, "visits": 3}
    after = tables_of(store)
    assert (after.hours, after.days, after.months) == (numbers.hours, numbers.days, numbers.months)
    start = bounds(ZONE, 20261120)[0]
    assert store.execute("select min(ts) >= %s, count(*) from events", (start,)) == [(1, 3)]
    assert sorted(store.execute("select day, raw_complete from raw_days")) == [
        (20261118, 0), (20261119, 0), (20261120, 1), (20261122, 1),
    ]  # fmt: skip
    assert sorted(row[0] for row in store.execute("select day from visitor_days")) == [20261120, 20261122]
    assert sorted(row[0] for row in store.execute("select day from daily_visitors")) == [20261120, 20261122]
    # The visit over midnight has events on a day that is kept, and stays with them.
    assert [row[0] for row in store.execute("select first_ts from sessions order by first_ts")] == [
        visit(3, "2026-11-19 23:50").ts, visit(5, "2026-11-20 10:00").ts, visit(7, "2026-11-22 10:00").ts,
    ]  # fmt: skip
    assert run(store, events_days=3) == {}
    assert run(store, NOW + DAY_MS, events_days=3) == {"events": 2, "visits": 2}
    assert run(store, NOW + 30 * DAY_MS, events_days=3) == {"events": 1, "visits": 1}
    for table in ("sessions", "events", "visitor_days", "daily_visitors", "client_sessions", "seen"):
        assert everything(store)[table] == frozenset(), table


def test_first_and_number_of_visits_outlive_them(any_store: SqlStore) -> None:
    store = filled(any_store)
    seen = store.database.read(lambda session: visitor_view(session, HOME, ANNA))
    assert seen is not None
    assert (seen.first_visit, seen.visits) == ("2026-11-18T09:00:00.000Z", 4)
    run(store, events_days=3)
    assert store.database.read(lambda session: visitor_view(session, HOME, ANNA)) == seen
    run(store, NOW + 30 * DAY_MS, events_days=3)
    assert store.database.read(lambda session: visitor_view(session, HOME, ANNA)) == seen
    assert run(store, NOW + 60 * DAY_MS, events_days=3, profiles_days=70) == {}
    assert run(store, NOW + 60 * DAY_MS, events_days=3, profiles_days=50) == {"profiles": 3}
    assert places_of(store, [ANNA]) == set()


def test_a_note_stays_as_long_as_its_visitor_comes(any_store: SqlStore) -> None:
    store = filled(any_store)
    store.database.write(lambda session: put_note(session, SITE, ANNA, NOW - 9 * DAY_MS, "called"))
    assert run(store, profiles_days=7) == {"profiles": 1}  # looked at, and kept
    found = store.database.read(lambda session: profiles(session, SITE, [ANNA]))
    assert (found[ANNA].note, found[ANNA].last_at) == ("called", NOW - 7 * DAY_MS)
    assert run(store, NOW + 20 * DAY_MS, profiles_days=7) == {"profiles": 1}
    assert store.database.read(lambda session: profiles(session, SITE, [ANNA])) == {}


def test_a_site_has_its_own_days(any_store: SqlStore) -> None:
    store = filled(any_store, Retention(events_days=0, replay_days=1, ip_records_days=2))
    record(store, visit(1).session)
    assert run(store, NOW + DAY_MS, events_days=1) == {"recordings": 1, "ip_records": 2}
    assert store.execute("select count(*) from events") == [(7,)]


def test_what_is_kept_of_a_site_that_is_on_no_list_goes_too(any_store: SqlStore) -> None:
    store = any_store
    other = msgspec.structs.replace(visit(1, "2026-11-18 10:00"), site_id=77)
    put(store, [other], 77)
    drain(folder_of(store, LASTING))
    record(store, b"s" * 16)
    store.execute("update replays set site_id = 78")
    store.execute("update replay_chunks set site_id = 78")
    config = replace(config_of(events_days=1, ip_records_days=1), replay=ReplayConfig(keep_days=1))
    gone = Retainer(store, config, lambda: NOW + 9 * DAY_MS).run()
    assert [(each.site, each.kind, each.rows) for each in gone] == [
        ("", "events", 1),
        ("", "visits", 1),
        ("", "ip_records", 1),
        ("", "recordings", 1),
    ]


def test_the_audit_log_is_kept_for_its_days(any_store: SqlStore) -> None:
    moments = iter(NOW - days * DAY_MS for days in (1, 5, 9))
    audit = Audit(any_store, lambda: next(moments))
    for _ in range(3):
        audit.note(OPERATOR, "site.changed")
    assert run(any_store, audit_days=4) == {"audit": 2}
    assert any_store.execute("select count(*) from audit") == [(1,)]


def test_a_day_whose_events_go_cannot_be_made_again(any_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(any_store)
    numbers = tables_of(store)
    making = rebuild._Making

    class Slow(making):  # type: ignore[valid-type,misc]
        def make(self, day: int) -> object:
            made = super().make(day)
            run(store, events_days=3)
            return made

    monkeypatch.setattr(rebuild, "_Making", Slow)
    rebuilder = Rebuilder(store, SITE, LASTING)
    with pytest.raises(LeaseLost):
        rebuilder.rebuild(20261119)
    monkeypatch.undo()
    with pytest.raises(RawGone):
        rebuilder.rebuild(20261119)
    rebuilder.rebuild(20261120)
    rebuilder.let_go()
    after = tables_of(store)
    assert (after.days, after.hours) == (numbers.days, numbers.hours)


def test_late_events_of_such_a_day_go_with_the_next_run(any_store: SqlStore) -> None:
    store = filled(any_store)
    run(store, events_days=3)
    fold(store, [visit(9, "2026-11-18 11:00")], LASTING)
    assert run(store, events_days=3) == {"events": 1, "visits": 1}
    assert store.execute("select raw_complete from raw_days where day = 20261118") == [(0,)]


@pytest.mark.parametrize("statements", [2, 7, 11, 14, 18, 23])
def test_who_is_killed_goes_on_with_the_next_run(any_store: SqlStore, store_url: str, statements: int) -> None:
    store = filled(any_store)
    command = [sys.executable, "-m", "tests.jobs.retention_child", store_url, str(NOW), str(statements)]
    ended = subprocess.run(command, check=False, timeout=60)
    assert ended.returncode in (0, -signal.SIGKILL)
    run(store, events_days=3)
    assert store.execute("select count(*) from events") == [(3,)]
    assert store.execute("select count(*) from sessions") == [(3,)]
    view = store.database.read(lambda session: visitor_view(session, HOME, ANNA))
    assert view is not None
    assert view.visits == 4
    gone = {day for day, complete in store.execute("select day, raw_complete from raw_days") if not complete}
    assert gone == {20261118, 20261119}
    assert not any(tells(row, visit(6, person="bert").visitor) for row in everything(store)["visitor_days"])


def test_questions_about_visits_that_are_gone_are_refused_and_sums_are_answered(any_store: SqlStore) -> None:
    store = filled(any_store)
    table = ReportTable(store.database)

    def ask(period: str, filters: str = "") -> int:
        asked = Asked(period=period, filters=filters)
        question = read_question(asked, HOME, "persistent", now_ms=NOW, known=lambda: None)
        return answer(table, question).totals.numbers.views

    whole = "2026-11-18..2026-11-22"
    assert (ask(whole), ask(whole, "page is /")) == (7, 7)
    run(store, events_days=3)
    assert ask(whole) == 7
    with pytest.raises(QueryError, match="suppressed: visits of 2026-11-19 are not kept any more"):
        ask(whole, "page is /")
    assert ask("2026-11-20..2026-11-22", "page is /") == 3
