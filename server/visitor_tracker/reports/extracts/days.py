"""One day of a question: the parts of its extract that were asked for."""

from collections.abc import Collection, Mapping

import msgspec

from visitor_tracker.reports.extracts.columns import (
    Acts,
    Column,
    KeptVisit,
    Looks,
    LookTimes,
    Numbers,
    Rows,
    RowTimes,
    decode_acts,
    decode_column,
    decode_look_times,
    decode_looks,
    decode_row_times,
    decode_rows,
    decode_wholes,
    encode,
)
from visitor_tracker.reports.extracts.making_days import MadeColumns
from visitor_tracker.reports.extracts.shared import Shared
from visitor_tracker.store.extracts import ACTS, LOOK_TIMES, LOOKS, ROW_TIMES, ROWS, WHOLES

_OTHERS = frozenset({ROWS, LOOKS, ACTS, ROW_TIMES, LOOK_TIMES, WHOLES})


class Day(msgspec.Struct, frozen=True, gc=False):
    """The extract of one day; what was not asked for is None."""

    day: int
    rows: Rows
    told: dict[int, Column]  # by dimension
    looks: Looks | None = None
    acts: Acts | None = None
    row_times: RowTimes | None = None
    look_times: LookTimes | None = None
    wholes: tuple[KeptVisit, ...] | None = None
    shared: Shared = msgspec.field(default_factory=Shared)

    def column(self, dimension: int) -> Column:
        """Return what rows have for a dimension of visits; ids of 0 where none has anything."""
        found = self.told.get(dimension)
        return Column(bytes(8), Numbers("B", bytes(self.rows.count))) if found is None else found


def parts_of(made: MadeColumns) -> dict[int, bytes]:
    """Return the encoded parts of an extract."""
    looks, look_times = made.looks()
    return {
        ROWS: encode(made.rows()),
        LOOKS: encode(looks),
        ACTS: encode(made.acts()),
        ROW_TIMES: encode(made.row_times()),
        LOOK_TIMES: encode(look_times),
        WHOLES: encode(made.wholes()),
        **{dimension: encode(column) for dimension, column in made.columns.items()},
    }


def day_made(day: int, made: MadeColumns) -> Day:
    """Return a day that was made just now, with all parts."""
    looks, look_times = made.looks()
    return Day(day, made.rows(), made.columns, looks, made.acts(), made.row_times(), look_times, made.wholes())


def day_read(day: int, parts: Mapping[int, bytes], wanted: Collection[int]) -> Day | None:
    """Return a day of stored parts; None where one that is wanted is not there."""
    if ROWS not in parts:
        return None
    rows = decode_rows(parts[ROWS])
    told = frozenset(rows.told)
    dimensions = [part for part in wanted if part not in _OTHERS]
    needed = {part for part in wanted if part in _OTHERS} | told.intersection(dimensions)
    if not needed <= parts.keys():
        return None
    return Day(
        day,
        rows,
        {dimension: decode_column(parts[dimension]) for dimension in told.intersection(dimensions)},
        decode_looks(parts[LOOKS]) if LOOKS in wanted else None,
        decode_acts(parts[ACTS]) if ACTS in wanted else None,
        decode_row_times(parts[ROW_TIMES]) if ROW_TIMES in wanted else None,
        decode_look_times(parts[LOOK_TIMES]) if LOOK_TIMES in wanted else None,
        decode_wholes(parts[WHOLES]) if WHOLES in wanted else None,
    )
