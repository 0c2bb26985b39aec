"""Masks that C code makes of many rows at once, against the same made one row after the other."""

from itertools import compress
from random import Random

import pytest

from visitor_tracker.reports.extracts.columns import MARK, Again, Column, Looks, column_of, measured_of, numbers_of
from visitor_tracker.reports.extracts.masks import of_looks, places_of, rows_looking, rows_with
from visitor_tracker.reports.extracts.picking import Picking, planes_of

NONE = numbers_of([])


@pytest.mark.parametrize("rows", [0, 1, 7, 300, 70_000])
@pytest.mark.parametrize("most", [0, 1, 3, 200])
def test_rows_of_chosen_looks_are_found_however_many_looks_they_have(rows: int, most: int) -> None:
    random = Random(f"{rows} {most}")
    times = sorted(
        (
            random.choice([0, 1, random.randint(0, most)]) if most else 0
            for _ in range(rows if most < 9 else rows % 512)
        ),
        reverse=True,
    )
    widths = [sum(number > level for number in times) for level in range(max(times, default=0))]
    owners = [row for width in widths for row in range(width)]
    values = [random.randrange(1, 1 + random.choice([2, 300, 70_000])) for _ in times]
    zeros = column_of(0 for _ in owners)
    looks = Looks(tuple(widths), zeros, zeros, measured_of((0, 1, 0) for _ in owners), Again(NONE, NONE))
    assert (looks.count, list(looks.owners())) == (len(owners), owners)
    assert told(looks.spread(column_of(values))) == [values[row] for row in owners]
    for share in (0, 0.01, 0.3, 0.95, 1):
        chosen = bytes(random.random() < share for _ in owners)
        found = rows_looking(chosen, looks, len(times))
        wanted = {row for row, is_chosen in zip(owners, chosen, strict=True) if is_chosen}
        assert found == bytes(row in wanted for row in range(len(times)))
        assert found == rows_with(numbers_of(owners), chosen, len(times))
        assert places_of(chosen) == [place for place, is_chosen in enumerate(chosen) if is_chosen]
        assert of_looks(found, looks) == bytes(found[row] for row in owners)


@pytest.mark.parametrize("different", [1, 255, 256, 257, 65_200, 66_000])
@pytest.mark.parametrize("share", [0, 0.02, 0.6, 1])
def test_what_is_picked_is_what_one_row_after_the_other_has(different: int, share: float) -> None:
    random = Random(f"{different} {share}")
    values = [*range(different), *(random.randrange(different) for _ in range(1_000))]
    column = column_of(values)
    assert MARK not in {byte for plane in planes_of(column.places) for byte in set(plane) if column.places.code != "I"}
    picking = Picking(bytes(random.random() < share for _ in values))
    wanted = list(compress(values, picking.mask))
    ids = column.values()
    each = zip(*picking.planes(column.places), strict=True)
    assert [ids[int.from_bytes(place, "little")] for place in map(bytes, each)] == wanted
    assert list(picking.numbers(numbers_of(values))) == wanted
    assert picking.count == len(wanted)


def told(column: Column) -> list[int]:
    ids = column.values()
    return [ids[place] for place in column.places.each()]
