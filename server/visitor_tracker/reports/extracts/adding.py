"""Add up the rows of extracts that a filter selects, day by day: only C code looks at rows that are not selected."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.columns import COUNTS, ENDS, Column, Places, Visits
from visitor_tracker.reports.extracts.judging import Mask, both, gathered
from visitor_tracker.reports.extracts.lanes import BOUNCE, ONE_VISITOR, SINGLE, SUMS, VISIT, VISITOR, sums_in
from visitor_tracker.reports.extracts.meaning import OF_SOURCES, Meaning
from visitor_tracker.reports.numbers import Numbers

_ENTRY, _EXIT = int(Dimension.ENTRY), int(Dimension.EXIT)

Values = tuple[int, ...]  # by dimension

TIMES = frozenset({"engaged", "duration"})  # metrics that take a look at each selected row by itself
COMBINATIONS_MOST = 2_000_000  # of values and small numbers: 500 MB


def flagged(flag: int) -> bytes:
    """Return the table that translates bits into whether they have this one."""
    return bytes([1 if each & flag else 0 for each in range(256)])


_COUNTS, _ENDS = flagged(COUNTS), flagged(ENDS)
_ONCE = tuple(flagged(bit) for bit in (VISITOR, VISIT, BOUNCE, SINGLE))


def total_of(visits: Visits, selected: Mask, metrics: Collection[str]) -> Numbers:
    """Return the sums of the selected rows of a day; engaged time and duration where a metric needs them."""
    mask = both(selected, visits.bits.translate(_COUNTS))
    visitors, visited, bounces, singles = (both(mask, visits.bits.translate(table)).count(1) for table in _ONCE)
    visitors += len({visitor for row, visitor in visits.again() if mask[row]})
    views, events = (sum(compress(column.each(), mask)) for column in (visits.views, visits.events))
    engaged_ms = sum(compress(visits.engaged_ms.each(), mask)) if "engaged" in metrics else 0
    duration_ms = sum(compress(visits.duration_ms.each(), mask)) if "duration" in metrics else 0
    return Numbers(visitors, visited, views, bounces, singles, engaged_ms, duration_ms, events)


class Sums:
    """Sums by values, of one bucket of time or of all.

    Rows are counted by their values and small numbers together, (…, bits, views, events): that is done in C, and most
    rows have the same as others. `extra` are visitors of several rows.
    """

    def __init__(self) -> None:
        self.counted: Counter[Values] = Counter()
        self.extra: defaultdict[Values, int] = defaultdict(int)
        self.engaged_ms: defaultdict[Values, int] = defaultdict(int)
        self.duration_ms: defaultdict[Values, int] = defaultdict(int)

    def numbers(self, once: Sequence[int]) -> Iterator[tuple[Values, Numbers]]:
        """Yield everything by values; `once` says for bits what they count, packed."""
        onces: defaultdict[Values, int] = defaultdict(int, self.extra)
        views: defaultdict[Values, int] = defaultdict(int)
        events: defaultdict[Values, int] = defaultdict(int)
        for (*values, bits, viewed, done), times in self.counted.items():
            key = tuple(values)
            onces[key] += once[bits] * times
            views[key] += viewed * times
            events[key] += done * times
        for key, number in onces.items():
            visitors, visits, bounces, singles = sums_in(number)
            engaged_ms, duration_ms = self.engaged_ms.get(key, 0), self.duration_ms.get(key, 0)
            yield key, Numbers(visitors, visits, views[key], bounces, singles, engaged_ms, duration_ms, events[key])


def add_each(amounts: defaultdict[Values, int], keys: Iterable[Values], numbers: Iterable[int]) -> None:
    for key, number in zip(keys, numbers, strict=True):
        amounts[key] += number


class RowAdding:
    """Sums by one or two dimensions of visits; of engaged time and duration where a metric needs them."""

    once = SUMS

    def __init__(self, dimensions: Sequence[int], meaning: Meaning, metrics: Collection[str]) -> None:
        self._dimensions = tuple(dimensions)
        self._meaning = meaning
        self._metrics = metrics
        self._table = _COUNTS if {_ENTRY, _EXIT}.isdisjoint(dimensions) else _ENDS

    def add(self, sums: Sums, visits: Visits, selected: Mask) -> None:
        """Add the selected rows of a day."""
        mask = both(selected, visits.bits.translate(self._table))
        columns: list[tuple[Sequence[int], Places]] = []
        for dimension in self._dimensions:
            column = column_of_visits(dimension, visits)
            values = self._meaning.values(dimension, column.values())
            mask = only_with_value(mask, values, column)
            columns.append((values, column.places.each()))
        small = (visits.bits.translate(_ONLY_ONCE), visits.views.each(), visits.events.each())
        sums.counted.update(zip(*keys_of(columns, mask), *[compress(each, mask) for each in small], strict=True))
        if "engaged" in self._metrics:
            add_each(
                sums.engaged_ms, zip(*keys_of(columns, mask), strict=True), compress(visits.engaged_ms.each(), mask)
            )
        if "duration" in self._metrics:
            add_each(
                sums.duration_ms, zip(*keys_of(columns, mask), strict=True), compress(visits.duration_ms.each(), mask)
            )
        again = [(row, visitor) for row, visitor in visits.again() if mask[row]]
        for key, _ in {(key_at(columns, row), visitor) for row, visitor in again}:
            sums.extra[key] += ONE_VISITOR


_ONLY_ONCE = bytes([each & (VISITOR | VISIT | BOUNCE | SINGLE) for each in range(256)])


def only_with_value(mask: Mask, values: Sequence[int], column: Column) -> Mask:
    """Leave out the rows without a value."""
    return both(mask, gathered(bytes(map(bool, values)), column)) if 0 in values else mask


def column_of_visits(dimension: int, visits: Visits) -> Column:
    """Return the column that says what a row has for a dimension of visits."""
    if dimension == _ENTRY:
        return visits.entry
    if dimension == _EXIT:
        return visits.exit
    return visits.source if dimension in OF_SOURCES else visits.context


def keys_of(columns: Sequence[tuple[Sequence[int], Places]], mask: Mask) -> list[Iterable[int]]:
    """Return the values of the selected rows by dimension."""
    return [map(values.__getitem__, compress(places, mask)) for values, places in columns]


def key_at(columns: Sequence[tuple[Sequence[int], Places]], row: int) -> Values:
    """Return the values of one row."""
    return tuple([values[places[row]] for values, places in columns])
