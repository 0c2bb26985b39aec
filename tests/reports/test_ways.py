"""Goals, funnels, journeys, attribution and cohorts of random events, counted once more by hand."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mariadb import MariaDB
from tests.reports import ways_by_hand as by_hand
from tests.reports.counted_by_hand import Visited, visited
from tests.reports.traffic import fold
from tests.reports.ways_by_hand import CHOSEN, FIRST, LAST, MOVES, ZONE, Moves, events_of
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.reports.attribution import AttributedBy, Model, attribution
from visitor_tracker.reports.funnels import funnel_report
from visitor_tracker.reports.goals import GoalNumbers, goal_report
from visitor_tracker.reports.journeys import Direction, journeys
from visitor_tracker.reports.query import Asked, Question, read_question
from visitor_tracker.reports.retention import retention
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.insight import Funnel, Goal, Step
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

NOW = bounds(ZONE, 20261101)[0] + 9 * HOUR_MS
PERIOD = "2026-10-24..2026-10-26"
GOALS = [
    Goal("a page", "page", page="/a", id=b"1"),
    Goal("pages", "page", page="/a*", id=b"2"),
    Goal("a host's page", "page", page="https://b.test/*", id=b"3"),
    Goal("an event", "event", event="signup", id=b"4"),
    Goal("a condition", "event", event="signup", where="prop:plan is pro", id=b"5"),
    Goal("money", "revenue", event="buy", id=b"6"),
    Goal("far down", "scroll", percent=40, id=b"7"),
    Goal("far down there", "scroll", percent=90, page="/b", id=b"8"),
    Goal("a page for long", "engaged", engaged_ms=8_000, page="/*", id=b"9"),
    Goal("a visit for long", "engaged", engaged_ms=12_000, id=b"10"),
]
STEPS = st.sampled_from(
    [
        Step(page="/a"),
        Step(page="/*"),
        Step(page="a.test/b"),
        Step(event="signup"),
        Step(filter="prop:plan is pro and kind is custom"),
    ]
)
FUNNELS = st.builds(
    Funnel,
    st.just("funnel"),
    st.lists(STEPS, min_size=2, max_size=3).map(tuple),
    st.sampled_from(["loose", "strict"]),
)
VALUES = {
    "country": lambda visit: visit.head.place.country,
    "entry": lambda visit: visit.entry,
    "channel": by_hand.channel,
}
_numbers = count(100)
checked = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """A store in which every example has a site of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('ways') / 'visitors.db'}"
    if request.param == "mysql":
        server: MariaDB = request.getfixturevalue("mariadb")
        url = server.url(server.fresh_database())
    made = open_store(url)
    migrate(made)
    yield made
    made.close()


def new_site() -> Site:
    return Site(next(_numbers), "site", timezone=ZONE)


def ask(site: Site, filters: str = "", policy: VisitorPolicy = "daily", **more: str) -> Question:
    asked = Asked(more.pop("period", PERIOD), filters=filters, **more)
    return read_question(asked, site, policy, now_ms=NOW, known=lambda: (FIRST, LAST))


def numbers(found: GoalNumbers) -> dict[str, Any]:
    revenue = [(each.currency, each.sum, each.events) for each in found.revenue]
    return {"conversions": found.conversions, "visitors": found.visitors, "visits": found.visits, "revenue": revenue}


@checked
@given(MOVES, st.sampled_from(sorted(CHOSEN)), st.booleans())
def test_goals(store: SqlStore, moves: Moves, filters: str, daily: bool) -> None:
    site = new_site()
    events = events_of(site, moves, daily=daily)
    fold(store, site, events, daily=daily)
    found = goal_report(ReportTable(store.database), ask(site, filters, "daily" if daily else "cookie"), GOALS)
    for goal, one in zip(GOALS, found.goals, strict=True):
        expected = by_hand.goal_numbers(events, goal, CHOSEN[filters])
        base = expected.pop("base")
        assert numbers(one) == expected, goal.name
        assert (found.visitors, found.visits) == base
        assert one.rate == (round(one.visitors / base[0], 4) if base[0] else None)
        assert sum(point.conversions for point in one.series) == one.conversions
        assert sum(point.visits for point in one.series) == one.visits


@checked
@given(MOVES, st.sampled_from(sorted(VALUES)))
def test_goals_by_what_visits_have(store: SqlStore, moves: Moves, by: str) -> None:
    site = new_site()
    events = events_of(site, moves)
    fold(store, site, events)
    found = goal_report(ReportTable(store.database), ask(site, by=by), GOALS)
    for goal, one in zip(GOALS, found.goals, strict=True):
        rows = {row.value: numbers(row) for row in one.rows or ()}
        values = {VALUES[by](visit) for visit in visited(events)} - {""}
        expected = {
            value: by_hand.goal_numbers(events, goal, CHOSEN[""], value=VALUES[by], of=value) for value in values
        }
        for own in expected.values():
            own.pop("base")
        if by == "entry":  # a visitor is in its row only with visits that began in the span
            rows, expected = ({key: own | {"visitors": 0} for key, own in each.items()} for each in (rows, expected))
        assert rows == {value: own for value, own in expected.items() if own["conversions"]}, goal.name


@checked
@given(MOVES, FUNNELS, st.sampled_from(sorted(CHOSEN)), st.sampled_from([None, 1, 10, 40]))
def test_funnels_within_visits(
    store: SqlStore, moves: Moves, funnel: Funnel, filters: str, minutes: int | None
) -> None:
    site = new_site()
    events = events_of(site, moves)
    fold(store, site, events)
    funnel = Funnel(funnel.name, funnel.steps, funnel.order, minutes)
    found = funnel_report(ReportTable(store.database), ask(site, filters), funnel)
    expected = by_hand.funnel_numbers(events, funnel, CHOSEN[filters])
    assert [(step.visits, step.visitors, step.median_seconds) for step in found.steps] == expected


@checked
@given(MOVES, FUNNELS, st.booleans(), st.integers(1, 2))
def test_funnels_across_visits(store: SqlStore, moves: Moves, funnel: Funnel, daily: bool, days: int) -> None:
    site = new_site()
    events = events_of(site, moves, daily=daily)
    fold(store, site, events, daily=daily)
    funnel = Funnel(funnel.name, funnel.steps, funnel.order, days=days)
    question = ask(site, policy="daily" if daily else "persistent")
    found = funnel_report(ReportTable(store.database), question, funnel)
    expected = by_hand.funnel_numbers(events, funnel, CHOSEN[""])
    assert [(step.visitors, step.visitors, step.median_seconds) for step in found.steps] == expected
    assert found.known_for == ("day" if daily else "always")


@checked
@given(
    MOVES,
    st.sampled_from(["", "/a", "/a*", "b.test/*"]),
    st.sampled_from(["next", "previous"]),
    st.integers(1, 4),
    st.sampled_from(sorted(CHOSEN)),
)
def test_journeys(  # noqa: PLR0913 - what is drawn
    store: SqlStore, moves: Moves, start: str, direction: Direction, steps: int, filters: str
) -> None:
    site = new_site()
    events = events_of(site, moves)
    fold(store, site, events)
    found = journeys(ReportTable(store.database), ask(site, filters), start=start, direction=direction, steps=steps)
    expected = by_hand.journey_links(events, CHOSEN[filters], start, direction, steps)
    assert {(link.step, link.source, link.target): link.visits for link in found.links} == expected
    assert found.visits == sum(link.visits for link in found.links if link.step == 1)


@checked
@given(
    MOVES,
    st.sampled_from(GOALS),
    st.sampled_from(["first", "last"]),
    st.sampled_from(["channel", "source"]),
    st.booleans(),
    st.integers(1, 3),
)
def test_attribution(  # noqa: PLR0913 - what is drawn
    store: SqlStore, moves: Moves, goal: Goal, model: Model, by: AttributedBy, daily: bool, lookback: int
) -> None:
    site = new_site()
    events = events_of(site, moves, daily=daily)
    fold(store, site, events, daily=daily)
    question = ask(site, policy="daily" if daily else "client")
    found = attribution(ReportTable(store.database), question, goal, model=model, by=by, lookback_days=lookback)

    def source(visit: Visited) -> str:
        return "" if visit.head.source.channel == "internal" else visit.head.source.name

    value = by_hand.channel if by == "channel" else source
    expected = by_hand.attributed(events, goal, model, value, lookback)
    assert Counter({row.value: row.conversions for row in found.rows}) == expected
    assert found.conversions == expected.total()


@checked
@given(MOVES, st.sampled_from(["2026-10-24..2026-10-26", "2026-10-23..2026-10-29"]))
def test_cohorts_of_days(store: SqlStore, moves: Moves, period: str) -> None:
    site = new_site()
    events = events_of(site, moves, daily=False)
    fold(store, site, events, daily=False)
    found = retention(store.database, ask(site, policy="persistent", period=period), asked="day")
    first, last = (int(day.replace("-", "")) for day in period.split(".."))
    parts = [(day, day) for day in range(first, last + 1)]
    expected = by_hand.cohorts(events, parts)
    assert [[period.visitors for period in cohort.periods] for cohort in found.cohorts] == expected
    assert found.visitors_left_out == 0
