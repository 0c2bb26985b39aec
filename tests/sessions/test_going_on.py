"""A session that goes on, or begins, comes to the same as one that is cut anew from all its events."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.happening import MINUTE_MS, World, at
from visitor_tracker.event import Event, Kind
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import PLACES_MOST, cut, merge
from visitor_tracker.sessions.going_on import GoneOn, gone_on
from visitor_tracker.sessions.growth import grown
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import GAP_MS, VisitorSession

WORLD = World("UTC", "persistent")
EVENING = at("UTC", "2026-05-31 22:10")  # so that a visit sees two days and two months
_KINDS: tuple[Kind, ...] = ("pageview", "pageview", "engagement", "custom", "download", "scroll")


@st.composite
def _visits(draw: st.DrawFn) -> tuple[list[Event], int]:
    """Return events of one visitor in their order, and how many of them were there before."""
    count = draw(st.integers(1, 9))
    steps = draw(st.lists(st.sampled_from([0, 1, 1, 13, 25, 30, 31]), min_size=count, max_size=count))
    events = [
        WORLD.event(
            number,
            EVENING + sum(steps[:number]) * MINUTE_MS,
            draw(st.sampled_from(_KINDS)),
            page=draw(st.sampled_from(["/a", "/b"])),
            host=draw(st.sampled_from(["example.org", "www.example.org"])),
            name=draw(st.sampled_from(["", "join"])),
            engaged_ms=draw(st.sampled_from([0, 6_000])),
            interactive=draw(st.booleans()),
        )
        for number in range(count)
    ]
    return events, draw(st.integers(0, count - 1))


@given(_visits(), st.randoms())
@settings(max_examples=600, deadline=None)
def test_later_events_make_of_a_session_what_all_events_make(visit: tuple[list[Event], int], chance: Random) -> None:
    events, known = visit
    profiles = Profiles()
    facts = [fact_of(event, "UTC", profiles) for event in events]
    old, new = cut(facts[:known]), facts[known:]
    chance.shuffle(new)
    if len(old) != 1:
        return
    (was,) = old
    more = gone_on(was, new)
    after = merge([was, *cut(new)])
    is_plain = not was.head.passive and len(after) == 1 and min(fact.ts for fact in new) > was.last_ts
    assert (more is not None) == is_plain
    if more is not None:
        assert [more.session] == after
        assert (more.looked, more.acted) == grown(was, more.session)
        assert _sums_of(Part(b"v", (was,)), Part(b"v", (more.session,)), profiles) == _gone_on(was, more, profiles)


@given(_visits())
@settings(max_examples=400, deadline=None)
def test_a_visitor_who_begins_counts_as_one_who_was_not_there(visit: tuple[list[Event], int]) -> None:
    events, _ = visit
    profiles = Profiles()
    for session in cut([fact_of(event, "UTC", profiles) for event in events]):
        counts = Counts()
        counts.begin(b"v", session, profiles)
        assert (counts.hours, counts.days) == _sums_of(None, Part(b"v", (session,)), profiles)[:2]


def test_a_session_with_all_the_places_that_it_may_name_is_cut_anew() -> None:
    profiles = Profiles()
    facts = [
        fact_of(WORLD.event(number, EVENING + number, page=f"/{number}"), "UTC", profiles)
        for number in range(PLACES_MOST + 1)
    ]
    (almost,), (full,) = cut(facts[:-2]), cut(facts[:-1])
    assert gone_on(almost, facts[-2:-1]) is not None
    assert gone_on(full, facts[-1:]) is None


def test_a_pause_among_the_later_events_ends_the_session() -> None:
    profiles = Profiles()
    moments = (0, 1, GAP_MS + 1, 2 * GAP_MS + 2)
    facts = [fact_of(WORLD.event(number, EVENING + ts), "UTC", profiles) for number, ts in enumerate(moments)]
    (session,) = cut(facts[:1])
    assert gone_on(session, facts[1:3]) is not None
    assert gone_on(session, facts[1:]) is None
    assert gone_on(session, facts[2:3]) is None, "30 minutes and a millisecond"


def _gone_on(was: VisitorSession, more: GoneOn, profiles: Profiles) -> tuple[object, ...]:
    counts = Counts(with_marks=True)
    counts.go_on(b"v", was, more, profiles)
    return counts.hours, counts.days, counts.marks


def _sums_of(before: Part | None, after: Part | None, profiles: Profiles) -> tuple[object, ...]:
    counts = Counts(with_marks=True)
    counts.change(before, None, profiles)
    counts.change(None, after, profiles)
    return counts.hours, counts.days, counts.marks
