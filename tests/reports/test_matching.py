"""Which events are selected, of what visits, and how many may be read."""

from typing import Any

import pytest

from tests.reports.counted_by_hand import DAY, FILTERS, LISTED, NOW, SITE, VALUES, Model, crowd, visits
from tests.reports.traffic import MINUTE, event, fold, who
from visitor_tracker.days import DAY_MS, HOUR_MS, date_of
from visitor_tracker.event import Source
from visitor_tracker.reports import matching, plans, scan
from visitor_tracker.reports.answers import answer, shown_breakdown
from visitor_tracker.reports.by_event import by_event
from visitor_tracker.reports.filtered import filtered
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

OTHER = Site(2, "other")
NUMBERS = ("visitors", "visits", "views", "events")


def ask(asked: Asked, policy: VisitorPolicy = "daily", now_ms: int = NOW) -> Question:
    return read_question(asked, SITE, policy, now_ms=now_ms, known=lambda: None)


PERIODS = [(20261023, 20261028), (20261025, 20261025), (20261026, 20261027)]


@pytest.mark.parametrize(("policy", "seed"), [("daily", 1), ("persistent", 2)])
def test_filters_of_events_count_what_is_there(
    store: SqlStore, table: ReportTable, policy: VisitorPolicy, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 20)
    monkeypatch.setattr(matching, "CHUNK", 20)
    events = crowd(seed, daily=policy == "daily")
    fold(store, SITE, events, daily=policy == "daily")
    counted = 0
    for filters, holds in FILTERS:
        for first, last in PERIODS:
            asked = Asked(period=f"{date_of(first)}..{date_of(last)}", interval="day", filters=filters)
            found = answer(table, ask(asked, policy))
            model = Model(events, holds, first, last)
            assert found.totals.numbers == model.numbers(), (filters, first)
            days = [Model(events, holds, day, day).numbers() for day in range(first, last + 1)]
            assert [point.numbers for point in found.series.points] == days, (filters, first)
            assert sum(day.visits for day in days) == model.numbers().visits
            counted += model.numbers().visits
    assert counted > 100


@pytest.mark.parametrize("seed", [3, 4])
def test_lists_count_what_is_there(store: SqlStore, table: ReportTable, seed: int) -> None:
    events = crowd(seed, daily=True)
    fold(store, SITE, events)
    for filters, holds in FILTERS:
        for by, value in VALUES.items():
            asked = Asked(period="2026-10-25..2026-10-26", by=by, filters=filters, limit="100")
            [found] = answer(table, ask(asked)).breakdowns
            model = Model(events, holds, 20261025, 20261026)
            assert {row.value for row in found.rows} == model.values(value), (filters, by)
            for row in found.rows:
                counted = model.numbers(value, row.value)
                assert (row.numbers.visitors, row.numbers.visits) == (counted.visitors, counted.visits), (by, row.value)
                own = counted.events if by in ("page", "country", "entry") else model.times(value, row.value)
                assert row.numbers.events == own, (filters, by, row.value)


@pytest.mark.parametrize("policy", ["daily", "persistent"])
def test_what_selects_everything_tells_the_same_as_rollups(
    store: SqlStore, table: ReportTable, policy: VisitorPolicy
) -> None:
    happened = [each for each in crowd(5, daily=policy == "daily") if each.kind in ("pageview", *LISTED)]
    fold(store, SITE, happened, daily=policy == "daily")
    for period in ("2026-10-25", "2026-10-23..2026-10-28"):
        asked = Asked(period=period, interval="hour")
        told = answer(table, ask(asked, policy))
        everything = ask(Asked(period=period, interval="hour", filters='title is "" or title is not ""'), policy)
        counted = by_event(table, everything)
        assert counted[:2] == (told.totals, told.series) == filtered(table, ask(asked, policy))[:2]


HOSTILE = (
    "'; drop table events; --", 'a "quoted" name', "ä\U0001f600\u202e", "a b,c(d)", "%", "_", "\\", "\x00\x1b[31m",
    "{site_id}", "[?]", "prop:prop:x", "__class__", "x" * 64,
)  # fmt: skip


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_values_are_but_texts(store: SqlStore, table: ReportTable, text: str) -> None:
    fold(
        store,
        SITE,
        [
            event(SITE, DAY + HOUR_MS, "anna", properties={text: text}, title=text, target=text),
            event(SITE, DAY + HOUR_MS, "ben", properties={text: "other", "other": text}, title="other"),
        ],
    )
    for field in (f"prop:{quoted(text)}", "title", "target"):
        for operator in ("is", "contains", "glob"):
            asked = Asked(period="2026-03-10", filters=f"{field} {operator} {quoted(text)}")
            assert answer(table, ask(asked)).totals.numbers.views == 1, (field, operator)
    [found] = answer(table, ask(Asked(period="2026-03-10", by=f"prop:{text}"))).breakdowns
    assert {row.value: row.numbers.visits for row in found.rows} == {text: 1, "other": 1}
    assert shown_breakdown(found)["dimension"] == f"prop:{text}"


def test_days_without_their_events_are_not_guessed(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*visits(), event(SITE, DAY + DAY_MS, "anna"), event(SITE, DAY - DAY_MS, "anna")])
    question = ask(Asked(period="2026-03-08..2026-03-12", filters="prop:plan is pro"))
    assert answer(table, question).totals.numbers.visits == 2
    store.execute("update raw_days set raw_complete = 0 where day = 20260310")
    with pytest.raises(QueryError, match="events of 2026-03-10 are not kept any more: take days after 2026-03-10"):
        answer(table, question)
    with pytest.raises(QueryError, match=r"suppressed: .* take later days"):
        answer(table, ask(Asked(period="2026-03-10", by="prop:plan")))
    assert answer(table, ask(Asked(period="2026-03-11", filters="kind is pageview"))).totals.numbers.views == 1
    assert answer(table, ask(Asked(period="2026-03-10", filters="country is DE"))).totals.numbers.visits == 2
    store.execute("delete from raw_days where day = 20260311")  # folded before anybody noted it
    with pytest.raises(QueryError, match="events of 2026-03-11 are not kept"):
        answer(table, question)


def test_too_many_events_are_refused(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, visits())
    question = ask(Asked(period="2026-03-10", filters="prop:plan is pro"))
    assert by_event(table, question, most=10)[0].numbers.visits == 2
    with pytest.raises(QueryError, match="more than 9 events one by one: take a shorter period") as caught:
        by_event(table, question, most=9)
    assert caught.value.name == "period"
    store.execute("update rollup_day set events = 0")  # not known beforehand
    with pytest.raises(QueryError, match="more than 9 events"):
        by_event(table, question, most=9)


def test_a_list_of_too_many_values_is_refused(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "VALUES_MOST", 10)
    events = [event(SITE, DAY + n, f"visitor {n}", properties={"id": n}) for n in range(11)]
    fold(store, SITE, events)
    with pytest.raises(QueryError, match="more than 10 different values: take a shorter period, or a filter"):
        answer(table, ask(Asked(period="2026-03-10", by="prop:id")))
    [found] = answer(table, ask(Asked(period="2026-03-10", by="prop:id", filters="prop:id < 5"))).breakdowns
    assert found.rows_in_all == 5


def test_what_is_remembered_is_bounded(store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (matching, plans):
        monkeypatch.setattr(module, "_REMEMBERED", 3)
    monkeypatch.setattr(plans, "_TOLD_REMEMBERED", 3)
    monkeypatch.setattr(scan, "CHUNK", 2)
    monkeypatch.setattr(matching, "CHUNK", 2)
    events = [
        event(SITE, DAY + n * HOUR_MS // 2, f"visitor {n}", f"/{n}", target=f"t{n % 10}", source=Source(name=f"s{n}"))
        for n in range(40)
    ]
    early = [event(SITE, DAY - 5 * MINUTE, f"visitor {n}", "/0", source=Source(name="s7")) for n in range(1)]
    fold(store, SITE, [*events, *early], daily=False)
    filters = "target contains 7 and page contains 7 and source contains s"
    found = answer(table, ask(Asked(period="2026-03-10", filters=filters), "persistent"))
    assert found.totals.numbers.views == 4


def test_many_events_of_one_moment_are_all_read(
    store: SqlStore, table: ReportTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "CHUNK", 2)
    fold(store, SITE, [event(SITE, DAY, name, f"/{n}") for n in range(5) for name in ("anna", "")])
    found = answer(table, ask(Asked(period="2026-03-10", filters="kind is pageview"))).totals.numbers
    assert (found.visitors, found.visits, found.views) == (1, 1, 10)


def test_a_visit_counts_on_the_day_of_its_first_event(store: SqlStore, table: ReportTable) -> None:
    """One that began before the period may have had it before too."""
    before, after = DAY - 5 * MINUTE, DAY + 5 * MINUTE
    pro: dict[str, Any] = {"properties": {"plan": "pro"}}
    fold(
        store,
        SITE,
        [
            event(SITE, before, "anna's old hash", "/", **pro),
            event(SITE, after, "anna's new hash", "/", previous=who("anna's old hash"), **pro),
            event(SITE, before, "ben's old hash", "/"),
            event(SITE, after, "ben's new hash", "/", previous=who("ben's old hash"), **pro),
            event(SITE, after, "robot", "/", signals=1, **pro),
            event(SITE, before, "", "/", **pro),
        ],
    )

    def numbers(period: str) -> tuple[int | None, int, int]:
        found = answer(table, ask(Asked(period=period, filters="prop:plan is pro"))).totals.numbers
        return found.visitors, found.visits, found.views

    assert numbers("2026-03-09") == (1, 1, 2)
    assert numbers("2026-03-10") == (2, 1, 2)
    assert numbers("2026-03-09..2026-03-10") == (3, 2, 4)
