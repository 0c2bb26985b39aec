"""The visits of a site in a list, and what is beside them: recordings, errors, clicks in rage."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, MINUTE, SAFARI, event, fold, who
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.event import Event
from visitor_tracker.reports.clicked import clicked
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.reports.visit_list import Wanted, With, cursor_of, mark_of, visits_of
from visitor_tracker.reports.within import Within
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store.replay import Chunk, Limits, ReplayTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visit_list import NEWEST
from visitor_tracker.store.visits import add_client_sessions

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOON = DAY + 12 * HOUR_MS
MIDNIGHT = DAY + 24 * HOUR_MS
RAGE = {"tag": "BUTTON", "id": "buy", "class": "large", "rage": True}
KEPT = Policy(ip="full")


def traffic() -> list[Event]:
    """Return six visits, one of them over midnight; anna came twice, eve's are robots' no more."""
    german: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    french: dict[str, Any] = {"place": FRANCE, "agent": SAFARI}
    return [
        event(SITE, NOON, "anna", "/", source=GOOGLE, ip="203.0.113.9", **german),
        event(SITE, NOON + MINUTE, "anna", "/buy", engaged_ms=9_000, **german),
        event(SITE, NOON + MINUTE, "anna", "/buy", "click", name="Buy", properties=RAGE, viewport="1280x720", **german),
        event(SITE, NOON + 2 * MINUTE, "anna", "/buy", "error", name="Error: no", interactive=False, **german),
        event(SITE, NOON + 2 * HOUR_MS, "anna", "/again", **german),
        event(SITE, NOON + HOUR_MS, "ben", "/", **french),
        event(SITE, NOON + HOUR_MS + 1, "ben", "/", "click", name="Buy", properties=RAGE | {"rage": False}, **french),
        event(SITE, MIDNIGHT - MINUTE, "carl", "/late", **french),
        event(SITE, MIDNIGHT + MINUTE, "carl2", "/later", previous=who("carl"), **french),
        event(SITE, NOON, "", "/nobody"),
        event(SITE, MIDNIGHT + 3 * HOUR_MS, "dora", "/next", **german),
    ]  # fmt: skip


def question(filters: str = "", period: str = "2026-03-10") -> Question:
    return read_question(
        Asked(period, filters=filters),
        SITE,
        "daily",
        now_ms=MIDNIGHT + 15 * HOUR_MS,
        known=lambda: (20260310, 20260311),
    )


@pytest.fixture
def table(store: SqlStore) -> ReportTable:
    fold(store, SITE, traffic())
    record(store)
    return ReportTable(store.database)


def record(store: SqlStore) -> None:
    """Record ben's visit, under the id that his page gave."""
    client = who("ben's tab")
    at = NOON + HOUR_MS + 20_000
    ReplayTable(store.database).add(Chunk(SITE.id, client, 1, at, b"x", 1, 1), Limits(9, 9))
    row = (client, who("ben"), 20260310, NOON + HOUR_MS)
    store.database.write(lambda session: add_client_sessions(session, SITE.id, [row]))


def entries(table: ReportTable, asked: Question, **wanted: Any) -> list[str]:  # noqa: ANN401
    return [visit.entry for visit in visits_of(table, asked, Policy(), Wanted(**wanted)).visits]


def test_a_row_tells_what_is_known_of_its_visit(table: ReportTable) -> None:
    found = visits_of(table, question("page is /buy"), KEPT, Wanted())
    assert [msgspec.structs.asdict(visit) for visit in found.visits] == [
        {
            "id": f"{who('anna').hex()}-{NOON}", "visitor": who("anna").hex(), "ip": "203.0.113.9",
            "started_at": iso(NOON), "ended_at": iso(NOON + 2 * MINUTE), "duration_seconds": 120.0,
            "engaged_seconds": 9.0, "country": "DE", "region": "Bavaria", "city": "Munich", "channel": "search",
            "source": "Google", "device": "desktop", "browser": "Firefox 128", "os": "Linux", "entry": "/",
            "exit": "/buy", "views": 2, "events": 1, "errors": 1, "rage_clicks": 1, "recording": None,
        }
    ]  # fmt: skip
    [hidden] = visits_of(table, question("page is /buy"), Policy(), Wanted()).visits
    assert hidden.ip == ""


@pytest.mark.parametrize(
    ("filters", "period", "having", "shown"),
    [
        ("", "2026-03-10", None, ["/late", "/again", "/", "/"]),
        ("", "2026-03-11", None, ["/next"]),  # carl's began the day before
        ("", "2026-03-10..2026-03-11", None, ["/next", "/late", "/again", "/", "/"]),
        ("country is FR", "2026-03-10", None, ["/late", "/"]),
        ("prop:rage is true", "2026-03-10", None, ["/"]),
        ("", "2026-03-10", "recording", ["/"]),
        ("country is DE", "2026-03-10", "recording", []),
        ("", "2026-03-10", "error", ["/"]),
        ("", "2026-03-10", "rage", ["/"]),
        ("", "2026-03-10", "dead", []),
        ("", "2026-03-11", "error", []),
    ],
)
def test_visits_are_those_that_are_asked_for(
    table: ReportTable, filters: str, period: str, having: With | None, shown: list[str]
) -> None:
    assert entries(table, question(filters, period), having=having) == shown


def test_a_recording_is_named_and_a_visit_over_midnight_is_one(table: ReportTable) -> None:
    [ben] = visits_of(table, question(), Policy(), Wanted(having="recording")).visits
    assert ben.recording == who("ben's tab").hex()
    late = visits_of(table, question(), Policy(), Wanted()).visits[0]
    assert (late.entry, late.exit, late.duration_seconds, late.views) == ("/late", "/later", 120.0, 2)


def test_pages_follow_each_other_without_gap_or_repetition(table: ReportTable) -> None:
    for asked in (question("", "2026-03-10..2026-03-11"), question("country is DE,FR", "2026-03-10..2026-03-11")):
        whole, paged, after = visits_of(table, asked, Policy(), Wanted()).visits, [], Wanted().after
        for _ in range(9):
            page = visits_of(table, asked, Policy(), Wanted(after, 2))
            paged += page.visits
            if page.cursor is None:
                break
            after = cursor_of(page.cursor)
        assert paged == whole
        assert len(whole) == 5


def test_ids_bring_visits_of_any_period_by_any_of_their_moments(table: ReportTable) -> None:
    asked = (
        (who("anna"), NOON + MINUTE), (who("carl2"), MIDNIGHT + MINUTE), (who("carl"), MIDNIGHT - MINUTE),
        (who("anna"), DAY), (who("nobody"), NOON),
    )  # fmt: skip
    assert entries(table, question("country is US", "2026-03-11"), ids=asked) == ["/late", "/"]
    with pytest.raises(ValueError, match="no id of a visit"):
        mark_of("anna-1")


def test_a_filter_that_selects_few_looks_at_so_many_only_and_goes_on(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(store, SITE, [event(SITE, NOON + each, f"v{each}", "/a" if each else "/rare") for each in range(12)])
    monkeypatch.setattr("visitor_tracker.reports.visit_list._CHUNK", 4)
    monkeypatch.setattr("visitor_tracker.reports.visit_list.LOOKED_MOST", 8)
    table = ReportTable(store.database)
    first = visits_of(table, question("page is /rare"), Policy(), Wanted())
    assert (first.visits, first.looked_at) == ([], 8)
    assert first.cursor is not None
    second = visits_of(table, question("page is /rare"), Policy(), Wanted(cursor_of(first.cursor)))
    assert [visit.entry for visit in second.visits] == ["/rare"]


def test_too_much_is_refused_or_not_counted(table: ReportTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visitor_tracker.reports.visit_list.MARKED_MOST", 0)
    with pytest.raises(QueryError, match="take a shorter period"):
        visits_of(table, question(), Policy(), Wanted(having="error"))
    monkeypatch.setattr("visitor_tracker.reports.visit_rows.EVENTS_MOST", 0)
    assert {visit.errors for visit in visits_of(table, question(), Policy(), Wanted()).visits} == {None}


def test_the_list_is_read_from_its_index(store: SqlStore) -> None:
    fold(store, SITE, [event(SITE, NOON + each, f"v{each}") for each in range(300)])
    statement = NEWEST.replace("?", "%s")
    values = (SITE.id, DAY, NOON, NOON, who("v9"), 50)

    def plan(explain: str) -> str:
        return store.database.read(lambda session: repr(session.run(f"{explain} {statement}", values)))

    if store.database.dialect == "sqlite":
        assert "USING INDEX sessions_first (site_id=? AND first_ts>? AND first_ts<?)" in plan("explain query plan")
        assert "TEMP B-TREE" not in plan("explain query plan")
    else:
        assert "sessions_first" in plan("explain")
        assert "filesort" not in plan("explain")


def test_spots_are_told_those_with_trouble_first(table: ReportTable) -> None:
    found = clicked(table, question(), with_sessions=True)
    assert (found.clicks, found.rage, found.dead, found.spots_in_all) == (2, 1, 0, 2)
    [angry, calm] = found.spots
    assert (angry.page, angry.tag, angry.id, angry.classes, angry.text) == (
        "https://a.test/buy", "button", "buy", "large", "Buy"
    )  # fmt: skip
    assert (angry.rage, angry.sessions, calm.rage) == (1, [f"{who('anna').hex()}-{NOON + MINUTE}"], 0)
    assert [spot.sessions for spot in clicked(table, question()).spots] == [None, None]
    assert clicked(table, question(), page=("a.test", "/buy")).clicks == 1
    assert clicked(table, question(), is_shown=lambda viewport: viewport == "1280x720").clicks == 1
    assert clicked(table, question("country is FR")).clicks == 1


def test_events_are_within_the_visits_of_a_filter(table: ReportTable) -> None:
    within = Within(table, question("page is /buy"))
    assert within.has(who("anna"), NOON + MINUTE)
    assert not within.has(who("anna"), NOON + 2 * HOUR_MS), "another visit"
    assert not within.has(who("anna"), NOON - 1)
    assert not within.has(b"", NOON)
    everything = Within(table, replace(question(), filters=None))
    assert everything.has(b"", NOON)
