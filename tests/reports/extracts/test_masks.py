"""Masks that C code makes of many rows at once, against the same made one row after the other."""

from random import Random

import pytest

from visitor_tracker.reports.extracts.columns import Looks, column_of, measured_of, numbers_of
from visitor_tracker.reports.extracts.masks import ends_of, of_looks, places_of, rows_looking, rows_with


@pytest.mark.parametrize("rows", [0, 1, 7, 300, 70_000])
@pytest.mark.parametrize("most", [0, 1, 3, 200])
def test_rows_of_chosen_looks_are_found_however_many_looks_and_gaps_there_are(rows: int, most: int) -> None:
    random = Random(f"{rows} {most}")
    times = [
        random.choice([0, 1, random.randint(0, most)]) if most else 0 for _ in range(rows if most < 9 else rows % 512)
    ]
    owners = [row for row, looks in enumerate(times) for _ in range(looks)]
    zeros = [0] * len(owners)
    looks = Looks(
        numbers_of(owners),
        numbers_of(times),
        column_of(zeros),
        column_of(zeros),
        measured_of((0, 1, 0) for _ in owners),
    )
    for share in (0, 0.01, 0.3, 0.95, 1):
        chosen = bytes(random.random() < share for _ in owners)
        found = rows_looking(ends_of(looks), chosen, looks)
        wanted = {row for row, is_chosen in zip(owners, chosen, strict=True) if is_chosen}
        assert found == bytes(row in wanted for row in range(len(times)))
        assert found == rows_with(looks.rows, chosen, len(times))
        assert places_of(chosen) == [place for place, is_chosen in enumerate(chosen) if is_chosen]
        assert of_looks(found, looks) == bytes(found[row] for row in owners)
