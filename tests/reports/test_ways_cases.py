"""What is easily counted wrong in goals, funnels, journeys, attribution and cohorts; by hand, on both stores."""

import random
from typing import Any

import pytest

from tests.ingest.test_fold import folder_of, put
from tests.reports import ways_by_hand as by_hand
from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, NEWS, event, fold, who
from tests.reports.ways_by_hand import CHOSEN, ZONE, events_of
from visitor_tracker.days import HOUR_MS, bounds, day_after
from visitor_tracker.event import Event, Source
from visitor_tracker.ingest.people import Rule
from visitor_tracker.reports.attribution import attribution
from visitor_tracker.reports.funnels import FunnelAnswer, funnel_report
from visitor_tracker.reports.goals import GoalsAnswer, goal_report
from visitor_tracker.reports.journeys import Direction, journeys
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.reports.retention import retention, usual_cohorts
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.insight import Funnel, Goal, Step
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone=ZONE)
DAY, NOW = bounds(ZONE, 20260310)[0], bounds(ZONE, 20260331)[0] + 15 * HOUR_MS
AT = DAY + 9 * HOUR_MS
THANKS = Goal("thanks", "page", page="/thanks", id=b"1")
SOLD = Goal("sold", "revenue", event="buy", id=b"2")
READ = Goal("read", "scroll", percent=50, id=b"3")
LONG = Goal("long", "engaged", engaged_ms=10_000, page="/a", id=b"4")
GOALS = [THANKS, SOLD, READ, LONG]
WAY = Funnel("way", (Step(page="/a"), Step(page="/b")))


def ask(period: str = "2026-03-10", policy: VisitorPolicy = "daily", **more: str) -> Question:
    asked = Asked(period, more.pop("by", ""), filters=more.pop("filters", ""), **more)
    return read_question(asked, SITE, policy, now_ms=NOW, known=lambda: None)


def view(minutes: float, visitor: str, page: str, **more: Any) -> Event:  # noqa: ANN401
    return event(SITE, AT + int(minutes * MINUTE), visitor, page, more.pop("kind", "pageview"), **more)


def conversions(found: GoalsAnswer) -> dict[str, tuple[int, int, int]]:
    return {goal.name: (goal.conversions, goal.visitors, goal.visits) for goal in found.goals}


def steps(found: FunnelAnswer) -> list[int | None]:
    return [step.visits if found.follows == "visits" else step.visitors for step in found.steps]


def test_robots_are_in_nothing(store: SqlStore, table: ReportTable) -> None:
    robot = [view(minute, "robot", page, signals=1, scroll=90) for minute, page in enumerate(["/thanks", "/a", "/b"])]
    buys = [view(4, "robot", "/a", kind="custom", name="buy", value=5.0, signals=2)]
    fold(store, SITE, [*robot, *buys, view(0, "anna", "/")])
    found = goal_report(table, ask(), GOALS)
    assert conversions(found) == dict.fromkeys(("thanks", "sold", "read", "long"), (0, 0, 0))
    assert steps(funnel_report(table, ask(), WAY)) == [0, 0]
    assert journeys(table, ask()).visits == 1


def test_what_nobody_is_known_to_have_done_converts_but_is_no_visitor(store: SqlStore, table: ReportTable) -> None:
    fold(
        store, SITE,
        [
            view(0, "", "/thanks"),
            view(1, "", "/thanks", scroll=80, kind="engagement"),
            view(2, "", "/a", kind="engagement", engaged_ms=12_000),
            view(3, "", "/a", kind="custom", name="buy", value=7.5, currency="EUR", place=FRANCE),
            view(4, "anna", "/"),
        ],
    )  # fmt: skip
    found = goal_report(table, ask(), GOALS)
    assert conversions(found) == {"thanks": (1, 0, 0), "sold": (1, 0, 0), "read": (1, 0, 0), "long": (1, 0, 0)}
    assert (found.visitors, found.visits) == (1, 1)
    assert conversions(goal_report(table, ask(filters="country is FR"), GOALS))["sold"] == (1, 0, 0)
    assert conversions(goal_report(table, ask(filters="country is DE"), GOALS))["sold"] == (0, 0, 0)
    assert steps(funnel_report(table, ask(), Funnel("x", (Step(page="/thanks"), Step(event="buy"))))) == [0, 0]
    credited = attribution(table, ask(), SOLD)
    assert [(row.value, row.conversions, row.visitors) for row in credited.rows] == [("direct", 1, 0)]


def test_a_visit_over_midnight_counts_once_and_where_it_converted(store: SqlStore, table: ReportTable) -> None:
    midnight = day_after(20260310)
    late = bounds(ZONE, midnight)[0]
    events = [
        event(SITE, late - 10 * MINUTE, "anna@10", "/a", source=GOOGLE),
        event(SITE, late + 5 * MINUTE, "anna@11", "/b", previous=who("anna@10"), source=INSIDE),
        event(SITE, late + 6 * MINUTE, "anna@11", "/thanks", previous=who("anna@10"), source=INSIDE),
        event(SITE, late + 7 * MINUTE, "anna@11", "/x", "engagement", previous=who("anna@10"), scroll=60),
        event(SITE, late - 9 * MINUTE, "anna@10", "/x", "engagement", scroll=60),
    ]
    fold(store, SITE, events)
    before, after, both = (ask(period) for period in ("2026-03-10", "2026-03-11", "2026-03-10..2026-03-11"))
    assert [conversions(goal_report(table, each, GOALS))["thanks"] for each in (before, after, both)] == [
        (0, 0, 0),
        (1, 1, 1),
        (1, 1, 1),
    ]
    # A page's depth counts once in a visit, on the day on which it was reached first.
    assert [conversions(goal_report(table, each, GOALS))["read"][0] for each in (before, after, both)] == [1, 0, 1]
    # The visit is in the funnel and on the journey of the day on which it began, whole.
    assert [steps(funnel_report(table, each, WAY)) for each in (before, after, both)] == [[1, 1], [0, 0], [1, 1]]
    assert [journeys(table, each).visits for each in (before, after, both)] == [1, 0, 1]
    assert [(link.source, link.target) for link in journeys(table, before).links] == [
        ("/a", "/b"),
        ("/b", "/thanks"),
        ("/thanks", "(exit)"),
    ]
    # What brought it was before midnight, under another hash.
    [row] = attribution(table, after, THANKS, by="source").rows
    assert (row.value, row.conversions) == ("Google", 1)
    left = funnel_report(table, before, of_pages("/b", "/z"), with_sessions=True).steps[0]
    assert left.sessions == [f"{who('anna@11').hex()}-{late + 5 * MINUTE}"]


def of_pages(*pages: str) -> Funnel:
    return Funnel("steps", tuple(Step(page=page) for page in pages))


def test_a_page_that_is_viewed_again_is_no_new_step_but_a_new_conversion(store: SqlStore, table: ReportTable) -> None:
    pages = ["/a", "/a", "/b", "/b", "/a", "/thanks", "/thanks"]
    fold(store, SITE, [view(minute, "anna", page) for minute, page in enumerate(pages)])
    assert conversions(goal_report(table, ask(), GOALS))["thanks"] == (2, 1, 1)
    links = [(link.step, link.source, link.target) for link in journeys(table, ask(), steps=9).links]
    assert links == [(1, "/a", "/b"), (2, "/b", "/a"), (3, "/a", "/thanks"), (4, "/thanks", "(exit)")]
    twice = of_pages("/a", "/a", "/a", "/a")
    assert steps(funnel_report(table, ask(), twice)) == [1, 1, 1, 0]
    strict = Funnel("x", of_pages("/a", "/b", "/a", "/thanks").steps, "strict")
    found = funnel_report(table, ask(), strict)
    assert steps(found) == [1, 1, 1, 1]
    assert [step.median_seconds for step in found.steps] == [None, 60.0, 120.0, 60.0]


@pytest.mark.parametrize(
    ("between", "pages", "events"),
    [
        ({"page": "/x"}, [1, 0], [1, 1]),
        ({"page": "/x", "kind": "custom", "name": "play"}, [1, 1], [1, 0]),
        ({"page": "/x", "kind": "click"}, [1, 1], [1, 1]),
        ({"page": "/x", "kind": "vital", "name": "LCP"}, [1, 1], [1, 1]),
    ],
)
def test_strict_order_looks_at_what_the_steps_are_about(
    store: SqlStore, table: ReportTable, between: dict[str, Any], pages: list[int], events: list[int]
) -> None:
    at = [view(0, "anna", "/a"), view(2, "anna", "/b"), view(3, "ben", "/", kind="custom", name="one")]
    between = dict(between)
    page = between.pop("page")
    here = [view(1, "anna", page, **between), view(4, "ben", page, **between)]
    fold(store, SITE, [*at, *here, view(5, "ben", "/", kind="custom", name="two")])
    of_events = (Step(event="one"), Step(event="two"))
    assert steps(funnel_report(table, ask(), Funnel("x", WAY.steps, "strict"))) == pages
    assert steps(funnel_report(table, ask(), Funnel("x", of_events, "strict"))) == events
    assert steps(funnel_report(table, ask(), Funnel("x", of_events))) == [1, 1]
    any_action = (Step(filter="event is one"), Step(filter="event is two"))
    is_action = between.get("kind") != "vital"
    assert steps(funnel_report(table, ask(), Funnel("x", any_action, "strict"))) == [1, 0 if is_action else 1]


def test_one_event_makes_one_step(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [view(0, "anna", "/a", kind="custom", name="buy", value=20.0)])
    same = Funnel("same", (Step(event="buy"), Step(filter="value > 10")))
    assert steps(funnel_report(table, ask(), same)) == [1, 0]
    assert steps(funnel_report(table, ask(filters="value > 10"), same)) == [1, 0]


def test_conditions_of_visits_in_a_step_are_asked_of_the_visit(store: SqlStore, table: ReportTable) -> None:
    fold(
        store, SITE,
        [
            view(0, "anna", "/a", place=GERMANY),
            view(1, "anna", "/a", kind="custom", name="buy", place=GERMANY),
            view(0, "ben", "/a", place=FRANCE),
            view(1, "ben", "/a", kind="custom", name="buy", place=FRANCE),
        ],
    )  # fmt: skip
    germans = Funnel("x", (Step(page="/a"), Step(filter="event is buy and country is DE")), "strict")
    assert steps(funnel_report(table, ask(), germans)) == [2, 1]


def test_a_visitor_is_not_followed_over_the_day_under_daily(store: SqlStore, table: ReportTable) -> None:
    events = [view(0, "anna", "/a"), view(60 * 30, "anna@11", "/b"), view(2, "ben", "/a"), view(300, "ben", "/b")]
    fold(store, SITE, events)
    period = "2026-03-10..2026-03-11"
    found = funnel_report(table, ask(period), Funnel("x", WAY.steps, days=7))
    assert (steps(found), found.known_for) == ([2, 1], "day")
    assert "daily" in found.known
    assert steps(funnel_report(table, ask(period), WAY)) == [2, 0]


def test_another_zone_and_hours(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [view(0, "anna", "/thanks"), view(900, "ben", "/thanks")])  # ben at midnight in Berlin
    auckland = ask("2026-03-10", timezone="Pacific/Auckland", interval="day")
    assert conversions(goal_report(table, auckland, GOALS))["thanks"] == (1, 1, 1)
    hours = read_question(Asked("24h"), SITE, "daily", now_ms=AT + 3 * HOUR_MS, known=lambda: None)
    found = goal_report(table, hours, GOALS)
    assert conversions(found)["thanks"] == (1, 1, 1)
    assert [point.conversions for point in found.goals[0].series].count(1) == 1
    assert found.first.startswith("2026-03-09T13:00")


def test_days_without_events_are_refused_where_events_are_needed(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [view(0, "anna", "/thanks"), view(1, "anna", "/a")])
    store.execute("update raw_days set raw_complete = 0")
    assert conversions(goal_report(table, ask(), [THANKS, LONG]))["thanks"] == (1, 1, 1)
    for question in (
        lambda: goal_report(table, ask(), GOALS),
        lambda: funnel_report(table, ask(), WAY),
        lambda: journeys(table, ask()),
        lambda: attribution(table, ask(), SOLD),
    ):
        with pytest.raises(QueryError, match="suppressed: the events of 2026-03-10"):
            question()


def test_too_much_is_refused(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [view(minute, f"anna {minute}", "/a") for minute in range(5)])
    for question in (
        lambda: goal_report(table, ask(), GOALS, most=(9, 4)),
        lambda: goal_report(table, ask(), [THANKS], most=(4, 9)),
        lambda: funnel_report(table, ask(), WAY, most=4),
        lambda: journeys(table, ask(), most=4),
        lambda: attribution(table, ask(), SOLD, most=(9, 4)),
    ):
        with pytest.raises(QueryError, match="more than 4"):
            question()


def test_a_visit_counts_at_its_first_conversion_in_the_span(store: SqlStore, table: ReportTable) -> None:
    midnight = bounds(ZONE, 20260311)[0]
    views = [event(SITE, midnight + minute * MINUTE, "anna", "/thanks") for minute in (-20, -10, 10)]
    fold(store, SITE, views, daily=False)
    [found] = goal_report(table, ask("2026-03-10..2026-03-11", "cookie"), [THANKS]).goals
    assert [(point.conversions, point.visitors, point.visits) for point in found.series] == [(2, 1, 1), (1, 1, 0)]
    assert (found.conversions, found.visitors, found.visits) == (3, 1, 1)


def test_a_journey_begins_with_the_first_view_of_its_start(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [view(minute, "anna", page) for minute, page in enumerate(["/", "/a", "/b", "/a", "/c"])])
    ways: tuple[tuple[Direction, str], ...] = (("next", "/b"), ("previous", "/"))
    for direction, page in ways:
        found = journeys(table, ask(), start="/a", direction=direction, steps=1)
        assert [(link.source, link.target) for link in found.links] == [("/a", page)]


def test_a_long_series_of_many_goals_is_refused(table: ReportTable) -> None:
    goals = [Goal(str(number), "page", page="/", id=bytes([number])) for number in range(11)]
    year = ask("2021-01-01..2025-12-31", interval="day")
    with pytest.raises(QueryError, match="more than 20,000 points"):
        goal_report(table, year, goals)
    assert len(goal_report(table, year, goals[:10]).goals) == 10


def test_journeys_tell_few_pages_apart(store: SqlStore, table: ReportTable) -> None:
    events = [view(number, f"visitor {number}", f"/{number % 7}") for number in range(20)]
    events += [view(number + 0.5, f"visitor {number}", "/end") for number in range(20)]
    fold(store, SITE, events)
    found = journeys(table, ask(), limit=2, steps=1)
    assert [(link.source, link.target, link.visits) for link in found.links] == [
        ("(other)", "/end", 14),
        *((link.source, "/end", 3) for link in found.links[1:]),
    ]
    assert (len(found.links), found.pages) == (3, 8)
    back = journeys(table, ask(), direction="previous", limit=50)
    assert {link.target for link in back.links if link.step == 2} == {"(entry)"}
    assert sum(link.visits for link in back.links if link.source == "/end") == 20


def test_credit_goes_back_as_far_as_asked(store: SqlStore, table: ReportTable) -> None:
    fold(
        store, SITE,
        [
            view(-60 * 24 * 20, "anna", "/", source=GOOGLE),
            view(-60 * 24 * 5, "anna", "/", source=NEWS),
            view(-60 * 24, "anna", "/", source=Source()),
            view(0, "anna", "/thanks", source=INSIDE),
            view(60, "anna", "/", source=Source("social", "Forum")),
        ],
        daily=False,
    )  # fmt: skip
    question = ask(policy="cookie")

    def credited(model: Any, lookback_days: int) -> list[str]:  # noqa: ANN401
        found = attribution(table, question, THANKS, model=model, lookback_days=lookback_days)
        assert found.known_for == "always"
        return [row.value for row in found.rows]

    assert credited("first", 30) == ["search"]
    assert credited("last", 30) == ["email"]
    assert credited("first", 10) == ["email"]
    assert credited("first", 2) == credited("last", 2) == ["direct"]
    assert [row.value for row in attribution(table, question, THANKS, by="campaign").rows] == ["may"]


def test_revenue_is_summed_by_its_currency(store: SqlStore, table: ReportTable) -> None:
    buys = [(0.1, "EUR"), (0.2, "EUR"), (5.0, "USD"), (-1.0, "USD"), (3.0, ""), (0.0, "")]
    events = [
        view(number, "anna", "/", kind="custom", name="buy", value=value, currency=currency)
        for number, (value, currency) in enumerate(buys)
    ]
    fold(store, SITE, events)
    [sold] = goal_report(table, ask(), [SOLD]).goals
    assert (sold.conversions, sold.visits) == (6, 1)
    assert [(each.currency, each.sum, each.mean, each.events) for each in sold.revenue] == [
        ("", 3.0, 3.0, 1),
        ("EUR", 0.3, 0.15, 2),
        ("USD", 4.0, 2.0, 2),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_events_that_come_late_count_as_if_they_had_come_in_time(
    store: SqlStore, table: ReportTable, seed: int
) -> None:
    chance = random.Random(seed)
    events = [each for number in range(8) for each in events_of(SITE, by_hand.moves_of(seed * 100 + number))]
    events = list({each.id: each for each in events}.values())
    shuffled = chance.sample(events, len(events))
    for start in range(0, len(shuffled), 25):
        put(store, shuffled[start : start + 25])
        assert folder_of(store, Rule(ZONE)).step()
    question = ask("2026-10-24..2026-10-26")
    for goal in GOALS:
        expected = by_hand.goal_numbers(events, goal, CHOSEN[""])
        [found] = goal_report(table, question, [goal]).goals
        assert (found.conversions, found.visitors, found.visits) == tuple(
            expected[name] for name in ("conversions", "visitors", "visits")
        )
    expected_steps = [number for number, _, _ in by_hand.funnel_numbers(events, WAY, CHOSEN[""])]
    assert steps(funnel_report(table, question, WAY)) == expected_steps


# Cohorts.


def came(*days: tuple[str, int]) -> list[Event]:
    return [event(SITE, bounds(ZONE, day)[0] + HOUR_MS, visitor, "/", agent=FIREFOX) for visitor, day in days]


def test_cohorts_of_weeks_and_of_who_came_before(store: SqlStore) -> None:
    events = came(
        ("before", 20260225), ("before", 20260303), ("anna", 20260302), ("anna", 20260304), ("anna", 20260316),
        ("ben", 20260308), ("ben", 20260309), ("cara", 20260315),
    )  # fmt: skip
    fold(store, SITE, events, daily=False)
    found = retention(store.database, ask("2026-03-02..2026-03-22", "persistent"), asked="week")
    assert [(each.start, each.end, each.visitors) for each in found.cohorts] == [
        ("2026-03-02", "2026-03-08", 2),
        ("2026-03-09", "2026-03-15", 1),
        ("2026-03-16", "2026-03-22", 0),
    ]
    assert [[period.visitors for period in each.periods] for each in found.cohorts] == [[2, 1, 1], [1, 0], [0]]
    assert [(each.visitors, each.rate) for each in found.all] == [(3, 1.0), (1, 0.3333), (1, 0.5)]
    assert (found.suppressed, found.known_for, found.visitors_left_out) == (None, "always", 0)


def test_nobody_is_followed_out_of_the_month_under_monthly(store: SqlStore) -> None:
    events = came(("anna@2", 20260226), ("anna@2", 20260227), ("anna@3", 20260301), ("anna@3", 20260306))
    fold(store, SITE, events, daily=False)
    found = retention(store.database, ask("2026-02-23..2026-03-08", "monthly"), asked="week")
    assert [(each.start, each.end, [period.visitors for period in each.periods]) for each in found.cohorts] == [
        ("2026-02-23", "2026-02-28", [1]),
        ("2026-03-01", "2026-03-01", [1, 1]),
        ("2026-03-02", "2026-03-08", [0]),
    ]
    assert found.known_for == "month"
    assert usual_cohorts(ask("year", "monthly").span, "month") == "week"
    assert [usual_cohorts(ask(period).span, "always") for period in ("30d", "90d", "12mo")] == ["day", "week", "month"]


def test_under_daily_nothing_is_told(store: SqlStore) -> None:
    fold(store, SITE, came(("anna", 20260302), ("anna@3", 20260303)))
    found = retention(store.database, ask("2026-03-02..2026-03-22", "daily"))
    assert (found.cohorts, found.all, found.known_for) == ([], [], "day")
    assert found.suppressed is not None
    assert "daily" in found.suppressed


def test_days_of_another_policy_are_told(store: SqlStore) -> None:
    fold(store, SITE, came(("anna", 20260302), ("ben", 20260302), ("anna", 20260303)), daily=False)
    store.execute("delete from daily_visitors where day = 20260302")
    found = retention(store.database, ask("2026-03-02..2026-03-03", "cookie"))
    assert found.visitors_left_out == 2


def test_cohorts_are_bounded_and_end_today(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match="more than 100 cohorts"):
        retention(store.database, ask("2025-01-01..2026-03-30", "cookie"), asked="day")
    assert len(retention(store.database, ask("2026-03-30..2026-04-30", "cookie"), asked="day").cohorts) == 2
    with pytest.raises(QueryError, match="24h"):
        retention(store.database, ask("24h", "cookie"))
    fold(store, SITE, came(*((f"visitor {number}", 20260302) for number in range(6))), daily=False)
    monkeypatch.setattr("visitor_tracker.reports.retention._CHUNK", 2)
    assert retention(store.database, ask("2026-03-02", "cookie")).cohorts[0].visitors == 6
    monkeypatch.setattr("visitor_tracker.reports.retention.VISITORS_MOST", 3)
    with pytest.raises(QueryError, match="too many visitors"):
        retention(store.database, ask("2026-03-02", "cookie"))
