"""Numbers under a filter, counted from visits."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, NEWS, SAFARI, event, fold, who
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, day_after, day_of
from visitor_tracker.event import Agent, Event, Kind, Place, Signal, Source
from visitor_tracker.measures import Dimension
from visitor_tracker.reports import plans, scan, selection
from visitor_tracker.reports.answers import answer
from visitor_tracker.reports.filtered import filtered
from visitor_tracker.reports.filters import FILTERED, OF_ACTS, OF_LOOKS, Is, read_filter
from visitor_tracker.reports.numbers import Breakdown, Numbers, Row
from visitor_tracker.reports.query import DIMENSIONS, OF_EVENTS, Asked, QueryError, Question, read_question
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable, SessionRow
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOW = bounds("Europe/Berlin", 20260331)[0] + 15 * HOUR_MS
KINDS: tuple[Kind, ...] = (
    "pageview", "pageview", "pageview", "custom", "outbound", "click", "engagement", "scroll", "form",
)  # fmt: skip
NUMBERS = ("visitors", "visits", "views", "events")


def ask(asked: Asked, policy: VisitorPolicy = "daily", now_ms: int = NOW) -> Question:
    return read_question(asked, SITE, policy, now_ms=now_ms, known=lambda: None)


def visits() -> list[Event]:
    """Return three visits, of three visitors, and what somebody unknown did.

    anna  DE Google   / /a /blog/1, a sign-up and a link out, 30 s engaged on /a
    ben   FR news     /a, nothing else
    cara  DE          a sign-up without any page
    """
    at = DAY + 9 * HOUR_MS
    anna: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    return [
        event(SITE, at, "anna", "/", source=GOOGLE, **anna),
        event(SITE, at + MINUTE, "anna", "/a", source=INSIDE, engaged_ms=30_000, **anna),
        event(SITE, at + 2 * MINUTE, "anna", "/a", "custom", name="signup", **anna),
        event(SITE, at + 3 * MINUTE, "anna", "/blog/1", host="blog.test", source=INSIDE, **anna),
        event(SITE, at + 4 * MINUTE, "anna", "/blog/1", "outbound", target="https://x.test/", **anna),
        event(SITE, at + 2 * HOUR_MS, "ben", "/a", source=NEWS, place=FRANCE, agent=SAFARI),
        event(SITE, at + 3 * HOUR_MS, "cara", "/", "custom", name="signup", place=GERMANY),
        event(SITE, at + 3 * HOUR_MS, "", "/a", place=FRANCE, agent=SAFARI),
        event(SITE, at + 3 * HOUR_MS, "", "/a", "custom", name="signup", place=FRANCE, agent=SAFARI),
        event(SITE, at, "", "/a", signals=int(Signal.HEADLESS), place=GERMANY),
    ]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        # conditions of visits
        ("country is DE", (2, 2, 3, 3)),
        ("country is FR", (1, 1, 2, 1)),
        ("country is de,fr", (3, 3, 5, 4)),
        ("not country is DE", (1, 1, 2, 1)),
        ("source is Google", (1, 1, 3, 2)),
        ('source is ""', (1, 1, 1, 2)),
        ("source contains GOO or utm_campaign is may", (2, 2, 4, 2)),
        ('source is not ""', (2, 2, 4, 2)),
        ("source glob *", (2, 2, 4, 2)),
        ("channel is direct and country is DE", (1, 1, 0, 1)),
        ("entry is /", (1, 1, 3, 2)),
        ("exit glob /blog/*", (1, 1, 3, 2)),
        ('entry is ""', (1, 1, 1, 2)),
        ("browser is Firefox and device is mobile", (0, 0, 0, 0)),
        ("city glob DE/*/Munich", (2, 2, 3, 3)),
        # conditions of pages
        ("page is /a", (2, 2, 3, 2)),
        ("page is /", (1, 1, 1, 2)),
        ("not page is /a", (2, 2, 2, 4)),
        ("page is /a and page is /", (0, 0, 0, 0)),
        ("page is /a,/", (2, 2, 4, 2)),
        ("page contains LOG", (1, 1, 1, 2)),
        ("page glob /* and host is blog.test", (1, 1, 1, 2)),
        ("host is A.TEST", (2, 2, 4, 2)),
        ("page is /a and country is DE", (1, 1, 1, 2)),
        ("page is /nowhere", (0, 0, 0, 0)),
        # conditions of actions
        ("event is signup", (2, 2, 3, 3)),
        ("not event is signup", (1, 1, 2, 0)),
        ("event is not play", (3, 3, 5, 3)),
        ("outbound glob https://*", (1, 1, 3, 1)),
        ("outbound contains x.test and event is signup", (1, 1, 3, 2)),
        ("event is signup and country is DE", (2, 2, 3, 2)),
        # of both
        ("page is /a and event is signup", (1, 1, 1, 1)),
        ("page is / and not event is signup", (0, 0, 0, 0)),
        ("page is /a and not event is signup", (1, 1, 2, 0)),
        ("page is /a or event is signup", (3, 3, 5, 3)),
        ("page is /blog/1 or country is FR", (2, 2, 3, 3)),
        ("not (page is /a or country is FR)", (2, 2, 2, 3)),
    ],
)
def test_what_a_filter_counts(store: SqlStore, table: ReportTable, filters: str, numbers: tuple[int, ...]) -> None:
    fold(store, SITE, visits())
    found = answer(table, ask(Asked(period="2026-03-09..2026-03-11", filters=filters)))
    shown = found.totals.numbers
    assert tuple(getattr(shown, name) for name in NUMBERS) == numbers
    assert sum(point.numbers.views for point in found.series.points) == shown.views
    assert [point.numbers.visits for point in found.series.points] == [0, shown.visits, 0]


def test_bounce_and_duration_are_those_of_the_visit(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())

    def numbers(filters: str) -> Numbers:
        return answer(table, ask(Asked(period="2026-03-10", filters=filters))).totals.numbers

    assert numbers("page is /a and country is DE") == Numbers(1, 1, 1, 0, 0, 30_000, 4 * MINUTE, 2)
    assert numbers("page is /a and not source is Google") == Numbers(1, 1, 2, 1, 1)
    assert numbers("event is signup and not source is Google") == Numbers(1, 1, 0, 0, 1, events=2)


@pytest.mark.parametrize(
    ("filters", "by", "rows"),
    [
        ("event is signup", "page", {"/": 1, "/a": 1, "/blog/1": 1}),
        ("page glob /blog/*", "page", {"/blog/1": 1}),
        ("page glob /blog/*", "entry", {"/": 1}),
        ("page is /a", "country", {"DE": 1, "FR": 2}),
        ("country is DE", "host", {"a.test": 2, "blog.test": 1}),
        ("country is DE", "event", {"signup": 0}),
        ("outbound contains x", "event", {"signup": 0}),
        ("country is FR", "source", {"news": 1}),
        ("country is FR", "download", {}),
    ],
)
def test_breakdowns_under_a_filter(
    store: SqlStore, table: ReportTable, filters: str, by: str, rows: dict[str, int]
) -> None:
    fold(store, SITE, visits())
    [found] = answer(table, ask(Asked(period="2026-03-10", by=by, filters=filters))).breakdowns
    assert {row.value: row.numbers.views for row in found.rows} == rows
    assert found.rows_in_all == len(rows)


def test_robots_are_not_kept_with_visits(table: ReportTable) -> None:
    for by in ("bot", "crawler"):
        with pytest.raises(QueryError, match="leave the filter out"):
            answer(table, ask(Asked(by=by, filters="page is /a")))


def test_the_last_day_is_counted_hour_by_hour(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    found = answer(table, ask(Asked(period="24h", by="page"), now_ms=DAY + 34 * HOUR_MS))
    assert [point.numbers.visitors for point in found.series.points] == [1, 1, *[0] * 22]
    assert (found.totals.numbers.visitors, found.totals.numbers.views) == (2, 2)
    assert [(row.value, row.numbers.views) for row in found.breakdowns[0].rows] == [("/a", 2)]


def crowd(seed: int, *, daily: bool) -> list[Event]:
    """Return what sixty people do on four days around the end of summer time, with visits that go over midnight."""
    chance = random.Random(seed)
    start = bounds(SITE.timezone, 20261024)[0]
    found = []
    for person in range(60):
        ts = start + chance.randrange(4 * DAY_MS)
        for _ in range(chance.randrange(1, 9)):
            day = day_of(SITE.timezone, ts)
            name = f"{person}@{day}" if daily else str(person)
            is_early = daily and ts - bounds(SITE.timezone, day)[0] < 30 * MINUTE
            before = f"{person}@{day_after(day, -1)}" if is_early else ""
            is_known = chance.random() < 0.9
            kind = chance.choice(KINDS)
            found.append(
                event(
                    SITE,
                    ts,
                    name if is_known else "",
                    chance.choice(["/", "/a", "/b", "/blog/1", "/blog/2"]),
                    kind,
                    previous=who(before) if is_known else b"",
                    host=chance.choice(["a.test", "www.a.test"]),
                    source=chance.choice([GOOGLE, NEWS, Source(), INSIDE]),
                    place=chance.choice([GERMANY, FRANCE, Place()]),
                    agent=chance.choice([FIREFOX, SAFARI, Agent()]),
                    name="" if kind == "pageview" else chance.choice(["signup", "play", ""]),
                    target="https://x.test/" if kind == "outbound" else "",
                    engaged_ms=chance.choice([0, 4_000, 12_000]),
                    signals=chance.choice([0] * 9 + [1, 4]),
                )
            )
            ts += chance.randrange(MINUTE, 45 * MINUTE)
    return found


@pytest.mark.parametrize("policy", ["daily", "persistent"])
@pytest.mark.parametrize("seed", [1, 2])
def test_sessions_and_rollups_tell_the_same(
    store: SqlStore, table: ReportTable, policy: VisitorPolicy, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 7)
    fold(store, SITE, crowd(seed, daily=policy == "daily"), daily=policy == "daily")
    dimensions = [dimension for dimension in DIMENSIONS.values() if dimension not in OF_EVENTS]
    for period, interval in (
        ("2026-10-23..2026-10-29", "week"),
        ("2026-10-25", "hour"),
        ("2026-10-26..2026-10-27", "day"),
    ):
        question = ask(Asked(period=period, interval=interval, limit="100"), policy)
        told, counted = answer(table, question, dimensions), filtered(table, question, dimensions)
        assert counted[:2] == (told.totals, told.series)
        for one, other in zip(counted[2], told.breakdowns, strict=True):
            # Only a sum of its days is known of a value, unless there is but one.
            compared = one if policy == "daily" or interval == "hour" else with_visitors_of(one, other)
            assert compared == other


def with_visitors_of(one: Breakdown, other: Breakdown) -> Breakdown:
    """Return the first with rows in the order, and with the visitors, of the second."""
    rows = {row.value: row.numbers for row in one.rows}
    borrowed = tuple(
        Row(row.value, msgspec.structs.replace(rows[row.value], visitors=row.numbers.visitors)) for row in other.rows
    )
    return msgspec.structs.replace(one, rows=borrowed, visitors_are=other.visitors_are)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_filter_and_the_row_it_asks_for_tell_the_same(store: SqlStore, table: ReportTable, seed: int) -> None:
    fold(store, SITE, crowd(seed, daily=True))
    question = ask(Asked(period="2026-10-25", limit="100"))
    compared = 0
    for dimension in FILTERED.values():
        for row in answer(table, question, [dimension]).breakdowns[0].rows:
            found, _, _ = filtered(table, replace(question, filters=Is(dimension, (row.value,))))
            assert said_of(dimension, found.numbers) == said_of(dimension, row.numbers), (dimension, row.value)
            compared += 1
    assert compared > 40


def said_of(dimension: Dimension, numbers: Numbers) -> tuple[object, ...]:
    """Return what a row says of its dimension, and a filter by it says too."""
    if dimension in OF_LOOKS:
        return numbers.visitors, numbers.visits, numbers.views, numbers.engaged_ms
    if dimension in OF_ACTS:
        return numbers.visitors, numbers.visits, numbers.events
    if dimension in (Dimension.ENTRY, Dimension.EXIT):  # these stand where the visit began, with all that is theirs
        return numbers.visits, numbers.bounces, numbers.singles, numbers.duration_ms
    return (numbers,)


def test_a_visit_over_midnight_is_one_visit(store: SqlStore, table: ReportTable) -> None:
    late, early = DAY + DAY_MS - 5 * MINUTE, DAY + DAY_MS + 5 * MINUTE
    fold(
        store,
        SITE,
        [
            event(SITE, late, "anna's old hash", "/", source=GOOGLE, place=GERMANY),
            event(SITE, early, "anna's new hash", "/a", source=INSIDE, place=GERMANY, previous=who("anna's old hash")),
        ],
    )

    def numbers(period: str, filters: str) -> Numbers:
        return answer(table, ask(Asked(period=period, filters=filters))).totals.numbers

    assert numbers("2026-03-10", "source is Google") == Numbers(1, 1, 1, 0, 0, 0, 10 * MINUTE)
    assert numbers("2026-03-11", "source is Google") == Numbers(1, 0, 1)
    assert numbers("2026-03-10..2026-03-11", "country is DE") == Numbers(2, 1, 2, 0, 0, 0, 10 * MINUTE)
    assert numbers("2026-03-10..2026-03-11", "exit is /a and page is /a") == Numbers(1, 1, 1, 0, 0, 0, 10 * MINUTE)
    assert numbers("2026-03-11..2026-03-12", "channel is direct") == Numbers()


class Watched(ReportTable):
    """Notes the buckets of which sessions, and the days of which events are read one by one."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store.database)
        self.buckets: list[int] = []
        self.days: list[int] = []

    def sessions(self, site_id: int, bucket: int, most: int) -> Iterator[list[SessionRow]]:
        self.buckets.append(bucket)
        return super().sessions(site_id, bucket, most)

    def loose_events(self, site: Site, start_ms: int, end_ms: int, *, signals: int, most: int) -> Iterator[list[Fact]]:
        self.days.append(day_of(site.timezone, start_ms))
        return super().loose_events(site, start_ms, end_ms, signals=signals, most=most)


def test_events_are_read_only_of_days_on_which_somebody_is_unknown(store: SqlStore) -> None:
    fold(store, SITE, [*visits(), event(SITE, DAY + DAY_MS, "anna"), event(SITE, DAY - HOUR_MS, "", signals=1)])
    table = Watched(store)
    found = answer(table, ask(Asked(period="2026-03-09..2026-03-11", filters='not country is ""')))
    assert table.days == [20260310]
    assert found.totals.numbers.views == 6


def test_too_many_visits_are_refused(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    question = ask(Asked(period="2026-03-10", filters="page is /a"))
    assert filtered(table, question, most=3)[0].numbers.visits == 2
    with pytest.raises(QueryError, match="more than 2 visits one by one: take a shorter period"):
        filtered(table, question, most=2)
    store.execute("update rollup_day set visits = 0")  # not known beforehand
    with pytest.raises(QueryError, match="more than 2 visits"):
        filtered(table, question, most=2)


def test_only_days_with_numbers_are_read(store: SqlStore) -> None:
    fold(store, SITE, visits())
    table = Watched(store)
    found = answer(table, ask(Asked(period="1970-01-01..2100-12-31", interval="month", filters="page is /a")))
    assert found.totals.numbers.visits == 2
    assert table.buckets == [0, 19691231, 20260310]


def test_one_visitor_may_have_more_sessions_than_are_read_at_once(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 2)
    events = [event(SITE, DAY + hour * HOUR_MS, name) for hour in range(20) for name in ("anna", "ben")]
    unknown = [event(SITE, DAY, "", f"/{page}") for page in range(5)]  # all at the same moment
    fold(store, SITE, [*events, *unknown])
    found = answer(table, ask(Asked(period="2026-03-10", filters="page glob *")))
    assert found.totals.numbers == Numbers(2, 40, 45, 40, 40)


def test_a_session_of_three_days_is_found_on_each(store: SqlStore, table: ReportTable) -> None:
    minutes = range(0, 3 * 24 * 60, 20)
    fold(store, SITE, [event(SITE, DAY + minute * MINUTE, "anna", place=GERMANY) for minute in minutes], daily=False)
    for day in ("2026-03-10", "2026-03-11", "2026-03-12"):
        found = answer(table, ask(Asked(period=day, filters="country is DE"), "persistent")).totals.numbers
        assert (found.visitors, found.visits, found.views) == (1, int(day == "2026-03-10"), 72)


def test_another_time_zone_knows_visitors_from_visits(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    asked = Asked(period="2026-03-10", interval="day", timezone="Pacific/Auckland", filters="country is DE,FR")
    found = answer(table, ask(asked))  # until noon in Berlin
    assert (found.totals.numbers.visitors, found.totals.numbers.views) == (2, 4)
    assert found.series.points[0].numbers == found.totals.numbers


def test_texts_are_judged_again_when_many_were_seen(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 2)
    monkeypatch.setattr(selection, "_REMEMBERED", 3)
    monkeypatch.setattr(plans, "_REMEMBERED", 3)
    fold(store, SITE, [event(SITE, DAY + HOUR_MS, f"visitor {n}", f"/{n % 10}") for n in range(40)])
    assert answer(table, ask(Asked(period="2026-03-10", filters="page contains 7"))).totals.numbers.views == 4


def test_the_tree_of_a_filter_may_be_nested(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    question = ask(Asked(period="2026-03-10"))
    one = read_filter("not (country is FR or not (page is /a and event is signup))")
    other = read_filter("country is not FR and page is /a and event is signup")
    assert filtered(table, replace(question, filters=one))[0] == filtered(table, replace(question, filters=other))[0]


def test_a_filter_is_not_asked_of_any_number_of_combinations(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visit with 4 sorts of pages, of events and of clicks for what these conditions say has 64 combinations."""
    monkeypatch.setattr(selection, "COMBINATIONS_MOST", 100)
    names = ("x", "a", "b", "ab")
    made: list[tuple[Kind, str, str]] = [("pageview", name, "") for name in names]
    made += [("custom", "", name) for name in names] + [("click", "", name) for name in names]
    happened = [
        event(SITE, DAY + second * 1000, "anna", f"/{page}", kind, name=name)
        for second, (kind, page, name) in enumerate(made)
    ]
    fold(store, SITE, happened)
    either = [f"{sort} contains a or {sort} contains b" for sort in ("page", "event", "click")]
    few, many = (f"({' or '.join(either[:sorts])}) and country is QQ" for sorts in (2, 3))
    assert answer(table, ask(Asked(period="2026-03-10", filters=few))).totals.numbers == Numbers()
    with pytest.raises(QueryError, match="too many conditions of pages and actions at once"):
        answer(table, ask(Asked(period="2026-03-10", filters=many)))
