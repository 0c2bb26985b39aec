"""Errors of a site, each problem once."""

from typing import Any

import pytest

from tests.reports.traffic import FIREFOX, MINUTE, event, fold, who
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Event, Signal
from visitor_tracker.reports import problems as reports
from visitor_tracker.reports.problems import Part, Problem, problems
from visitor_tracker.reports.query import QueryError, Span, read_span
from visitor_tracker.sites import Site
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOON = DAY + 12 * HOUR_MS


def span(period: str, site: Site = SITE) -> Span:
    return read_span(period, site.timezone, DAY + 15 * HOUR_MS, lambda: None)


def error(ts: int, visitor: str = "anna", group: str = "aa", page: str = "/", **more: Any) -> Event:  # noqa: ANN401
    properties = {"group": group, "stack": f"f (/a.js:{ts % 97}:1)", "source": "/a.js", "line": 7, "column": 3}
    name = str(more.pop("name", "Error: no"))
    if release := more.pop("release", ""):
        properties["release"] = release
    return event(SITE, ts, visitor, page, "error", name=name, properties=properties, interactive=False, **more)


def test_each_problem_is_told_once_with_its_last_time(store: SqlStore) -> None:
    fold(
        store,
        SITE,
        [
            event(SITE, NOON, "anna", "/"),
            error(NOON, "anna", name="Error: order 1", agent=FIREFOX, release="r1"),
            error(NOON + MINUTE, "ben", name="Error: order 2", page="/a", release="r2"),
            error(NOON + HOUR_MS, "anna", name="Error: order 3", page="/b?x=1", agent=FIREFOX, release="r2"),
            error(NOON + 2 * MINUTE, "", "bb", name="TypeError: x", host="b.test"),
            error(NOON + 2 * MINUTE, "robot", "cc", signals=int(Signal.HEADLESS)),
        ],
    )
    found = problems(store.database, SITE, span("2026-03-10"))
    last = NOON + HOUR_MS
    assert (found.errors, found.groups) == (4, 2)
    assert found.problems == [
        Problem(
            "aa", "Error: order 3", 3, 2, "2026-03-10T11:00:00.000Z", "2026-03-10T12:00:00.000Z",
            "https://a.test/b?x=1", "/a.js", 7, 3, f"f (/a.js:{last % 97}:1)",
            [Part("Firefox 128", 2), Part("", 1)],
            [Part("https://a.test/", 1), Part("https://a.test/a", 1), Part("https://a.test/b", 1)],
            [Part("r2", 2), Part("r1", 1)],
            [f"{who('anna').hex()}-{last}", f"{who('ben').hex()}-{NOON + MINUTE}"],
        ),
        Problem(
            "bb", "TypeError: x", 1, 0, "2026-03-10T11:02:00.000Z", "2026-03-10T11:02:00.000Z",
            "https://b.test/", "/a.js", 7, 3, f"f (/a.js:{(NOON + 2 * MINUTE) % 97}:1)",
            [Part("", 1)], [Part("https://b.test/", 1)], [], [],
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "errors"),
    [
        ("2026-03-09", 1),
        ("2026-03-10", 2),
        ("2026-03-09..2026-03-11", 4),
        ("2026-03-11", 1),
        ("2026-03-12", 0),
        ("24h", 2),
        ("all", 2),
    ],
)
def test_a_period_has_what_happened_in_it(store: SqlStore, period: str, errors: int) -> None:
    moments = (DAY - 1, DAY, DAY + DAY_MS - 1, DAY + DAY_MS)
    fold(store, SITE, [error(ts, group=str(ts)) for ts in moments])
    asked = read_span(period, SITE.timezone, DAY + DAY_MS - 1, lambda: (20260310, 20260310))
    if period == "all":
        asked = span("2026-03-10")
    assert problems(store.database, SITE, asked).errors == errors


@pytest.mark.parametrize("timezone", ["Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns"])
def test_no_error_is_lost_or_counted_twice_where_clocks_change(store: SqlStore, timezone: str) -> None:
    site = Site(1, "default", timezone=timezone)
    start = bounds(timezone, 20260401)[0]
    moments = [start + step * 10 * MINUTE for step in range(7 * 24 * 6)]
    fold(store, site, [event(site, ts, "anna", "/", "error", properties={"group": "aa"}) for ts in moments])
    found = problems(store.database, site, read_span("2026-04-01..2026-04-07", timezone, moments[-1], lambda: None))
    inside = [ts for ts in moments if ts < bounds(timezone, 20260407)[1]]
    assert found.errors == len(inside)
    [problem] = found.problems
    assert problem.count == len(inside)


def test_the_most_frequent_come_first_and_then_the_latest(store: SqlStore) -> None:
    groups = ["one", "two", "two", "later"]
    fold(store, SITE, [error(NOON + number, group=group) for number, group in enumerate(groups)])
    found = problems(store.database, SITE, span("2026-03-10"), limit=2)
    assert [(each.group, each.count) for each in found.problems] == [("two", 2), ("later", 1)]
    assert (found.errors, found.groups) == (4, 3)


def test_errors_of_before_groups_are_told_by_their_message(store: SqlStore) -> None:
    events = [event(SITE, NOON + n, "anna", "/", "error", name=name) for n, name in enumerate(["a", "b", "a"])]
    fold(store, SITE, events)
    found = problems(store.database, SITE, span("2026-03-10"))
    assert [(each.message, each.count, each.line, each.stack) for each in found.problems] == [
        ("a", 2, 0, ""),
        ("b", 1, 0, ""),
    ]


def test_more_than_a_piece_is_read_in_pieces(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_CHUNK", 3)
    for number in (3, 7):
        fold(store, SITE, [error(NOON, visitor=f"{number}-{each}") for each in range(number)])
    assert problems(store.database, SITE, span("2026-03-10")).errors == 10


def test_too_much_is_refused_before_it_is_read(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fold(store, SITE, [*(error(NOON + each) for each in range(3)), event(SITE, NOON, "anna", "/")])
    monkeypatch.setattr(reports, "ERRORS_MOST", 3)
    monkeypatch.setattr(reports, "READ_MOST", 4)
    assert problems(store.database, SITE, span("2026-03-10")).errors == 3
    monkeypatch.setattr(reports, "READ_MOST", 3)
    with pytest.raises(QueryError, match="more than 3 events"):
        problems(store.database, SITE, span("2026-03-10"))
    monkeypatch.setattr(reports, "ERRORS_MOST", 2)
    with pytest.raises(QueryError, match="more than 2 of them in this period"):
        problems(store.database, SITE, span("2026-03-10"))


def test_hours_without_errors_are_not_read(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fold(store, SITE, [error(NOON), *(event(SITE, NOON + HOUR_MS + each, "anna", "/") for each in range(9))])
    monkeypatch.setattr(reports, "READ_MOST", 1)
    assert problems(store.database, SITE, span("2026-03-10")).errors == 1


def test_a_site_without_errors(store: SqlStore) -> None:
    found = problems(store.database, SITE, span("30d"))
    assert (found.errors, found.groups, found.problems) == (0, 0, [])
