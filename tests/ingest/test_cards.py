"""Card numbers in rows of digits."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from visitor_tracker.ingest.cards import cards, is_card

GROUPS = st.lists(st.text("0123456789", min_size=1, max_size=5) | st.sampled_from(["4111", "1111"]), max_size=40)


def looked_at_one_by_one(groups: Sequence[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(groups):
        ends = [end for end in range(at + 1, len(groups) + 1) if is_card("".join(groups[at:end]))]
        found += [(at, ends[-1])] if ends else []
        at = ends[-1] if ends else at + 1
    return found


@given(GROUPS)
@example(["4111"] + ["1111"] * 9)
@example(list("4111111111111111") * 3)
def test_the_longest_number_is_taken_wherever_it_begins(groups: list[str]) -> None:
    assert cards(groups) == looked_at_one_by_one(groups)


@pytest.mark.parametrize("group", ["1", "5", "55", "0", "123456789" * 20])
def test_a_long_row_that_has_none(group: str) -> None:
    row = [group] * 1_000
    assert cards(row) == looked_at_one_by_one(row[:100]) == []
