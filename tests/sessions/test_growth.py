"""A visit that grew comes to the same as one that was taken away and counted anew."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.happening import MINUTE_MS, World, at
from visitor_tracker.event import Event, Kind
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import cut, merge
from visitor_tracker.sessions.growth import grown
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles

WORLD = World("UTC", "persistent")
EVENING = at("UTC", "2026-05-31 22:10")  # so that a visit sees two days and two months
_KINDS: tuple[Kind, ...] = ("pageview", "pageview", "engagement", "custom", "download")


@st.composite
def _visits(draw: st.DrawFn) -> tuple[list[Event], list[bool]]:
    """Return a visit's events, and which of them were there before."""
    count = draw(st.integers(2, 9))
    steps = draw(st.lists(st.sampled_from([1, 1, 13, 25]), min_size=count, max_size=count))
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
    return events, [True, *draw(st.lists(st.booleans(), min_size=count - 1, max_size=count - 1))]


@given(_visits())
@settings(max_examples=400, deadline=None)
def test_growing_is_the_difference_of_after_and_before(visit: tuple[list[Event], list[bool]]) -> None:
    events, known = visit
    profiles = Profiles()
    facts = [fact_of(event, "UTC", profiles) for event in events]
    old = cut([fact for fact, is_known in zip(facts, known, strict=True) if is_known])
    new = merge([*old, *cut([fact for fact, is_known in zip(facts, known, strict=True) if not is_known])])
    who = facts[0].visitor
    before, after = Part(who, tuple(old)), Part(who, tuple(new))

    at_once = Counts(with_marks=True)
    at_once.change(before, after, profiles)
    in_two = Counts(with_marks=True)
    in_two.change(before, None, profiles)
    in_two.change(None, after, profiles)
    assert at_once.hours == in_two.hours
    assert at_once.days == in_two.days
    assert at_once.marks == in_two.marks


def test_a_visit_with_less_in_it_or_another_head_has_not_grown() -> None:
    profiles = Profiles()
    events = [WORLD.event(number, EVENING + number, page=page) for number, page in enumerate(["/a", "/a", "/b"])]
    facts = [fact_of(event, "UTC", profiles) for event in events]
    (whole,) = cut(facts)
    for less in (facts[:1], facts[:2], [facts[0], facts[2]]):
        (part,) = cut(less)
        assert grown(whole, part) is None
        assert grown(part, whole) is not None
    (later,) = cut(facts[1:])
    assert grown(later, whole) is None
