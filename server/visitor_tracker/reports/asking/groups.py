"""Add up what a filter selects of visits: by one dimension or two, by bucket of time, or by both."""

from collections import defaultdict
from collections.abc import Sequence

from visitor_tracker.measures import VISITS, Dimension
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.selection import Selected
from visitor_tracker.reports.tally import Sums, Tally, measured_part, merge, parts_of, value_of

Key = tuple[int, ...]  # ids of the values by dimension, then the place of the bucket where rows are by time
ENDS = frozenset({Dimension.ENTRY, Dimension.EXIT})
PARTS = OF_LOOKS | OF_ACTS


class VisitGroups:
    """Rows of what sessions say; of one pass. Of the dimensions at most one, or both of looks, is of parts."""

    def __init__(self, dimensions: Sequence[Dimension], tally: Tally, *, by_time: bool) -> None:
        self.found: defaultdict[Key, Sums] = defaultdict(Sums)
        self._tally = tally
        self._by_time = by_time
        self._dimensions = tuple(map(int, dimensions))
        self._has_ends = not ENDS.isdisjoint(dimensions)
        self._parts = [int(each) for each in dimensions if each in PARTS]

    def add(self, selected: Selected, here: dict[int, Sums]) -> None:
        """Add what was selected of a visit; `here` are its portions, as the tally makes them."""
        if self._parts:
            self._add_parts(selected)
            return
        key = tuple([selected.whole.value(dimension) for dimension in self._dimensions])
        if not all(key):
            return
        if self._has_ends:
            place = self._tally.place_of(selected)
            here = {} if place is None else {place: self._tally.ended(selected)}
        for place, sums in here.items():
            if sums.number or sums.visitors:
                merge(self.found[(*key, place) if self._by_time else key], sums)

    def _add_parts(self, selected: Selected) -> None:
        """Add the parts to their values; the visit counts for each at its first part."""
        own = [0 if each in self._parts else selected.whole.value(each) for each in self._dimensions]
        if not all(value or each in self._parts for each, value in zip(self._dimensions, own, strict=True)):
            return
        begun: set[Key] = set()
        for part in selected.parts:
            for did in parts_of(self._parts[0], part):
                key = tuple([value or value_of(each, did) for each, value in zip(self._dimensions, own, strict=True)])
                number, does = measured_part(did)
                is_first = does and key not in begun and part.visitor is not None
                if is_first:
                    begun.add(key)
                place = self._tally.place_of_part(did)
                if not all(key) or not number or place is None:
                    continue
                sums = self.found[(*key, place) if self._by_time else key]
                sums.number += number + VISITS * is_first
                if does and part.visitor is not None:
                    sums.visitors.add(part.visitor)
