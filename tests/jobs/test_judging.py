"""Robots by behaviour are found the night after, taken out of the numbers, and a person's word wins over everything."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.test_fold import clear, drain, folder_of, put, same, tables_of
from tests.mariadb import MariaDB
from tests.reports.traffic import event, who
from tests.sessions.happening import World, happenings
from tests.sessions.recount import recount
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.overruling import NoSuchVisitor, Overruling, Word
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.event import Event, Signal
from visitor_tracker.ingest.bots import judged_by_days
from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import Rebuilder
from visitor_tracker.jobs.judging import DayJudge, Judging
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store import migrate, open_store, verdicts
from visitor_tracker.store.extracts import ExtractTable
from visitor_tracker.store.sql import SqlStore

DAY = 20260310
START = bounds("UTC", DAY)[0]
AFTER = START + DAY_MS + 2 * HOUR_MS
SITE = Site(1, "default")
EXCLUDE, MARK, OFF = Rule(behaviour="exclude"), Rule(behaviour="mark"), Rule(behaviour="off")
LASTING = Rule(daily=False, behaviour="exclude")
BEHAVIOUR = int(Signal.BEHAVIOUR)


def crawler(name: str = "crawler", start: int = START, pages: int = 200) -> list[Event]:
    """A program that asks for each page once, every five seconds."""
    return [event(SITE, start + HOUR_MS + 5_000 * number, name, f"/page/{number}") for number in range(pages)]


def person(name: str, start: int = START) -> list[Event]:
    """Somebody who reads three pages, one of them twice."""
    gaps = (0, 40_000, 190_000, 700_000)
    pages = ("/", "/blog", "/", "/about")
    return [event(SITE, start + 9 * HOUR_MS + gap, name, page) for gap, page in zip(gaps, pages, strict=True)]


EVERYBODY = [*crawler(), *person("anna"), *person("ben")]


@pytest.fixture
def store(store_url: str) -> SqlStore:
    made = open_store(store_url)
    migrate(made)
    return made


def fold(store: SqlStore, events: Sequence[Event], rule: Rule = EXCLUDE) -> None:
    put(store, events)
    folder = folder_of(store, rule)
    drain(folder)
    folder.let_go()


def judge(store: SqlStore, rule: Rule = EXCLUDE, now_ms: int = AFTER) -> list[int]:
    """Do what the job does; return the days that it judged."""
    judging = DayJudge(store, SITE, rule)
    days = judging.due(now_ms)
    for day in days:
        assert judging.judge(day, now_ms) is not None
    return days


def say(store: SqlStore, name: str, word: Word, rule: Rule = EXCLUDE, now_ms: int = AFTER) -> None:
    overruling = Overruling(store, Audit(store))
    overruling.say(SITE, DAY, who(name), word, who=OPERATOR, now_ms=now_ms, is_daily=rule.daily)


def with_signals(events: Sequence[Event], signals: int, *names: str) -> list[Event]:
    """Return the events as they would be had those visitors had these signals when they came."""
    visitors = {who(name) for name in names}
    return [msgspec.structs.replace(each, signals=signals) if each.visitor in visitors else each for each in events]


def standing(store: SqlStore, day: int = DAY) -> dict[bytes, int]:
    rows = store.database.read(lambda session: verdicts.of_day(session, SITE.id, day))
    return {row.visitor: row.standing for row in rows}


def test_the_night_after_a_crawler_is_a_robot_and_the_numbers_are_as_if_it_had_always_been_one(
    store: SqlStore,
) -> None:
    fold(store, EVERYBODY)
    same(tables_of(store), recount(EVERYBODY, "UTC"))
    assert judge(store) == [DAY]
    assert standing(store) == {who("crawler"): verdicts.ROBOT}
    same(tables_of(store), recount(with_signals(EVERYBODY, BEHAVIOUR, "crawler"), "UTC"))
    assert judge(store) == [], "there is nothing to do again"
    store.close()


def test_a_person_s_word_wins_and_can_be_taken_back(store: SqlStore) -> None:
    signalled = with_signals(EVERYBODY, int(Signal.RATE), "anna")
    fold(store, signalled)
    judge(store)
    for name, word in (("crawler", "human"), ("anna", "human"), ("ben", "robot")):
        say(store, name, word)  # type: ignore[arg-type]
    assert judge(store, now_ms=AFTER + 1) == [DAY]
    cleared = with_signals(with_signals(EVERYBODY, 0, "anna"), BEHAVIOUR, "ben")
    same(tables_of(store), recount(cleared, "UTC"))
    rebuilder = Rebuilder(store, SITE.id, OFF)
    rebuilder.rebuild(DAY)
    rebuilder.let_go()
    same(tables_of(store), recount(cleared, "UTC"))
    for name in ("crawler", "anna", "ben"):
        say(store, name, "rules", now_ms=AFTER + 2)
    judge(store, now_ms=AFTER + 3)
    same(tables_of(store), recount(with_signals(signalled, BEHAVIOUR, "crawler"), "UTC"))
    store.close()


def test_marked_robots_stay_in_the_numbers_and_off_looks_for_none(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    judge(store, MARK)
    assert standing(store) == {who("crawler"): verdicts.ROBOT}
    same(tables_of(store), recount(EVERYBODY, "UTC"))
    assert judge(store) == [DAY], "the setting is another one"
    same(tables_of(store), recount(with_signals(EVERYBODY, BEHAVIOUR, "crawler"), "UTC"))
    assert judge(store, OFF) == [DAY]
    assert standing(store) == {}
    same(tables_of(store), recount(EVERYBODY, "UTC"))
    store.close()


def test_today_is_listed_and_stays_in_the_numbers_until_it_is_over(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    assert judge(store, now_ms=START + 12 * HOUR_MS) == [DAY]
    assert standing(store) == {who("crawler"): verdicts.ROBOT}
    same(tables_of(store), recount(EVERYBODY, "UTC"))
    more = crawler("other", START + 4 * HOUR_MS)
    fold(store, more)
    assert judge(store, now_ms=START + 12 * HOUR_MS + 60_000) == [], "it was judged a minute ago"
    assert judge(store) == [DAY]
    same(tables_of(store), recount(with_signals([*EVERYBODY, *more], BEHAVIOUR, "crawler", "other"), "UTC"))
    store.close()


def test_late_events_have_the_day_judged_again(store: SqlStore) -> None:
    fold(store, [*crawler(pages=6), *person("anna")])
    judge(store)
    assert standing(store) == {}
    late = crawler()[6:]
    fold(store, late)
    assert judge(store, now_ms=AFTER + HOUR_MS) == [DAY]
    everything = [*crawler(), *person("anna")]
    same(tables_of(store), recount(with_signals(everything, BEHAVIOUR, "crawler"), "UTC"))
    store.close()


def test_what_is_said_of_a_lasting_visitor_holds_on_later_days(store: SqlStore) -> None:
    next_day = [*crawler(start=START + DAY_MS), *person("ben", START + DAY_MS)]
    fold(store, [*EVERYBODY, *next_day], LASTING)
    judge(store, LASTING, AFTER + DAY_MS)
    say(store, "crawler", "human", LASTING, AFTER + DAY_MS)
    assert judge(store, LASTING, AFTER + DAY_MS + 1) == [20260311, DAY]
    assert standing(store, 20260311) == {who("crawler"): verdicts.HUMAN}
    same(tables_of(store), recount([*EVERYBODY, *next_day], "UTC", daily=False))
    store.close()


def test_extracts_of_the_day_are_made_again(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    table = ExtractTable(store.database)
    assert table.put(SITE.id, DAY, bytes(16), {0: b"old"}, table.sessions(SITE.id, DAY))
    judge(store)
    assert table.stamps(SITE.id, DAY, DAY) == {}
    store.close()


def test_days_whose_events_are_gone_keep_their_numbers(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    before = tables_of(store)
    store.execute("update raw_days set raw_complete = 0")
    assert judge(store) == [DAY]
    assert standing(store) == {who("crawler"): verdicts.ROBOT}
    same(tables_of(store), before)
    assert judge(store) == []
    store.close()


def test_days_of_long_ago_are_judged_only_where_a_person_said_something(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    later = START + 100 * DAY_MS
    assert judge(store, now_ms=later) == []
    say(store, "ben", "robot", now_ms=later)
    assert judge(store, now_ms=later) == [DAY]
    assert standing(store) == {who("crawler"): verdicts.ROBOT, who("ben"): verdicts.ROBOT}
    store.close()


def test_a_visitor_who_was_not_there_cannot_be_judged(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    with pytest.raises(NoSuchVisitor):
        say(store, "cora", "robot")
    store.close()


def test_who_is_erased_has_no_verdict_and_gets_none(store: SqlStore) -> None:
    fold(store, EVERYBODY)
    judge(store)
    eraser = Eraser(store, lambda: AFTER)
    line = Audit(store).row(OPERATOR, "visitor.erased")
    rests: list[int] = []

    def erased_at_the_end() -> bool:
        rests.append(1)
        if len(rests) == 25:  # the events were read by then: 24 rests are between hours of the day
            eraser.begin(SITE.id, MARK, [who("crawler")], line)
        return False

    judging = DayJudge(store, SITE, MARK, erased_at_the_end)
    assert judging.judge(DAY, AFTER) is not None
    assert len(rests) == 25
    assert standing(store) == {}
    store.close()


def test_the_job_judges_every_site_and_counts_what_it_finds(store: SqlStore, tmp_path: Path) -> None:
    fold(store, EVERYBODY)
    metrics = Metrics()
    reader = SnapshotReader(tmp_path / "snapshot", Snapshot((SITE, Site(7, "empty"))))
    judging = Judging(store, reader, lambda _: EXCLUDE, metrics.counters(), lambda: AFTER)
    judging.step(lambda _: True)
    assert standing(store) == {}
    judging.step(lambda _: False)
    counted = (Cell.JUDGED_VISITORS, Cell.JUDGED_ROBOTS, Cell.JUDGED_DAYS_CHANGED)
    assert [metrics.total(cell) for cell in counted] == [1, 1, 1]
    store.close()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ValueError("a mistake")])
def test_what_goes_wrong_is_tried_again(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fold(store, EVERYBODY)
    judging = Judging(
        store, SnapshotReader(tmp_path / "s", Snapshot((SITE,))), lambda _: EXCLUDE, Metrics().counters(), lambda: AFTER
    )
    step = judging.step
    failed: list[int] = []

    def fails_once(rest: object) -> None:
        if not failed:
            failed.append(1)
            raise error
        step(lambda _: False)

    monkeypatch.setattr(judging, "step", fails_once)
    rests = iter([False, False, False, True])
    judging.run(lambda _: next(rests))
    assert standing(store) == {who("crawler"): verdicts.ROBOT}
    store.close()


@pytest.mark.parametrize("signals", [0, int(Signal.RATE), int(Signal.MISSING_HEADERS | Signal.USER_AGENT)])
def test_signals_survive_whatever_is_said(signals: int) -> None:
    said = [(False, False), (True, False), (False, True), (True, True)]
    now = signals
    for is_robot, is_cleared in said * 2:
        now = judged_by_days(now, is_robot=is_robot, is_cleared=is_cleared)
    assert judged_by_days(now, is_robot=False, is_cleared=False) == signals


@pytest.mark.parametrize("rule", [EXCLUDE, LASTING], ids=["daily", "lasting"])
@pytest.mark.parametrize("comes", ["events", "a word", "both"])
def test_what_comes_while_a_day_is_judged_is_not_lost(store: SqlStore, rule: Rule, comes: str) -> None:
    late = crawler("other", START + 4 * HOUR_MS) if comes != "a word" else []
    robots = {"crawler", "other"} if comes == "events" else {"crawler", "other", "anna"}
    fold(store, EVERYBODY, rule)
    came: list[int] = []

    def meanwhile() -> bool:
        if not came:
            came.append(1)
            fold(store, late, rule)
            if "anna" in robots:
                say(store, "anna", "robot", rule)
        return False

    assert DayJudge(store, SITE, rule, meanwhile).judge(DAY, AFTER) is not None
    judge(store, rule, AFTER + HOUR_MS)
    everything = with_signals([*EVERYBODY, *late], BEHAVIOUR, *robots)
    same(tables_of(store), recount(everything, "UTC", daily=rule.daily))
    assert judge(store, rule, AFTER + 2 * HOUR_MS) == []
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def kept_store(request: pytest.FixtureRequest, mariadb: MariaDB) -> Iterator[SqlStore]:
    """A store for many examples, each of which begins with empty tables."""
    made = open_store("sqlite:///:memory:" if request.param == "sqlite" else mariadb.url(mariadb.fresh_database()))
    migrate(made)
    yield made
    made.close()


@given(happened=happenings(), said=st.lists(st.sampled_from(["human", "robot", ""]), min_size=8, max_size=8))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happened_and_is_said_the_numbers_are_those_of_a_recount(
    kept_store: SqlStore, happened: tuple[World, list[list[Event]]], said: list[str]
) -> None:
    world, batches = happened
    store, events = kept_store, [each for batch in batches for each in batch]
    site = Site(1, "default", timezone=world.timezone)
    rule = Rule(world.timezone, world.keys == "daily", "mark")
    clear(store)
    for table in ("verdicts", "judged_days"):
        store.execute(f"delete from {table}")
    for batch in batches:
        fold(store, batch, rule)
    words = dict(zip(sorted({each.visitor for each in events} - {b""}), said, strict=False))
    now_ms = max(each.ts for each in events) + 3 * DAY_MS
    days = sorted({(each.day, each.visitor) for each in events if words.get(each.visitor)})
    overruling, judging = Overruling(store, Audit(store)), DayJudge(store, site, rule)
    for day, visitor in days:
        word: Word = "human" if words[visitor] == "human" else "robot"
        overruling.say(site, day, visitor, word, who=OPERATOR, now_ms=now_ms, is_daily=rule.daily)
    for day in judging.due(now_ms):
        judging.judge(day, now_ms)
    expected = [
        msgspec.structs.replace(
            each,
            signals=judged_by_days(
                each.signals,
                is_robot=words.get(each.visitor) == "robot",
                is_cleared=words.get(each.visitor) == "human",
            ),
        )
        for each in events
    ]
    same(tables_of(store), recount(expected, world.timezone, daily=rule.daily))
    for day, visitor in days:
        overruling.say(site, day, visitor, "rules", who=OPERATOR, now_ms=now_ms + 1, is_daily=rule.daily)
    for day in judging.due(now_ms + 1):
        judging.judge(day, now_ms + 1)
    same(tables_of(store), recount(events, world.timezone, daily=rule.daily))
