"""Packed measures add up as the measures do, and the numbers in the database stay what they are."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitor_tracker.measures import (
    BOUNCES,
    DURATION,
    ENGAGED,
    EVENTS,
    NAMES,
    SINGLES,
    VIEWS,
    VISITORS,
    VISITS,
    Dimension,
    Measures,
    body_id,
    is_small,
    packed,
    text_id,
    unpacked,
    unpacked_all,
)

_MOST = 2**50
_MEASURES = st.builds(Measures, *[st.integers(-_MOST, _MOST)] * len(NAMES))


@given(_MEASURES)
def test_what_was_packed_comes_out_again(measures: Measures) -> None:
    assert Measures(*unpacked(packed(measures))) == measures


@given(st.lists(_MEASURES, max_size=20))
def test_a_sum_of_packed_measures_is_their_sum(many: list[Measures]) -> None:
    rows = [msgspec.structs.astuple(measures) for measures in many]
    assert unpacked(sum(map(packed, many))) == tuple(sum(row[column] for row in rows) for column in range(len(NAMES)))


def test_each_name_has_its_lane() -> None:
    lanes = (VISITORS, VISITS, VIEWS, BOUNCES, SINGLES, ENGAGED, DURATION, EVENTS)
    assert [unpacked(lane).index(1) for lane in lanes] == list(range(len(NAMES)))
    assert packed(Measures(visitors=1, engaged_ms=-3)) == VISITORS - 3 * ENGAGED


def test_ids_are_those_that_the_databases_have() -> None:
    assert text_id("") == 0
    assert text_id("/") == -4667936858883809904
    assert text_id("/") == body_id(b"/")
    assert text_id("\ud800") == text_id("\ud800")  # half a surrogate pair, which no database would take


def test_dimensions_keep_their_numbers() -> None:
    assert [dimension.value for dimension in Dimension] == list(range(33))
    assert (Dimension.PAGE, Dimension.SOURCE, Dimension.SCREEN, Dimension.CRAWLER) == (1, 5, 24, 32)


@given(st.lists(st.lists(st.integers(-(2**62), 2**62), min_size=8, max_size=8)))
def test_many_are_unpacked_as_each_is(rows: list[list[int]]) -> None:
    numbers = [packed(Measures(*row)) for row in rows]
    assert unpacked_all(numbers) == tuple(measure for row in rows for measure in row)


@pytest.mark.parametrize("lane", range(8))
@pytest.mark.parametrize("others", [0, -1, 1 << 39, -(1 << 40)])
@pytest.mark.parametrize(
    ("measure", "expected"),
    [(0, True), ((1 << 40) - 1, True), (1 << 40, False), (-(1 << 40), True), (-(1 << 40) - 1, False), (1 << 62, False)],
)
def test_small_is_what_may_be_added_up_for_ever(lane: int, others: int, measure: int, expected: bool) -> None:
    measures = [others] * 8
    measures[lane] = measure
    assert is_small(packed(Measures(*measures))) == expected
