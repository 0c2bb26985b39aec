"""Numbers under a filter of what only events tell, and lists of it; counted from raw events."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mariadb import MariaDB
from tests.reports.counted_by_hand import DAY, NOW, SITE, visits
from tests.reports.traffic import MINUTE, event, fold
from visitor_tracker.days import HOUR_MS
from visitor_tracker.reports.answers import answer, shown_breakdown
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

OTHER = Site(2, "other")
NUMBERS = ("visitors", "visits", "views", "events")


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def visited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportTable]:
    """A store with the visits, for tests that only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('visited') / 'visitors.db'}"
    if request.param == "mysql":
        server: MariaDB = request.getfixturevalue("mariadb")
        url = server.url(server.fresh_database())
    store = open_store(url)
    migrate(store)
    fold(store, SITE, visits())
    yield ReportTable(store.database)
    store.close()


def ask(asked: Asked, policy: VisitorPolicy = "daily", now_ms: int = NOW) -> Question:
    return read_question(asked, SITE, policy, now_ms=now_ms, known=lambda: None)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        # texts, numbers and booleans
        ("prop:plan is pro", (2, 2, 0, 3)),
        ("prop:plan is pro,free", (3, 3, 0, 4)),
        ("prop:plan is Pro", (0, 0, 0, 0)),
        ("prop:plan contains RO", (2, 2, 0, 3)),
        ("prop:plan glob f*e", (1, 1, 0, 1)),
        ('prop:plan is not ""', (3, 3, 0, 4)),
        ("prop:Plan is pro", (0, 0, 0, 0)),
        ("prop:price is 9.5", (1, 1, 0, 1)),
        ("prop:price is 9.50", (1, 1, 0, 1)),
        ("prop:price is 12", (1, 1, 0, 1)),
        ("prop:price is 12.0", (0, 0, 0, 0)),  # it was sent as text
        ("prop:n is 3", (2, 2, 0, 2)),
        ("prop:n glob 3", (2, 2, 0, 2)),
        ("prop:trial is true", (1, 1, 0, 1)),
        ("prop:trial is 1", (0, 0, 0, 0)),
        ("prop:price > 9", (2, 2, 0, 2)),
        ("prop:price > 9.5", (1, 1, 0, 1)),
        ("prop:price >= 9.5", (2, 2, 0, 2)),
        ("prop:price < 12", (1, 1, 0, 1)),
        ("prop:price <= 12", (2, 2, 0, 2)),
        ("prop:trial > 0", (0, 0, 0, 0)),
        ("not prop:price > 9 and prop:plan is pro", (1, 1, 0, 2)),
        # what else events tell
        ("kind is pageview", (2, 2, 3, 0)),
        ("kind is vital", (1, 1, 0, 0)),
        ("kind glob *o*", (3, 3, 0, 6)),
        ("title is Prices", (2, 2, 2, 0)),
        ("title contains ALL", (1, 1, 1, 0)),
        ('title is "" and kind is pageview', (0, 0, 0, 0)),
        ("target glob https://*", (1, 1, 0, 1)),
        ('target is ""', (3, 3, 3, 5)),
        ("value > 10", (1, 1, 0, 1)),
        ("value < 10", (1, 1, 0, 0)),
        ("scroll >= 80", (1, 1, 1, 0)),
        # with other conditions
        ("prop:plan is pro and country is DE", (2, 2, 0, 2)),
        ("prop:plan is pro and country is FR", (0, 0, 0, 1)),
        ("prop:plan is pro and source is Google", (1, 1, 0, 1)),
        ("prop:plan is pro and entry is /", (1, 1, 0, 1)),
        ("prop:plan is pro or country is FR", (3, 3, 1, 4)),
        ("prop:plan is pro or page is /b", (2, 2, 0, 5)),
        ("prop:plan is pro and page is /a", (1, 1, 0, 2)),
        ("event is signup and prop:plan is not pro", (1, 1, 0, 1)),
        ("event contains SIGN and prop:plan is pro", (2, 2, 0, 3)),
        ("event is buy and prop:plan is pro", (0, 0, 0, 0)),
        ("not (prop:plan is pro or country is DE)", (1, 1, 1, 1)),
        ("outbound glob * and kind is outbound", (1, 1, 0, 1)),
        ("country contains f and (title is Prices or host is nowhere.test)", (1, 1, 1, 0)),
    ],
)
def test_what_a_filter_of_events_counts(visited: ReportTable, filters: str, numbers: tuple[int, ...]) -> None:
    found = answer(visited, ask(Asked(period="2026-03-09..2026-03-11", filters=filters)))
    shown = found.totals.numbers
    assert tuple(getattr(shown, name) for name in NUMBERS) == numbers
    assert [point.numbers.visits for point in found.series.points] == [0, shown.visits, 0]


def test_bounce_and_duration_are_those_of_the_visit(visited: ReportTable) -> None:
    found = answer(visited, ask(Asked(period="2026-03-10", filters="prop:plan is pro")))
    assert found.totals.numbers == Numbers(2, 2, 0, 0, 1, 0, 4 * MINUTE, 3)
    found = answer(visited, ask(Asked(period="2026-03-10", filters="title is Prices")))
    assert found.totals.numbers == Numbers(2, 2, 2, 0, 1, 30_000, 4 * MINUTE + 1, 0)


@pytest.mark.parametrize(
    ("filters", "by", "rows"),
    [
        ("", "prop:plan", {"pro": (2, 2, 3), "free": (1, 1, 1)}),
        ("event is signup", "prop:plan", {"pro": (2, 2, 3), "free": (1, 1, 1)}),
        ("event is buy", "prop:plan", {}),
        ("country is FR", "prop:plan", {"free": (1, 1, 1), "pro": (0, 0, 1)}),
        ("page is /a", "prop:plan", {"pro": (1, 1, 2), "free": (1, 1, 1)}),
        ("", "prop:n", {"3": (2, 2, 2)}),
        ("", "prop:trial", {"true": (1, 1, 1)}),
        ("", "prop:nothing", {}),
        ("", "title", {"Prices": (2, 2, 2), "Welcome, all!": (1, 1, 1)}),
        ("", "target", {"https://x.test/": (1, 1, 1)}),
        ("prop:plan is pro", "prop:price", {"9.5": (1, 1, 1)}),
        ("prop:plan is pro", "event", {"signup": (2, 2, 3)}),
        ("prop:plan is pro", "page", {"/a": (1, 1, 2), "/": (1, 1, 1)}),
        ("prop:plan is pro", "country", {"DE": (2, 2, 2), "FR": (0, 0, 1)}),
        ("prop:plan is pro", "entry", {"/": (1, 1, 1)}),
        ("prop:plan is pro", "kind", {"custom": (2, 2, 3)}),
        ("prop:plan is pro", "outbound", {}),
        ("value > 1", "host", {"a.test": (1, 1, 1)}),
    ],
)
def test_lists_of_events(visited: ReportTable, filters: str, by: str, rows: dict[str, tuple[int, ...]]) -> None:
    [found] = answer(visited, ask(Asked(period="2026-03-10", by=by, filters=filters))).breakdowns
    told = {row.value: (row.numbers.visitors, row.numbers.visits, row.numbers.events) for row in found.rows}
    assert told == rows
    assert found.rows_in_all == len(rows)


def test_what_a_list_shows(visited: ReportTable) -> None:
    def shown(by: str, filters: str = "", order: str = "") -> dict[str, Any]:
        asked = Asked(period="2026-03-10", by=by, filters=filters, order=order, limit="1")
        return shown_breakdown(answer(visited, ask(asked)).breakdowns[0])

    assert shown("prop:plan") == {
        "dimension": "prop:plan",
        "order": "visitors",
        "rows_in_all": 2,
        "visitors_are": "exact",
        "note": "each visitor counts once",
        "rows": [{"value": "pro", "visitors": 2, "visits": 2, "events": 3}],
    }
    assert shown("prop:plan", order="views")["order"] == "events"
    assert set(shown("page", "prop:plan is pro")["rows"][0]) == {
        "value", "visitors", "visits", "views", "engaged_seconds", "events",
    }  # fmt: skip
    assert "events" not in shown("page", "country is DE")["rows"][0]


def test_totals_do_not_depend_on_the_list(visited: ReportTable) -> None:
    for filters in ("", "event is signup", "prop:plan is pro"):
        one, other = (answer(visited, ask(Asked(period="7d", filters=filters, by=by))) for by in ("page", "prop:plan"))
        assert (one.totals, one.series) == (other.totals, other.series)


def test_kinds_are_listed_under_a_filter_and_by_the_hour_too(visited: ReportTable) -> None:
    def kinds(asked: Asked, now_ms: int = NOW) -> dict[str, int]:
        return {row.value: row.numbers.events for row in answer(visited, ask(asked, now_ms=now_ms)).breakdowns[0].rows}

    whole = {"custom": 5, "pageview": 3, "outbound": 1, "vital": 1}
    assert kinds(Asked(period="2026-03-10", by="kind")) == whole
    assert kinds(Asked(period="24h", by="kind"), DAY + 20 * HOUR_MS) == whole
    assert kinds(Asked(period="2026-03-10", by="kind", filters="source is Google")) == {
        "custom": 2,
        "pageview": 2,
        "outbound": 1,
        "vital": 1,
    }
    for by in ("bot", "crawler"):
        with pytest.raises(QueryError, match="leave the filter out"):
            answer(visited, ask(Asked(by=by, filters="kind is click")))


def test_another_time_zone_and_hours(visited: ReportTable) -> None:
    asked = Asked(period="2026-03-10", interval="day", timezone="Pacific/Auckland", filters="prop:plan is pro,free")
    found = answer(visited, ask(asked)).totals.numbers  # until noon in Berlin
    assert (found.visitors, found.visits, found.events) == (2, 2, 2)
    asked = Asked(period="24h", by="prop:plan")
    [rows] = answer(visited, ask(asked, now_ms=DAY + 34 * HOUR_MS)).breakdowns
    assert {row.value: row.numbers.events for row in rows.rows} == {"free": 1, "pro": 2}


def test_only_the_events_of_the_site_are_read(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    fold(store, OTHER, [event(OTHER, DAY + HOUR_MS, "anna", properties={"plan": "pro"})])
    assert answer(table, ask(Asked(period="2026-03-10", filters="prop:plan is pro"))).totals.numbers.views == 0
