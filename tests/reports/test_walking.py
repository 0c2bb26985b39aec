"""How far somebody went along steps: every way tried one by one."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.reports.walking import Happening, walk

STEPS = 3
# Each event: how long after the one before, and which steps it may make.
EVENTS = st.lists(st.tuples(st.sampled_from([0, 1, 1, 2, 5]), st.integers(0, (1 << STEPS) - 1)), max_size=9)


def happened(made: Sequence[tuple[int, int]]) -> list[Happening]:
    ts, found = 0, []
    for place, (after, steps) in enumerate(made):
        ts += after
        found.append(Happening(ts, steps, place))
    return found


def best(events: Sequence[Happening], window_ms: int | None, *, is_strict: bool) -> list[int]:
    """Return the moments of the best way: the longest, the first that is there, the one begun last."""
    for length in range(STEPS, 0, -1):
        ways = [
            [events[place] for place in places]
            for places in combinations(range(len(events)), length)
            if all(events[place].steps >> step & 1 for step, place in enumerate(places))
            and not (
                is_strict
                and any(
                    not between.steps >> step & 1
                    for step, (one, other) in enumerate(pairwise(places))
                    for between in events[one + 1 : other]
                )
            )
        ]
        ways = [way for way in ways if window_ms is None or way[-1].ts - way[0].ts <= window_ms]
        if ways:
            return min(
                ([each.ts for each in way] for way in sorted(ways, key=lambda way: way[-1].place)
                 if way[-1].place == min(way[-1].place for way in ways)),
                key=lambda moments: (-moments[0], moments),
            )  # fmt: skip
    return []


@settings(max_examples=1_500, deadline=None)
@given(EVENTS, st.sampled_from([None, 0, 2, 4]), st.booleans())
def test_the_best_way_is_found(made: list[tuple[int, int]], window_ms: int | None, is_strict: bool) -> None:
    events = happened(made)
    way = walk(events, STEPS, window_ms=window_ms, is_strict=is_strict)
    assert [each.ts for each in way] == best(events, window_ms, is_strict=is_strict)
    assert all(each.steps >> step & 1 for step, each in enumerate(way))
    assert [each.place for each in way] == sorted({each.place for each in way})


def walked(text: str, steps: Sequence[str], *, is_strict: bool = False, window_ms: int | None = None) -> str:
    """Walk along letters, one per ms; return the places of those that made the steps."""
    events = [
        Happening(place, sum((letter in step) << number for number, step in enumerate(steps)), place)
        for place, letter in enumerate(text)
    ]
    way = walk(events, len(steps), window_ms=window_ms, is_strict=is_strict)
    return "".join(str(each.place) for each in way)


@pytest.mark.parametrize(
    ("text", "steps", "is_strict", "places"),
    [
        ("abc", "abc", False, "012"),
        ("cba", "abc", False, "2"),
        ("axbxc", "abc", False, "024"),
        ("axbxc", "abc", True, "0"),
        ("aabbc", "abc", True, "124"),  # a page that is loaded again is still that step
        ("abac", "abc", False, "013"),
        ("abac", "abc", True, "01"),
        ("abxabc", "abc", True, "345"),
        ("a", ["a", "a"], False, "0"),  # one event makes one step
        ("aa", ["a", "a"], False, "01"),
        ("aa", ["a", "a"], True, "01"),
        ("ba", ["ab", "a"], True, "01"),
        ("ab", ["ab", "ab"], True, "01"),
        ("", "abc", False, ""),
        ("xyz", "abc", True, ""),
    ],
)
def test_ways(text: str, steps: Sequence[str], is_strict: bool, places: str) -> None:
    assert walked(text, steps, is_strict=is_strict) == places


def test_a_window_goes_from_the_first_step_to_the_last() -> None:
    assert walked("axxxb", "ab", window_ms=3) == "0"
    assert walked("axxxb", "ab", window_ms=4) == "04"
    assert walked("axxab", "ab", window_ms=3) == "34"  # the later beginning keeps the window
