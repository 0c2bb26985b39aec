"""Totals, series and breakdowns as rollups tell them."""

from dataclasses import replace

import msgspec
import pytest

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, MINUTE, NEWS, SAFARI, event, fold
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, days_between
from visitor_tracker.event import Event, Signal
from visitor_tracker.measures import Dimension, Measures, packed, text_id
from visitor_tracker.reports.answers import answer, shown_breakdown
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.breakdown import breakdown
from visitor_tracker.reports.numbers import Numbers, Row
from visitor_tracker.reports.query import Asked, Question, read_question
from visitor_tracker.reports.series import series
from visitor_tracker.reports.totals import totals
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import Piece, ReportTable
from visitor_tracker.store.rollups import add_rollups
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
OTHER = Site(7, "blog", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOW = bounds("Europe/Berlin", 20260331)[0] + 15 * HOUR_MS


def ask(asked: Asked, policy: VisitorPolicy = "daily", site: Site = SITE) -> Question:
    return read_question(asked, site, policy, now_ms=NOW, known=lambda: None)


def a_day() -> list[Event]:
    """Return two visits of Anna's, one of Ben's, of a robot, and of somebody unknown."""
    return [
        event(SITE, DAY + HOUR_MS, "anna", "/", source=GOOGLE, place=GERMANY, agent=FIREFOX),
        event(SITE, DAY + HOUR_MS + 3 * MINUTE, "anna", "/a", engaged_ms=20_000, place=GERMANY, agent=FIREFOX),
        event(SITE, DAY + HOUR_MS + 4 * MINUTE, "anna", "/a", "custom", name="signup", place=GERMANY, agent=FIREFOX),
        event(SITE, DAY + 5 * HOUR_MS, "anna", "/a", source=NEWS, place=GERMANY, agent=FIREFOX),
        event(SITE, DAY + 5 * HOUR_MS, "ben", "/b", place=FRANCE, agent=SAFARI, engaged_ms=12_000),
        event(SITE, DAY + 5 * HOUR_MS, "", "/a", place=FRANCE, agent=SAFARI),
        event(SITE, DAY + 5 * HOUR_MS, "robot", "/a", signals=int(Signal.USER_AGENT)),
    ]


def test_what_happened_on_a_day(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, a_day())
    found = totals(table, ask(Asked(period="2026-03-10")))
    numbers = Numbers(2, visits=3, views=5, bounces=1, singles=2, engaged_ms=32_000, duration_ms=4 * MINUTE, events=1)
    assert (found.numbers, found.visitors_are) == (numbers, "exact")
    assert (numbers.bounce_rate, numbers.single_rate, numbers.views_per_visit) == (0.3333, 0.6667, 1.6667)
    assert (numbers.engaged_seconds, numbers.duration_seconds) == (10.7, 80.0)


def test_a_site_without_visits(table: ReportTable) -> None:
    found = answer(table, ask(Asked(period="2026-03-10", by="page")))
    assert found.totals.numbers == Numbers()
    assert found.totals.numbers.bounce_rate is None
    assert [point.numbers for point in found.series.points] == [Numbers()] * 24
    assert found.breakdowns[0].rows == ()


def test_sites_have_their_own_numbers(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, a_day())
    fold(store, OTHER, [event(OTHER, DAY, "anna", "/blog")])
    asked = Asked(period="2026-03-10", by="page")
    assert totals(table, ask(asked, site=OTHER)).numbers.views == 1
    assert [row.value for row in breakdown(table, ask(asked, site=OTHER), Dimension.PAGE).rows] == ["/blog"]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("page", [("/a", 1, 2, 3, 0), ("/", 1, 1, 1, 0), ("/b", 1, 1, 1, 0)]),
        ("entry", [("/", 1, 1, 2, 1), ("/a", 1, 1, 1, 0), ("/b", 1, 1, 1, 0)]),
        ("exit", [("/a", 1, 2, 3, 1), ("/b", 1, 1, 1, 0)]),
        ("source", [("Google", 1, 1, 2, 1), ("news", 1, 1, 1, 0)]),
        ("channel", [("direct", 1, 1, 2, 0), ("search", 1, 1, 2, 1), ("email", 1, 1, 1, 0)]),
        ("country", [("DE", 1, 2, 3, 1), ("FR", 1, 1, 2, 0)]),
        ("region", [("DE/Bavaria", 1, 2, 3, 1), ("FR/Brittany", 1, 1, 2, 0)]),
        ("browser_version", [("Firefox 128", 1, 2, 3, 1), ("Safari 18", 1, 1, 2, 0)]),
        ("device", [("desktop", 1, 2, 3, 1), ("mobile", 1, 1, 2, 0)]),
        ("event", [("signup", 1, 1, 0, 1)]),
        ("kind", [("pageview", 0, 0, 0, 5), ("custom", 0, 0, 0, 1)]),
        ("bot", [("user_agent", 0, 0, 0, 1)]),
        ("crawler", [("Examplebot", 0, 0, 0, 1)]),
        ("download", []),
    ],
)
def test_breakdowns(store: SqlStore, table: ReportTable, by: str, rows: list[tuple[object, ...]]) -> None:
    fold(store, SITE, a_day())
    [found] = answer(table, ask(Asked(period="2026-03-10", by=by))).breakdowns
    shown = [
        (row.value, *(getattr(row.numbers, name) for name in ("visitors", "visits", "views", "events")))
        for row in found.rows
    ]
    assert sorted(shown) == sorted(rows)
    assert (found.rows_in_all, found.visitors_are) == (len(rows), "exact")


def test_rows_are_sorted_and_cut(store: SqlStore, table: ReportTable) -> None:
    numbers = {f"/{letter}": place for place, letter in enumerate("abcdefgh", 1)}
    sums = {
        (int(Dimension.PAGE), text_id(page), 20260310): packed(
            Measures(visitors=n, visits=9 - n, views=n % 3, events=n % 2)
        )
        for page, n in numbers.items()
    }
    store.database.write(lambda session: add_rollups(session, "day", 1, sums))
    store.execute("insert into strings (id, value) values " + ", ".join(f"({text_id(p)}, '{p}')" for p in numbers))

    def pages(order: str = "", limit: str = "3", offset: str = "") -> tuple[str, int]:
        question = ask(Asked(period="2026-03-10", order=order, limit=limit, offset=offset))
        found = breakdown(table, question, Dimension.PAGE)
        return "".join(row.value[1] for row in found.rows), found.rows_in_all

    assert pages() == ("hgf", 8)
    assert pages(limit="5", offset="3") == ("edcba", 8)
    assert pages(offset="8") == ("", 8)
    assert pages(offset="100") == ("", 8)
    assert pages(order="visits") == ("abc", 8)
    assert set(pages(order="views")[0]) <= set("beh")
    assert set(pages(order="events", limit="4")[0]) == set("aceg")


def test_the_database_sorts_by_ratios_as_exactly_as_we_do(store: SqlStore, table: ReportTable) -> None:
    engaged_and_views = {"/a": (5, 2), "/b": (7, 3), "/c": (0, 1), "/d": (9, 0), "/e": (400, 100), "/f": (5, 2)}
    days = (20260210, 20260310)  # a whole month, and days of another
    sums = {
        (int(Dimension.PAGE), text_id(page), day): packed(
            Measures(visitors=1, visits=1, views=views, engaged_ms=engaged_ms * (1 + number))
        )
        for page, (engaged_ms, views) in engaged_and_views.items()
        for number, day in enumerate(days)
    }
    store.database.write(lambda session: add_rollups(session, "day", 1, sums))
    by_month = {(dimension, value, day // 100): number for (dimension, value, day), number in sums.items()}
    store.database.write(lambda session: add_rollups(session, "month", 1, by_month))
    store.execute(
        "insert into strings (id, value) values " + ", ".join(f"({text_id(p)}, '{p}')" for p in engaged_and_views)
    )

    def pages(order: str, limit: int) -> list[str]:
        query = StatsQuery(date_range="2026-02-01..2026-03-15", dimensions=["page"], metrics=["engaged"])
        asked = msgspec.structs.replace(query, order_by=[order], limit=limit)
        about = About(SITE, "daily", known=lambda: None)
        return [str(row.dimensions["page"])[1] for row in answer_query(table, read_query(asked, about, NOW)).rows]

    upwards = pages("engaged:asc", 10)  # all rows are read and sorted here
    first, last = sorted("af", key=lambda letter: text_id(f"/{letter}"))
    assert pages("engaged:desc", 10) == ["e", first, last, "b", "c", "d"]
    assert pages("engaged:desc", 4) == ["e", first, last, "b"]
    assert upwards == ["c", "b", first, last, "e", "d"]


def test_a_text_that_is_gone_is_shown_by_its_id(store: SqlStore, table: ReportTable) -> None:
    sums = {(int(Dimension.PAGE), -2, 20260310): packed(Measures(1, 1, 1))}
    store.database.write(lambda session: add_rollups(session, "day", 1, sums))
    [row] = breakdown(table, ask(Asked(period="2026-03-10")), Dimension.PAGE).rows
    assert row == Row("#fffffffffffffffe", Numbers(1, 1, 1))


def test_what_was_taken_back_has_no_row(store: SqlStore, table: ReportTable) -> None:
    sums = {(int(Dimension.PAGE), 5, 20260310): packed(Measures(1, 1, 1))}
    for number in (1, -1):
        signed = {key: number * value for key, value in sums.items()}
        store.database.write(lambda session, signed=signed: add_rollups(session, "day", 1, signed))  # type: ignore[misc]
    assert breakdown(table, ask(Asked(period="2026-03-10")), Dimension.PAGE).rows_in_all == 0


def weeks_of_anna(days: int = 80) -> list[Event]:
    """Return a visit each day by Anna, from 2026-01-01 on, and Ben every tenth day."""
    found = []
    for place, day in enumerate(days_between(20260101, 20260331)[:days]):
        noon = bounds("Europe/Berlin", day)[0] + 12 * HOUR_MS
        found.append(event(SITE, noon, "anna", "/", place=GERMANY))
        if place % 10 == 0:
            found.append(event(SITE, noon, "ben", "/b", place=FRANCE))
    return found


@pytest.mark.parametrize(
    ("policy", "period", "visitors", "said"),
    [
        ("daily", "2026-01-01", 2, "exact"),
        ("daily", "2026-01-01..2026-01-11", 13, "daily_sum"),
        ("daily", "2026-01-01..2026-01-31", 35, "daily_sum"),
        ("persistent", "2026-01-02", 1, "exact"),
        ("persistent", "2026-01-01..2026-01-11", 2, "exact"),
        ("persistent", "2026-01-02..2026-01-10", 1, "exact"),
        ("persistent", "2026-01-01..2026-01-31", 2, "exact"),
        ("persistent", "90d", 2, "exact"),
        ("monthly", "2026-01-05..2026-01-12", 2, "exact"),
        ("monthly", "2026-01-01..2026-02-28", 2, "monthly_sum"),
    ],
)
def test_visitors_of_several_days(  # noqa: PLR0913 - fixtures
    store: SqlStore, table: ReportTable, policy: VisitorPolicy, period: str, visitors: int, said: str
) -> None:
    fold(store, SITE, weeks_of_anna(), daily=policy == "daily")
    found = totals(table, ask(Asked(period=period), policy))
    assert (found.numbers.visitors, found.visitors_are) == (visitors, said)


def test_days_of_another_policy_are_added(store: SqlStore, table: ReportTable) -> None:
    """A site that was daily until 10 January and persistent afterwards."""
    fold(store, SITE, weeks_of_anna())
    kept = [(day, name) for day in days_between(20260111, 20260131) for name in ("anna",)]
    for day, name in kept:
        store.execute(
            "insert into daily_visitors (site_id, day, visitor) values (1, %s, %s)", (day, name.encode().ljust(16))
        )
    found = totals(table, ask(Asked(period="2026-01-02..2026-01-20"), "persistent"))
    assert (found.numbers.visitors, found.visitors_are) == (9 + 1 + 1, "daily_sum")  # with Ben on the eleventh


@pytest.mark.parametrize("policy", ["daily", "persistent"])
def test_weeks_and_months_of_a_series(store: SqlStore, table: ReportTable, policy: VisitorPolicy) -> None:
    fold(store, SITE, weeks_of_anna(), daily=policy == "daily")
    weeks = series(table, ask(Asked(period="2026-01-01..2026-01-18", interval="week"), policy))
    assert [(point.start, point.numbers.views) for point in weeks.points] == [
        ("2025-12-29", 5),
        ("2026-01-05", 8),
        ("2026-01-12", 7),
    ]
    months = series(table, ask(Asked(period="2026-01-02..2026-03-31", interval="month"), policy))
    assert [point.numbers.views for point in months.points] == [30 + 3, 28 + 2, 21 + 2]
    if policy == "daily":
        assert [point.numbers.visitors for point in weeks.points + months.points] == [5, 8, 7, 33, 30, 23]
    else:
        assert [point.numbers.visitors for point in weeks.points + months.points] == [2, 2, 1, 2, 2, 2]
    assert {weeks.visitors_are, months.visitors_are} == {"daily_sum" if policy == "daily" else "exact"}


def test_days_and_hours_of_a_series(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, a_day())
    days = series(table, ask(Asked(period="2026-03-09..2026-03-11")))
    assert [(point.start, point.numbers.visitors, point.numbers.views) for point in days.points] == [
        ("2026-03-09", 0, 0),
        ("2026-03-10", 2, 5),
        ("2026-03-11", 0, 0),
    ]
    hours = series(table, ask(Asked(period="2026-03-10", interval="hour")))
    assert [(point.numbers.visitors, point.numbers.views) for point in hours.points[:6]] == [
        (0, 0), (1, 2), (0, 0), (0, 0), (0, 0), (2, 3),
    ]  # fmt: skip
    assert (days.visitors_are, hours.visitors_are) == ("exact", "exact")


def test_another_time_zone_knows_no_visitors(store: SqlStore, table: ReportTable) -> None:
    """In New York it is still 9 March when Anna comes first."""
    fold(store, SITE, a_day())
    asked = Asked(period="2026-03-09..2026-03-10", timezone="America/New_York", by="page")
    found = answer(table, ask(asked))
    assert [(point.start, point.numbers.visitors, point.numbers.views) for point in found.series.points] == [
        ("2026-03-09", None, 2),
        ("2026-03-10", None, 3),
    ]
    assert (found.totals.numbers.visitors, found.totals.numbers.views) == (None, 5)
    assert {found.totals.visitors_are, found.series.visitors_are, found.breakdowns[0].visitors_are} == {"suppressed"}
    rows = found.breakdowns[0].rows
    assert [(row.value, row.numbers.visitors, row.numbers.visits) for row in rows] == [
        ("/a", None, 2),
        *sorted([("/", None, 1), ("/b", None, 1)], key=lambda each: text_id(str(each[0]))),
    ]
    assert found.breakdowns[0].order == "visits"
    assert "suppressed" in str(shown_breakdown(found.breakdowns[0])["note"])
    hours = series(table, replace(ask(asked), interval="hour"))
    assert [point.numbers.visitors for point in hours.points if point.numbers.views] == [1, 2]


def test_long_spans_give_the_same_from_months_and_days(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, weeks_of_anna())
    question = ask(Asked(period="2025-12-20..2026-03-15", limit="1000"))
    found = breakdown(table, question, Dimension.COUNTRY)
    days = [Piece("day", 20251220, 20260315)]
    hours = [Piece("hour", question.span.start_ms, question.span.end_ms - 1)]
    by_day = table.breakdown(1, Dimension.COUNTRY, days, order="visitors", limit=10)
    assert [(row.value, row.numbers.views) for row in found.rows] == [("DE", 74), ("FR", 8)]
    assert [(row.text, row.measured[2]) for row in by_day[0]] == [("DE", 74), ("FR", 8)]
    assert table.breakdown(1, Dimension.COUNTRY, hours, order="visitors", limit=10) == by_day


def test_a_whole_month_has_exact_visitors_where_others_are_sums(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, weeks_of_anna(), daily=False)
    for period, visitors, said in (
        ("2026-01-01..2026-01-31", [1, 1], "exact"),
        ("2026-01-01..2026-02-10", [1 + 10, 1 + 1], "daily_sum"),
        ("month", [1, 1], "exact"),
    ):
        found = breakdown(table, ask(Asked(period=period), "persistent"), Dimension.COUNTRY)
        assert [row.numbers.visitors for row in found.rows] == visitors
        assert found.visitors_are == said


def test_days_in_all(store: SqlStore, table: ReportTable) -> None:
    assert table.known(1) is None
    fold(store, SITE, [event(SITE, DAY - 40 * DAY_MS, "anna"), event(SITE, DAY, "ben")])
    assert table.known(1) == (20260129, 20260310)
    found = read_question(Asked(period="all"), SITE, "daily", now_ms=NOW, known=lambda: table.known(1))
    assert totals(table, found).numbers.views == 2
    assert [day for day, _ in table.latest(1, 30)] == [20260310, 20260129]
