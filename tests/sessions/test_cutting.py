"""Sessions out of facts: where they are cut, what they say, and that parts of one make it whole."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.happening import GOOGLE, MINUTE_MS, World, at
from visitor_tracker.event import Event, Kind
from visitor_tracker.measures import Dimension, text_id
from visitor_tracker.sessions import cutting
from visitor_tracker.sessions.cutting import continues, cut, merge
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import (
    Acted,
    Head,
    Looked,
    Mark,
    VisitorSession,
    decode_session,
    encode_session,
)

WORLD = World("Europe/Berlin", "persistent")
NOON = at("Europe/Berlin", "2026-06-11 12:00")
HALF_HOUR = 30 * MINUTE_MS


def facts(*events: Event) -> list[Fact]:
    profiles = Profiles()
    return [fact_of(event, WORLD.timezone, profiles) for event in events]


def session(*events: Event) -> VisitorSession:
    (found,) = cut(facts(*events))
    return found


def test_half_an_hour_of_silence_still_joins_and_more_does_not() -> None:
    moments = [NOON, NOON + HALF_HOUR, NOON + 2 * HALF_HOUR, NOON + 3 * HALF_HOUR + 1]
    found = cut(facts(*(WORLD.event(number, ts) for number, ts in enumerate(moments))))
    assert [(one.first_ts, one.last_ts) for one in found] == [(moments[0], moments[2]), (moments[3], moments[3])]


def test_what_is_no_action_prolongs_a_session() -> None:
    found = session(
        WORLD.event(0, NOON), WORLD.event(1, NOON + HALF_HOUR, "vital"), WORLD.event(2, NOON + 2 * HALF_HOUR)
    )
    assert found.last_ts == NOON + 2 * HALF_HOUR


def test_nothing_is_no_session() -> None:
    assert cut([]) == []
    assert merge([]) == []


def test_a_session_says_what_happened_where() -> None:
    events = [
        WORLD.event(0, NOON, "vital", page="/a"),
        WORLD.event(1, NOON + 1, page="/a", source=GOOGLE),
        WORLD.event(2, NOON + 2, "custom", name="join", interactive=False),
        WORLD.event(3, NOON + 3, page="/b"),
        WORLD.event(4, NOON + 4, "form", target="/send"),
        WORLD.event(5, NOON + 5, "engagement", page="/b", engaged_ms=700),
    ]
    made = facts(*events)
    hour, host = NOON, text_id("example.org")
    page_a, page_b = text_id("/a"), text_id("/b")
    assert cut(made) == [
        VisitorSession(
            NOON,
            NOON + 5,
            20260611,
            20260611,
            Head(False, NOON + 1, events[1].id, 20260611, hour, made[1].source, made[1].context),
            Mark(NOON + 1, events[1].id, page_a),
            Mark(NOON + 3, events[3].id, page_b),
            1,
            tuple(
                sorted(
                    (
                        Looked(20260611, hour, host, page_a, 1, 0),
                        Looked(20260611, hour, host, page_b, 1, 700),
                    ),
                    key=lambda part: part.page,
                )
            ),
            (
                Acted(20260611, hour, int(Dimension.EVENT), text_id("join"), 1),
                Acted(20260611, hour, int(Dimension.FORM), text_id("/send"), 1),
            ),
        )
    ]


def test_of_two_at_the_same_moment_the_smaller_id_is_first() -> None:
    found = session(WORLD.event(2, NOON, page="/b"), WORLD.event(1, NOON, page="/a"))
    assert found.head.id == (1).to_bytes(16, "big")
    assert (found.entry, found.exit) == (
        Mark(NOON, (1).to_bytes(16, "big"), text_id("/a")),
        Mark(NOON, (2).to_bytes(16, "big"), text_id("/b")),
    )


def test_without_an_action_the_first_event_is_the_head_and_it_is_no_visit() -> None:
    found = session(WORLD.event(1, NOON + 1, "scroll"), WORLD.event(0, NOON, "engagement", engaged_ms=5))
    assert (found.head.passive, found.head.ts, found.is_visit, found.entry) == (True, NOON, False, None)
    assert (found.views, found.engaged_ms) == (0, 5)


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("custom", (Dimension.EVENT, "name")),
        ("click", (Dimension.CLICK, "name")),
        ("form", (Dimension.FORM, "name")),
        ("outbound", (Dimension.OUTBOUND, "target")),
        ("download", (Dimension.DOWNLOAD, "target")),
    ],
)
def test_an_action_is_listed_by_its_name_or_target(kind: Kind, listed: tuple[Dimension, str]) -> None:
    found = session(WORLD.event(0, NOON, kind, name="name", target="target"))
    assert [(done.dimension, done.value) for done in found.acted] == [(int(listed[0]), text_id(listed[1]))]


@pytest.mark.parametrize(
    ("days", "bucket"), [(1, 20260611), (2, 20260611), (3, 0), (4, 0)]
)  # one and a bit more each  # fmt: skip
def test_a_session_of_more_than_two_days_has_a_place_of_its_own(days: int, bucket: int) -> None:
    moments = range(NOON, NOON + (days - 1) * 24 * 60 * MINUTE_MS + 1, HALF_HOUR)
    assert session(*(WORLD.event(number, ts) for number, ts in enumerate(moments))).bucket == bucket


def test_a_late_event_unites_what_it_lies_between() -> None:
    early, late = WORLD.event(0, NOON, page="/a"), WORLD.event(1, NOON + 2 * HALF_HOUR, page="/b")
    between = WORLD.event(2, NOON + HALF_HOUR, page="/c")
    apart = cut(facts(early, late))
    assert len(apart) == 2
    assert merge([*apart, *cut(facts(between))]) == cut(facts(early, between, late))


def test_a_session_that_meets_no_other_stays_the_same_object() -> None:
    alone = session(WORLD.event(0, NOON))
    assert merge([alone, session(WORLD.event(1, NOON + 2 * HALF_HOUR))])[0] is alone


_KINDS: tuple[Kind, ...] = ("pageview", "engagement", "custom", "click")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from([0, 1, HALF_HOUR // 15]),
            st.sampled_from(_KINDS),
            st.sampled_from(["/a", "/b"]),
            st.sampled_from([0, 900]),
            st.integers(0, 3),
        ),
        max_size=14,
    )
)
@settings(deadline=None)
def test_sessions_of_parts_merge_into_those_of_all(steps: list[tuple[int, int, Kind, str, int, int]]) -> None:
    events = [
        WORLD.event(number, NOON + quarter * HALF_HOUR // 2 + more, kind, page=page, name=page, engaged_ms=engaged_ms)
        for number, (quarter, more, kind, page, engaged_ms, _) in enumerate(steps)
    ]
    made = facts(*events)
    parts = [[fact for fact, step in zip(made, steps, strict=True) if step[5] == part] for part in range(4)]
    whole = cut(made)
    for order in itertools.islice(itertools.permutations(parts), 0, 24, 7):
        assert merge(one for part in order for one in cut(part)) == whole
        one_by_one: list[VisitorSession] = []
        for part in order:
            one_by_one = merge([*one_by_one, *cut(part)])
        assert one_by_one == whole
    assert [decode_session(encode_session(one)) for one in whole] == whole


MIDNIGHT = at("Europe/Berlin", "2026-06-12 00:00")
DAY = 24 * 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("earlier", "later", "joined"),
    [
        ((MIDNIGHT - 40 * MINUTE_MS, MIDNIGHT - 10 * MINUTE_MS), MIDNIGHT + 20 * MINUTE_MS, True),
        ((MIDNIGHT - 40 * MINUTE_MS, MIDNIGHT - 10 * MINUTE_MS), MIDNIGHT + 20 * MINUTE_MS + 1, False),
        ((MIDNIGHT - 1,), MIDNIGHT, True),
        ((MIDNIGHT - 1, MIDNIGHT + 1), MIDNIGHT, False),  # under two hashes at once
        # What began in the first half hour of its day may itself go on with a session of the day before.
        ((MIDNIGHT - DAY + 1, *range(MIDNIGHT - DAY + 2, MIDNIGHT, HALF_HOUR)), MIDNIGHT + 1, False),
        (tuple(range(MIDNIGHT - DAY + HALF_HOUR, MIDNIGHT, HALF_HOUR)), MIDNIGHT, True),
    ],
)
def test_a_visit_goes_on_over_midnight(earlier: tuple[int, ...], later: int, joined: bool) -> None:
    before = session(*(WORLD.event(number, ts) for number, ts in enumerate(earlier)))
    assert continues(session(WORLD.event(999, later)), before, MIDNIGHT - DAY) is joined


@given(st.permutations(range(12)), st.integers(1, 11))
@settings(max_examples=100, deadline=None)
def test_an_endless_session_keeps_the_names_of_some_pages_in_any_order(order: list[int], size: int) -> None:
    kinds: list[Kind] = ["pageview", "custom"]
    events = [
        WORLD.event(n, NOON + n * 10 * MINUTE_MS, kinds[n % 2], page=f"/{n % 7}", name=f"n{n % 5}", engaged_ms=n)
        for n in range(12)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cutting, "PLACES_MOST", 3)
        whole = session(*events)
        ordered = [facts(events[n])[0] for n in order]
        parts = [part for start in range(0, 12, size) for part in cut(ordered[start : start + size])]
        assert merge(parts) == [whole]
    unbounded = session(*events)
    assert len([part for part in whole.looked if part.page]) == 3
    assert len([part for part in whole.acted if part.value]) == 3
    assert (whole.views, whole.engaged_ms) == (unbounded.views, unbounded.engaged_ms)
    assert sum(part.times for part in whole.acted) == sum(part.times for part in unbounded.acted)
    assert {(part.day, part.hour) for part in whole.looked} == {(part.day, part.hour) for part in unbounded.looked}
