"""What visits come to in the rollups: each rule in a small example."""

from collections.abc import Sequence

import pytest

from tests.sessions.happening import GOOGLE, MINUTE_MS, SOURCES, WHERE, World, at, hashed
from tests.sessions.memory import MemoryFold
from visitor_tracker.event import Event, Signal
from visitor_tracker.measures import Dimension, Measures, text_id
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import cut
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles

WORLD = World()
LASTING = World(keys="persistent")
DAY, NEXT_DAY = 20260610, 20260611
NOON = at("UTC", "2026-06-10 12:00")
HOUR = 60 * MINUTE_MS


def folded(*events: Event, daily: bool = True) -> MemoryFold:
    fold = MemoryFold("UTC", daily=daily)
    fold.fold(events)
    return fold


def of_day(fold: MemoryFold, dimension: Dimension, value: str = "", day: int = DAY) -> Measures:
    return Measures(*fold.rows().days.get((int(dimension), text_id(value), day), ()))


def of_hour(fold: MemoryFold, dimension: Dimension, value: str, hour: int) -> Measures:
    return Measures(*fold.rows().hours.get((int(dimension), text_id(value), hour), ()))


def of_month(fold: MemoryFold, dimension: Dimension, value: str = "") -> Measures:
    return Measures(*fold.rows().months.get((int(dimension), text_id(value), 202606), ()))


ONE_PAGE = Measures(visitors=1, visits=1, views=1, bounces=1, singles=1)


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        (Dimension.TOTAL, ""),
        (Dimension.SOURCE, "Google"),
        (Dimension.UTM_CAMPAIGN, "spring"),
        (Dimension.CITY, "DE/Bavaria/Munich"),
        (Dimension.ENTRY, "/"),
        (Dimension.EXIT, "/"),
    ],
)
def test_one_page_is_a_visit_that_bounces(dimension: Dimension, value: str) -> None:
    fold = folded(WORLD.event(1, NOON, source=GOOGLE, where=WHERE[1]))
    assert of_day(fold, dimension, value) == of_hour(fold, dimension, value, NOON) == ONE_PAGE
    assert of_month(fold, dimension, value) == ONE_PAGE


def test_a_page_knows_nothing_of_bounces() -> None:
    fold = folded(WORLD.event(1, NOON, page="/a"))
    assert of_day(fold, Dimension.PAGE, "/a") == Measures(visitors=1, visits=1, views=1)
    assert of_day(fold, Dimension.HOST, "example.org") == Measures(visitors=1, visits=1, views=1)


@pytest.mark.parametrize(
    ("others", "bounces", "singles"),
    [
        ([], 1, 1),
        ([WORLD.event(2, NOON + 1, "engagement", engaged_ms=9_999)], 1, 1),
        ([WORLD.event(2, NOON + 1, "engagement", engaged_ms=10_000)], 0, 1),
        ([WORLD.event(2, NOON + 1, "custom", name="join")], 0, 1),
        ([WORLD.event(2, NOON + 1, "custom", name="shown", interactive=False)], 1, 1),
        ([WORLD.event(2, NOON + 1, page="/a")], 0, 0),
    ],
)
def test_who_looks_longer_or_does_something_does_not_bounce(others: list[Event], bounces: int, singles: int) -> None:
    total = of_day(folded(WORLD.event(1, NOON), *others), Dimension.TOTAL)
    assert (total.visits, total.bounces, total.singles) == (1, bounces, singles)


def test_a_visit_stands_where_it_began_and_its_views_where_they_happened() -> None:
    fold = folded(WORLD.event(1, NOON + 50 * MINUTE_MS, page="/a"), WORLD.event(2, NOON + 70 * MINUTE_MS, page="/a"))
    assert of_hour(fold, Dimension.TOTAL, "", NOON) == Measures(
        visitors=1, visits=1, views=1, duration_ms=20 * MINUTE_MS
    )
    assert of_hour(fold, Dimension.TOTAL, "", NOON + HOUR) == Measures(visitors=1, views=1)
    assert of_day(fold, Dimension.TOTAL) == Measures(visitors=1, visits=1, views=2, duration_ms=20 * MINUTE_MS)
    # A page has the visit in the hour of its first view; an entry page has all of it at the beginning.
    assert of_hour(fold, Dimension.PAGE, "/a", NOON + HOUR) == Measures(visitors=1, views=1)
    assert of_hour(fold, Dimension.ENTRY, "/a", NOON) == of_day(fold, Dimension.TOTAL)


def test_two_visits_are_one_visitor_for_what_they_share() -> None:
    fold = folded(
        WORLD.event(1, NOON, source=GOOGLE, where=WHERE[1]), WORLD.event(2, NOON + 40 * MINUTE_MS, where=WHERE[1])
    )
    for day in (of_day(fold, Dimension.BROWSER, "Firefox"), of_hour(fold, Dimension.BROWSER, "Firefox", NOON)):
        assert (day.visitors, day.visits) == (1, 2)
    assert of_day(fold, Dimension.SOURCE, "Google") == ONE_PAGE
    assert of_day(fold, Dimension.CHANNEL, "direct") == ONE_PAGE


def test_engagement_alone_is_no_visit() -> None:
    fold = folded(WORLD.event(1, NOON, "engagement", page="/a", engaged_ms=400))
    assert of_day(fold, Dimension.TOTAL) == of_day(fold, Dimension.PAGE, "/a") == Measures(engaged_ms=400)
    assert of_day(fold, Dimension.ENTRY, "/a") == Measures()
    assert of_day(fold, Dimension.KIND, "engagement") == Measures(events=1)


def test_actions_have_their_own_rows() -> None:
    fold = folded(
        WORLD.event(1, NOON, "outbound", target="https://example.net/"),
        WORLD.event(2, NOON + HOUR // 3, "custom", name="join"),
        WORLD.event(3, NOON + 2 * HOUR // 3, "custom", name="join"),
        WORLD.event(4, NOON + HOUR, "custom", name="join"),
        WORLD.event(5, NOON + HOUR, "custom"),
    )
    assert of_day(fold, Dimension.OUTBOUND, "https://example.net/") == Measures(visitors=1, visits=1, events=1)
    assert of_day(fold, Dimension.EVENT, "join") == Measures(visitors=1, visits=1, events=3)
    assert of_hour(fold, Dimension.EVENT, "join", NOON + HOUR) == Measures(visitors=1, events=1)
    assert of_day(fold, Dimension.TOTAL).events == 5
    assert (int(Dimension.EVENT), 0, DAY) not in fold.rows().days


def test_who_opted_out_has_views_and_no_visits() -> None:
    fold = folded(
        WORLD.event(1, NOON, person="", page="/a", source=SOURCES[3], engaged_ms=7),
        WORLD.event(2, NOON, "custom", person="", name="join"),
        WORLD.event(3, NOON, "scroll", person=""),
    )
    assert of_day(fold, Dimension.TOTAL) == Measures(views=1, engaged_ms=7, events=1)
    assert of_day(fold, Dimension.CHANNEL, "direct") == Measures(views=1, engaged_ms=7, events=1)
    assert of_day(fold, Dimension.PAGE, "/a") == Measures(views=1, engaged_ms=7)
    assert of_day(fold, Dimension.EVENT, "join") == Measures(events=1)
    assert of_day(fold, Dimension.KIND, "scroll") == Measures(events=1)
    assert fold.sessions == {}


def test_robots_are_kept_apart() -> None:
    fold = folded(WORLD.event(1, NOON, signals=Signal.USER_AGENT | Signal.RATE))
    assert of_day(fold, Dimension.BOT, "rate") == of_day(fold, Dimension.BOT, "user_agent") == Measures(events=1)
    assert {dimension for dimension, _, _ in fold.days} == {Dimension.BOT}


def over_midnight(world: World, *, before: Sequence[str] = ("/a",), after: Sequence[str] = ("/b",)) -> list[Event]:
    """Return page views on both sides of midnight, the last before and the first after 20 minutes apart."""
    midnight = at("UTC", "2026-06-11 00:00")
    return [
        *(
            world.event(number, midnight - (10 + len(before) - number) * MINUTE_MS, page=page, source=GOOGLE)
            for number, page in enumerate(before, 1)
        ),
        *(
            world.event(100 + number, midnight + (9 + number) * MINUTE_MS, page=page)
            for number, page in enumerate(after, 1)
        ),
    ]


def test_over_midnight_one_visit_goes_on_under_two_hashes() -> None:
    fold = folded(*over_midnight(WORLD))
    whole = Measures(visitors=1, visits=1, views=2, duration_ms=20 * MINUTE_MS)
    assert of_day(fold, Dimension.SOURCE, "Google") == Measures(
        visitors=1, visits=1, views=1, duration_ms=20 * MINUTE_MS
    )
    assert of_day(fold, Dimension.SOURCE, "Google", NEXT_DAY) == Measures(visitors=1, views=1)
    assert of_day(fold, Dimension.CHANNEL, "direct", NEXT_DAY) == Measures()
    assert of_day(fold, Dimension.ENTRY, "/a") == of_day(fold, Dimension.EXIT, "/b") == whole
    assert of_day(fold, Dimension.EXIT, "/b", NEXT_DAY) == Measures()
    assert of_month(fold, Dimension.TOTAL) == Measures(visitors=2, visits=1, views=2, duration_ms=20 * MINUTE_MS)


def test_a_page_on_both_sides_of_midnight_is_seen_by_one_visit() -> None:
    fold = folded(*over_midnight(WORLD, before=("/a", "/b"), after=("/b", "/c")))
    assert of_day(fold, Dimension.PAGE, "/b") == Measures(visitors=1, visits=1, views=1)
    assert of_day(fold, Dimension.PAGE, "/b", NEXT_DAY) == Measures(visitors=1, views=1)
    assert of_day(fold, Dimension.PAGE, "/c", NEXT_DAY) == Measures(visitors=1, visits=1, views=1)


def test_after_a_passive_beginning_before_midnight_the_visit_stands_on_the_next_day() -> None:
    before = WORLD.event(1, "2026-06-10 23:55", "engagement", engaged_ms=600, source=GOOGLE)
    fold = folded(before, WORLD.event(2, "2026-06-11 00:05"))
    assert of_day(fold, Dimension.CHANNEL, "direct") == Measures(engaged_ms=600)
    assert of_day(fold, Dimension.CHANNEL, "direct", NEXT_DAY) == Measures(
        visitors=1, visits=1, views=1, bounces=1, singles=1, duration_ms=10 * MINUTE_MS
    )
    assert of_day(fold, Dimension.CHANNEL, "search") == Measures()


def test_under_lasting_keys_a_month_counts_a_visitor_once() -> None:
    fold = MemoryFold("UTC", daily=False)
    for number, day in enumerate(("2026-06-10", "2026-06-11", "2026-06-12"), 1):
        fold.fold([LASTING.event(number, f"{day} 12:00")])
    assert [of_day(fold, Dimension.TOTAL, day=day).visitors for day in (DAY, NEXT_DAY, 20260612)] == [1, 1, 1]
    assert of_month(fold, Dimension.TOTAL) == Measures(visitors=1, visits=3, views=3, bounces=3, singles=3)
    assert of_month(folded(WORLD.event(1, NOON), WORLD.event(2, NOON + 24 * HOUR)), Dimension.TOTAL).visitors == 2


def test_marks_are_days_on_which_a_visitor_is_counted() -> None:
    profiles = Profiles()
    facts = [fact_of(LASTING.event(n, NOON + n * 24 * HOUR, page="/a"), "UTC", profiles) for n in range(2)]
    counts = Counts(with_marks=True)
    anna = hashed("anna", "")
    counts.change(None, Part(anna, tuple(cut(facts))), profiles)
    assert counts.marks[202606, anna, int(Dimension.PAGE), text_id("/a")] == 2
    assert counts.marks[202606, anna, int(Dimension.TOTAL), 0] == 2
    counts.change(Part(anna, tuple(cut(facts))), Part(anna, tuple(cut(facts[:1]))), profiles)
    assert set(counts.marks.values()) == {1}


def test_what_came_and_went_leaves_nothing() -> None:
    profiles = Profiles()
    fact = fact_of(WORLD.event(1, NOON, source=GOOGLE), "UTC", profiles)
    part = Part(fact.visitor, tuple(cut([fact])))
    counts = Counts(with_marks=True)
    counts.change(None, part, profiles)
    assert counts.hours
    counts.change(part, part, profiles)
    counts.change(part, None, profiles)
    assert (counts.hours, counts.days, counts.months(daily=True), counts.marks) == ({}, {}, {}, {})
