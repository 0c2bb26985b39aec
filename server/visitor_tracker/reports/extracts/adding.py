"""Add up the rows of extracts that a filter selects, day by day: by dimensions of visits, or all together."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import repeat

from visitor_tracker.measures import DURATION, ENGAGED, Dimension
from visitor_tracker.reports.extracts.choosing import Chosen
from visitor_tracker.reports.extracts.columns import (
    COUNTS,
    ENDS,
    MARK,
    OF_SEVERAL,
    Column,
    Looks,
    Measure,
    Measured,
    Numbers,
    measured_of,
)
from visitor_tracker.reports.extracts.counting import Codes, Coding, Sums, Values, keyed
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.lanes import BOUNCE, SINGLE, VISIT, VISITOR
from visitor_tracker.reports.extracts.masks import (
    Mask,
    both,
    either,
    is_any,
    of_looks,
    of_owners,
    only_with_value,
    without,
)

_ENTRY, _EXIT = int(Dimension.ENTRY), int(Dimension.EXIT)
_ONCE = VISITOR | VISIT | BOUNCE | SINGLE

_BYTE = 256

Times = Sequence[tuple[int, Numbers, Mask]]  # unit of a packed measure, the numbers of rows, and which rows add theirs

_VIEWED, _ACTED = 2, 4  # flags of a row beside 1: what it adds besides visitor and visit


class RowAdding:
    """Sums by no, one or two dimensions of visits; of engaged time and duration where a metric needs them.

    With a total, what rows without a value come to is counted too: so the words of all rows are the total's, and only
    its visitors of several rows are noted by themselves.
    """

    def __init__(
        self,
        dimensions: Sequence[int],
        metrics: Collection[str],
        measures: Codes[Measure] | None = None,
        *,
        with_total: bool = False,
    ) -> None:
        """`measures` are those of the questions that share a pass."""
        self.coding = Coding(len(dimensions), measures)
        self._dimensions = tuple(dimensions)
        self._metrics = metrics
        self._is_of_ends = not {_ENTRY, _EXIT}.isdisjoint(dimensions)
        self.tells_total = with_total and bool(dimensions) and not self._is_of_ends

    def add(self, sums: Sums, day: Day, selected: Mask, total: Sums) -> None:
        """Add the rows that a filter of visits selects; to `total` where this tells it."""
        mask = day.shared.having(day.rows, selected, ENDS if self._is_of_ends else COUNTS)
        columns = self._columns(day)
        times = [*self._engaged(day, mask), *self._duration(day, mask)]
        self._count(sums, day, columns, day.shared.measured((), lambda: _once(day.rows.measured)), mask, times)
        self._meet(sums, total, day, columns, mask)

    def add_chosen(self, sums: Sums, day: Day, chosen: Chosen, total: Sums) -> None:
        """Add what a filter of looks and actions selects; to `total` where this tells it."""
        measured, columns = day.rows.measured, self._columns(day)
        marks, rows = chosen.marks, chosen.rows
        if self._is_of_ends:
            marks = both(marks, measured.having(VISIT))
            rows = both(rows, marks)
        viewed = acted = rows
        if day.looks is not None and chosen.looks is not None:
            looks = both(chosen.looks, of_looks(marks, day.looks)) if self._is_of_ends else chosen.looks
            viewed = self._count_looks(sums, day, day.looks, columns, looks)
        if day.acts is not None and chosen.counted is not None:
            acts = both(chosen.counted, of_owners(marks, day.acts.rows)) if self._is_of_ends else chosen.counted
            if is_any(acts):
                spread = [day.acts.spread(column) for column in columns]
                self._count(sums, day, spread, _events(day.acts.measured), acts, ())
            acted = bytes(len(rows))
        times = [*self._duration(day, marks), *self._engaged(day, viewed)]
        flagged = day.shared.measured((marks, viewed, acted), lambda: _flagged(measured, marks, viewed, acted))
        self._count(sums, day, columns, flagged, either(marks, either(viewed, acted)), times)
        self._meet(sums, total, day, columns, marks)

    def _count_looks(self, sums: Sums, day: Day, looks: Looks, columns: Sequence[Column], mask: Mask) -> Mask:
        """Count looks. Return of which rows all are to be counted: where most are selected, those that are not are
        taken away here.
        """
        viewed, takes_away = bytes(day.rows.count), False
        if columns and mask.count(1) * 2 > len(mask):
            takes_away = True
            viewed = day.rows.measured.where(lambda each: each[0] & (COUNTS | OF_SEVERAL) == COUNTS)
            mask = without(of_looks(viewed, looks), mask)
        times = [] if day.look_times is None else [(ENGAGED, day.look_times.engaged_ms, mask)]
        if is_any(mask):
            spread = [looks.spread(column) for column in columns]
            self._count(sums, day, spread, _views(looks.measured), mask, times, takes_away=takes_away)
        return viewed

    def _columns(self, day: Day) -> list[Column]:
        return [day.column(dimension) for dimension in self._dimensions]

    def _engaged(self, day: Day, mask: Mask) -> Times:
        wanted = day.row_times is not None and "engaged" in self._metrics
        return [(ENGAGED, day.row_times.engaged_ms, mask)] if wanted and day.row_times is not None else []

    def _duration(self, day: Day, mask: Mask) -> Times:
        wanted = day.row_times is not None and "duration" in self._metrics
        return [(DURATION, day.row_times.duration_ms, mask)] if wanted and day.row_times is not None else []

    def _count(  # noqa: PLR0913
        self,
        sums: Sums,
        day: Day,
        columns: Sequence[Column],
        measured: Measured,
        mask: Mask,
        times: Times,
        *,
        takes_away: bool = False,
    ) -> None:
        """Count rows, looks or acts, or take them away; without a total only those that have values."""
        if not self.tells_total:
            mask = _with_values(mask, columns)
        if not is_any(mask):
            return
        picking = day.shared.picking(mask)
        words = keyed(self.coding, columns, measured, picking)
        sums.count(words, takes_away=takes_away)
        for unit, numbers, of_times in times:
            timed = day.shared.picking(mask if of_times is mask else both(mask, of_times))
            if timed.count:
                of_timed = words if timed is picking else keyed(self.coding, columns, measured, timed)
                sums.add_times(of_timed, unit, timed.numbers(numbers), takes_away=takes_away)

    def _meet(self, sums: Sums, total: Sums, day: Day, columns: Sequence[Column], mask: Mask) -> None:
        """Note the visitors who have several rows."""
        rows, visitors = day.shared.again(day.rows, mask)
        if rows:
            if self.tells_total:
                total.meet_all(zip(repeat(()), visitors))
            sums.meet_all(zip(values_of(columns, rows), visitors, strict=True))


def _with_values(mask: Mask, columns: Iterable[Column]) -> Mask:
    for column in columns:
        mask = only_with_value(mask, column.values(), column)
    return mask


def _once(measured: Measured) -> Measured:
    """Return what rows add: without the bits that say where."""
    measures = tuple((bits & _ONCE, views, events) for bits, views, events in measured.measures)
    return Measured(measures, measured.places)


def _flagged(measured: Measured, marks: Mask, viewed: Mask, acted: Mask) -> Measured:
    """Return what rows add: visitor and visit where they are marked, views, and events, each by a mask of its own.

    So rows are counted once, not once for each mask.
    """
    flags = _number(marks) | _number(viewed) * _VIEWED | _number(acted) * _ACTED
    each = flags.to_bytes(len(marks), "little")
    places: dict[Measure, int] = {}
    tables = {
        flag: [places.setdefault(_part(measure, flag), len(places)) for measure in measured.measures]
        for flag in set(each)
    }
    if measured.places.code == "B" and len(places) <= MARK:
        found = 0
        for flag, table in tables.items():
            here = _number(each.translate(_all_bits_of(flag)))
            found |= here & _number(measured.places.body.translate(bytes(table).ljust(_BYTE, b"\0")))
        return Measured(tuple(places), Numbers("B", found.to_bytes(len(each), "little")))
    parts, own = tuple(places), measured.places.each()
    return measured_of(parts[tables[flag][place]] for flag, place in zip(each, own, strict=True))


def _part(measure: Measure, flag: int) -> Measure:
    bits, views, events = measure
    return bits & _ONCE if flag & 1 else 0, views if flag & _VIEWED else 0, events if flag & _ACTED else 0


def _number(mask: Mask) -> int:
    return int.from_bytes(mask, "little")


@cache
def _all_bits_of(flag: int) -> bytes:
    """Return the table that translates this flag into all bits, and others into none."""
    return bytes([255 if each == flag else 0 for each in range(_BYTE)])


def values_of(columns: Sequence[Column], rows: Sequence[int]) -> Iterable[Values]:
    """Return the values of these rows."""
    if not columns:
        return repeat((), len(rows))
    each = [map(column.values().__getitem__, map(column.places.each().__getitem__, rows)) for column in columns]
    return zip(*each, strict=True)


def _views(measured: Measured) -> Measured:
    return Measured(tuple((0, views, 0) for _, views, _ in measured.measures), measured.places)


def _events(measured: Measured) -> Measured:
    return Measured(tuple((0, 0, events) for _, _, events in measured.measures), measured.places)
