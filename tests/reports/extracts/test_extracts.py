"""Extracts of days: which hold, when they are made, and what they leave to visits."""

from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import pytest

from tests.reports.asking.people import ZONE, new_site
from tests.reports.traffic import GERMANY, GOOGLE, MINUTE, event, fold, who
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Event
from visitor_tracker.reports.asking import collecting
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.extracts.keeping import renew
from visitor_tracker.reports.extracts.reading import Extracts
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site
from visitor_tracker.store.erasing import forget_visitor
from visitor_tracker.store.extracts import LOOKS, ROWS, ExtractTable
from visitor_tracker.store.reports import ReportTable, SessionRow
from visitor_tracker.store.sql import SqlStore

DAY = bounds(ZONE, 20260310)[0]
LATER = DAY + 10 * DAY_MS
FILTERED = StatsQuery(
    metrics=["visitors", "visits", "views", "events"], filters="country is DE", date_range="2026-03-09..2026-03-13"
)


class Watched(ReportTable):
    """Notes the buckets of which sessions are read one by one."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store.database)
        self.buckets: list[int] = []

    def sessions(self, site_id: int, bucket: int, most: int) -> Iterator[list[SessionRow]]:
        self.buckets.append(bucket)
        return super().sessions(site_id, bucket, most)


def ask(table: ReportTable, site: Site, query: StatsQuery = FILTERED, now_ms: int = LATER) -> Answered:
    return answer_query(table, read_query(query, About(site, "daily", lambda: None), now_ms))


def numbers(found: Answered) -> tuple[Any, ...]:
    return tuple(found.totals.metrics.values())


def visits(site: Site) -> list[Event]:
    """Return what two people do on two days, one of them over midnight."""
    anna: dict[str, Any] = {"place": GERMANY, "source": GOOGLE}
    late, early = DAY + DAY_MS - 5 * MINUTE, DAY + DAY_MS + 5 * MINUTE
    return [
        event(site, DAY + HOUR_MS, "ben", "/", place=GERMANY),
        event(site, DAY + 3 * HOUR_MS, "ben", "/a", "custom", name="signup", place=GERMANY),
        event(site, late, "anna's old hash", "/", **anna),
        event(site, early, "anna's new hash", "/a", previous=who("anna's old hash"), **anna),
    ]


@pytest.fixture
def site(store: SqlStore) -> Site:
    made = new_site()
    fold(store, made, visits(made))
    return made


def test_days_that_are_over_are_read_from_extracts(store: SqlStore, site: Site) -> None:
    table = Watched(store)
    before = ask(table, site)
    assert numbers(before) == (3, 3, 3, 1)
    assert table.buckets
    assert renew(table, site, LATER) == 2
    table.buckets.clear()
    assert ask(table, site).totals == before.totals
    assert table.buckets == []
    assert renew(table, site, LATER) == 0


def test_a_day_that_was_added_takes_up_no_memory_any_more(store: SqlStore, table: ReportTable, site: Site) -> None:
    renew(table, site, LATER)
    question = read_query(FILTERED, About(site, "daily", lambda: None), LATER).question
    days = Extracts(table, question, {ROWS, LOOKS}).days()
    first = ref(next(days).shared)
    assert next(days).rows.count
    assert first() is None


def test_yesterday_is_left_to_its_visits(store: SqlStore, site: Site) -> None:
    assert renew(Watched(store), site, DAY + DAY_MS + HOUR_MS) == 0
    assert renew(Watched(store), site, DAY + 2 * DAY_MS + HOUR_MS) == 1
    assert [*ExtractTable(store.database).stamps(site.id, 20260301, 20260331)] == [20260310]


@pytest.mark.parametrize("dimension", [0, 30])
def test_an_extract_does_not_hold_when_something_came_late(
    store: SqlStore, table: ReportTable, site: Site, dimension: int
) -> None:
    renew(table, site, LATER)
    store.execute(
        "update rollup_day set events = events + 1 where site_id = %s and dimension = %s and period = 20260311",
        (site.id, dimension),
    )
    watched = Watched(store)
    assert numbers(ask(watched, site)) == (3, 3, 3, 1)
    assert watched.buckets  # of the day, and of the one before it, which a visit goes on from
    assert renew(table, site, LATER) == 2


def test_another_time_zone_of_the_site_makes_other_days(store: SqlStore, table: ReportTable, site: Site) -> None:
    renew(table, site, LATER)
    assert renew(table, Site(site.id, site.name, timezone="UTC"), LATER) == 2


def test_who_is_erased_is_in_no_extract(store: SqlStore, table: ReportTable, site: Site) -> None:
    renew(table, site, LATER)
    store.database.write(lambda session: forget_visitor(session, site.id, who("ben"), [20260310]))
    assert numbers(ask(table, site)) == (2, 1, 2, 0)
    renew(table, site, LATER)
    assert numbers(ask(table, site)) == (2, 1, 2, 0)


def test_an_erased_half_of_a_visit_over_midnight_takes_the_day_before_too(
    store: SqlStore, table: ReportTable, site: Site
) -> None:
    renew(table, site, LATER)
    store.database.write(lambda session: forget_visitor(session, site.id, who("anna's new hash"), [20260311]))
    assert ExtractTable(store.database).stamps(site.id, 20260301, 20260331) == {}


def test_a_filter_of_pages_sees_all_of_a_visit_over_midnight(store: SqlStore, site: Site) -> None:
    table = Watched(store)
    renew(table, site, LATER)
    table.buckets.clear()
    query = StatsQuery(
        metrics=["visitors", "visits", "views"],
        dimensions=["time:day"],
        filters="source is Google and page is /a",
        date_range="2026-03-10..2026-03-11",
    )
    assert [tuple(row.metrics.values()) for row in ask(table, site, query).rows] == [(0, 0, 0), (1, 1, 1)]
    assert table.buckets == []


def test_an_extract_is_not_taken_when_visits_went_meanwhile(store: SqlStore, site: Site) -> None:
    extracts = ExtractTable(store.database)
    there = extracts.sessions(site.id, 20260311)
    assert there == 4
    assert not extracts.put(site.id, 20260311, bytes(16), {ROWS: b"rows", LOOKS: b"looks"}, there + 1)
    assert extracts.put(site.id, 20260311, bytes(16), {ROWS: b"rows", LOOKS: b"looks"}, there)
    assert [each.body for each in extracts.read(site.id, 20260310, 20260312, [ROWS])] == [b"rows"]


def test_a_visit_of_three_days_is_left_to_visits(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = new_site()
    minutes = range(0, 3 * 24 * 60, 20)
    fold(store, site, [event(site, DAY + minute * MINUTE, "anna", place=GERMANY) for minute in minutes])
    assert renew(table, site, LATER) == 0
    assert (
        numbers(ask(table, site)) == without_extracts(monkeypatch, lambda: numbers(ask(table, site))) == (1, 1, 216, 0)
    )


def without_extracts(monkeypatch: pytest.MonkeyPatch, work: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(collecting, "knows", lambda _: False)
        return work()


def test_too_many_days_without_an_extract_are_refused(
    store: SqlStore, table: ReportTable, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visitor_tracker.reports.extracts.reading.SESSIONS_MOST", 2)
    with pytest.raises(QueryError, match="more than 2 visits one by one"):
        ask(table, site)
    renew(table, site, LATER)
    assert numbers(ask(table, site)) == (3, 3, 3, 1)


@pytest.mark.parametrize(
    ("dimensions", "filters", "rows"),
    [
        (["page"], "country is DE", {"/": (2, 2, 2), "/a": (1, 1, 1)}),
        (["source", "page"], "", {"Google /": (1, 1, 1), "Google /a": (1, 1, 1)}),
        (["event"], "not source is Google", {"signup": (1, 1, 0)}),
        (["entry"], "country contains d", {"/": (2, 2, 3)}),
        (["channel", "time:day"], "country is DE", {"search 2026-03-10": (1, 1, 1), "search 2026-03-11": (1, 0, 1),
                                                    "direct 2026-03-10": (1, 2, 1)}),
        (["host"], "country is FR", {}),
    ],
)  # fmt: skip
def test_rows_of_extracts(
    table: ReportTable, site: Site, dimensions: list[str], filters: str, rows: dict[str, tuple[int, ...]]
) -> None:
    renew(table, site, LATER)
    query = StatsQuery(
        metrics=["visitors", "visits"],
        dimensions=dimensions,
        filters=filters or None,
        date_range="2026-03-09..2026-03-13",
    )
    found = ask(table, site, query)
    assert {" ".join(row.dimensions.values()): tuple(row.metrics.values()) for row in found.rows} == {
        key: row[:2] for key, row in rows.items()
    }
