"""Add up the rows of extracts that a filter selects, day by day: by dimensions of visits, or all together."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import compress, repeat

from visitor_tracker.measures import DURATION, ENGAGED, Dimension
from visitor_tracker.reports.extracts.choosing import Chosen
from visitor_tracker.reports.extracts.columns import COUNTS, ENDS, OF_SEVERAL, Column, Looks, Measure, Measured, Numbers
from visitor_tracker.reports.extracts.counting import Coding, Sums, Values, keyed
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.lanes import BOUNCE, SINGLE, VISIT, VISITOR
from visitor_tracker.reports.extracts.masks import (
    Mask,
    both,
    every,
    is_any,
    of_looks,
    of_owners,
    only_with_value,
    picked,
    places_of,
    without,
)

_ENTRY, _EXIT = int(Dimension.ENTRY), int(Dimension.EXIT)
_ONCE = VISITOR | VISIT | BOUNCE | SINGLE

FEW = 4  # one of so many is worth being picked before all else

Times = Sequence[tuple[int, Numbers]]  # unit of a packed measure, and the numbers of rows


class RowAdding:
    """Sums by no, one or two dimensions of visits; of engaged time and duration where a metric needs them."""

    def __init__(self, dimensions: Sequence[int], metrics: Collection[str]) -> None:
        self.coding = Coding(len(dimensions))
        self._dimensions = tuple(dimensions)
        self._metrics = metrics
        self._is_of_ends = not {_ENTRY, _EXIT}.isdisjoint(dimensions)

    def add(self, sums: Sums, day: Day, selected: Mask) -> None:
        """Add the rows that a filter of visits selects."""
        rows = day.rows
        mask = both(selected, rows.measured.having(ENDS if self._is_of_ends else COUNTS))
        columns = self._columns(day)
        measures = [(bits & _ONCE, views, events) for bits, views, events in rows.measured.measures]
        times = [*self._engaged(day), *self._duration(day)]
        mask = self._count(sums, columns, measures, rows.measured, mask, times)
        self._meet(sums, day, columns, mask)

    def add_chosen(self, sums: Sums, day: Day, chosen: Chosen) -> None:
        """Add what a filter of looks and actions selects."""
        measured, columns = day.rows.measured, self._columns(day)
        marks, rows = chosen.marks, chosen.rows
        if self._is_of_ends:
            marks = both(marks, measured.having(VISIT))
            rows = both(rows, marks)
        once = [(bits & _ONCE, 0, 0) for bits, _, _ in measured.measures]
        self._meet(sums, day, columns, self._count(sums, columns, once, measured, marks, self._duration(day)))
        if day.looks is None or chosen.looks is None:
            self._count(sums, columns, _views(measured), measured, rows, self._engaged(day))
        else:
            looks = self._of_ends(chosen.looks, marks, day.looks.rows)
            self._count_looks(sums, day, day.looks, columns, looks)
        if day.acts is None or chosen.counted is None:
            self._count(sums, columns, _events(measured), measured, rows, ())
        else:
            acts = self._of_ends(chosen.counted, marks, day.acts.rows)
            self._count_of(sums, columns, day.acts.rows, _events(day.acts.measured), day.acts.measured, acts, ())

    def _count_looks(self, sums: Sums, day: Day, looks: Looks, columns: Sequence[Column], mask: Mask) -> None:
        """Count looks; where most are selected, all looks of visits of one row without those that are not."""
        times = [] if day.look_times is None else [(ENGAGED, day.look_times.engaged_ms)]
        is_of_most = columns and mask.count(1) * 2 > len(mask)
        if is_of_most:
            measured = day.rows.measured
            rows = measured.where(lambda each: each[0] & (COUNTS | OF_SEVERAL) == COUNTS)
            self._count(sums, columns, _views(measured), measured, rows, self._engaged(day))
            mask = without(of_looks(rows, looks), mask)
        measures = _views(looks.measured)
        self._count_of(sums, columns, looks.rows, measures, looks.measured, mask, times, takes_away=bool(is_of_most))

    def _of_ends(self, parts: Mask, marks: Mask, owners: Numbers) -> Mask:
        return both(parts, of_owners(marks, owners)) if self._is_of_ends else parts

    def _columns(self, day: Day) -> list[Column]:
        return [day.column(dimension) for dimension in self._dimensions]

    def _engaged(self, day: Day) -> Times:
        return [(ENGAGED, day.row_times.engaged_ms)] if day.row_times is not None and "engaged" in self._metrics else []

    def _duration(self, day: Day) -> Times:
        wanted = day.row_times is not None and "duration" in self._metrics
        return [(DURATION, day.row_times.duration_ms)] if wanted and day.row_times is not None else []

    def _count_of(  # noqa: PLR0913
        self,
        sums: Sums,
        columns: Sequence[Column],
        owners: Numbers,
        measures: Sequence[Measure],
        measured: Measured,
        mask: Mask,
        times: Times,
        *,
        takes_away: bool = False,
    ) -> None:
        """Count looks, or acts, by what their rows have; or take them away."""
        if columns and mask.count(1) * FEW < len(mask):
            places = places_of(mask)
            mask, owners = every(len(places)), picked(owners, places)
            measured = Measured(measured.measures, picked(measured.places, places))
            times = [(unit, picked(numbers, places)) for unit, numbers in times]
        if is_any(mask):
            of_rows = [spread(column, owners) for column in columns]
            self._count(sums, of_rows, measures, measured, mask, times, takes_away=takes_away)

    def _count(  # noqa: PLR0913
        self,
        sums: Sums,
        columns: Sequence[Column],
        measures: Sequence[Measure],
        measured: Measured,
        mask: Mask,
        times: Times,
        *,
        takes_away: bool = False,
    ) -> Mask:
        """Return which rows are counted, or taken away: those that have values."""
        for column in columns:
            mask = only_with_value(mask, column.values(), column)
        if is_any(mask):
            rows = keyed(self.coding, columns, measures, measured.places)
            sums.count(rows, mask, takes_away=takes_away)
            for unit, numbers in times:
                sums.add_times(rows, mask, unit, numbers, takes_away=takes_away)
        return mask

    def _meet(self, sums: Sums, day: Day, columns: Sequence[Column], mask: Mask) -> None:
        """Note the visitors who have several rows."""
        if not is_any(mask):
            return
        again, visitors = day.rows.again_rows.each(), day.rows.again_visitors.each()
        meant = bytes(map(mask.__getitem__, again))
        sums.meet_all(zip(values_of(columns, list(compress(again, meant))), compress(visitors, meant), strict=True))


def spread(column: Column, owners: Numbers) -> Column:
    """Return what the rows of looks, or of acts, have."""
    places = column.places
    each = map(places.each().__getitem__, owners.each())
    if places.code == "B":
        return Column(column.ids, Numbers("B", bytes(each)))
    return Column(column.ids, Numbers(places.code, array(places.code, each).tobytes()))


def values_of(columns: Sequence[Column], rows: Sequence[int]) -> Iterable[Values]:
    """Return the values of these rows."""
    if not columns:
        return repeat((), len(rows))
    each = [map(column.values().__getitem__, map(column.places.each().__getitem__, rows)) for column in columns]
    return zip(*each, strict=True)


def _views(measured: Measured) -> list[Measure]:
    return [(0, views, 0) for _, views, _ in measured.measures]


def _events(measured: Measured) -> list[Measure]:
    return [(0, 0, events) for _, _, events in measured.measures]
