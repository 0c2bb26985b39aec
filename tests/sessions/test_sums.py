"""Sums by hour and day, and the same sums as bytes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitor_tracker.measures import Measures, packed
from visitor_tracker.sessions.sums import Pair, Profile, Sums, decode_sums, encode_sums

_KINDS = ["place", "hour", "day"]
_WHERE = st.tuples(st.integers(20260101, 20260103), st.integers(0, 2))
_KEYS = st.tuples(st.sampled_from([-(2**63), -5, 0, 7, 2**63 - 1]), st.integers(0, 2))
_NUMBERS = st.lists(st.integers(-(2**40), 2**40), min_size=8, max_size=8).map(lambda each: packed(Measures(*each)))
_ADDED = st.lists(
    st.tuples(
        st.sampled_from(["place", "hour", "day"]), st.sampled_from(["pairs", "profiles"]), _WHERE, _KEYS, _NUMBERS
    )
)
_Added = list[tuple[str, str, tuple[int, int], tuple[int, int], int]]


def pairs_of(profile: Profile) -> tuple[Pair, ...]:
    return ((0, 0), (5, profile[0] // 2), (6, profile[1]))


def sums_of(added: _Added) -> Sums:
    sums = Sums()
    for kind, what, (day, hour), key, number in added:
        periods = {"place": sums.places[day, hour], "hour": sums.hours[hour], "day": sums.days[day]}
        numbers = periods[kind].pairs if what == "pairs" else periods[kind].profiles
        numbers[key] = numbers.get(key, 0) + number
    return sums


def rows_of(added: _Added, own: str, position: int) -> dict[tuple[int, int, int], int]:
    rows: dict[tuple[int, int, int], int] = {}
    for kind, what, where, key, number in added:
        for dimension, value in [key] if what == "pairs" else pairs_of(key):
            if kind in ("place", own):
                row = (dimension, value, where[position])
                rows[row] = rows.get(row, 0) + number
    return {row: number for row, number in rows.items() if number}


@given(_ADDED, _ADDED)
def test_rows_are_what_was_added_whichever_way_it_came(first: _Added, second: _Added) -> None:
    sums = sums_of(first)
    sums.add(decode_sums(encode_sums(sums_of(second))))
    assert sums.by_hour(pairs_of) == rows_of([*first, *second], "hour", 1)
    assert sums.by_day(pairs_of) == rows_of([*first, *second], "day", 0)


def test_what_is_no_sum_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_sums(b"\xc1")
