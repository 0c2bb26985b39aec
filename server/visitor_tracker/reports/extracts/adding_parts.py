"""Add up what selected visits looked at and did: by page, host or action, and one dimension of visits at most."""

from collections.abc import Collection, Sequence
from itertools import compress, repeat

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.adding import (
    Sums,
    Values,
    add_each,
    column_of_visits,
    flagged,
    key_at,
    keys_of,
    only_with_value,
)
from visitor_tracker.reports.extracts.columns import (
    ACT_VISIT,
    ACT_VISITOR,
    BOTH_VISIT,
    BOTH_VISITOR,
    COUNTS,
    HOST_VISIT,
    HOST_VISITOR,
    PAGE_VISIT,
    PAGE_VISITOR,
    SEVERAL,
    Column,
    Looks,
    Numbers,
    Places,
    Visits,
)
from visitor_tracker.reports.extracts.judging import Mask, both
from visitor_tracker.reports.extracts.lanes import ONE_VISIT, ONE_VISITOR
from visitor_tracker.reports.extracts.meaning import Meaning
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS

_PAGE, _HOST = int(Dimension.PAGE), int(Dimension.HOST)
_OF_LOOKS = {
    frozenset({_PAGE}): (PAGE_VISITOR, PAGE_VISIT),
    frozenset({_HOST}): (HOST_VISITOR, HOST_VISIT),
    frozenset({_PAGE, _HOST}): (BOTH_VISITOR, BOTH_VISIT),
}
_COUNTS = flagged(COUNTS)


class PartAdding:
    """Sums of looks or of actions of one sort."""

    def __init__(self, dimensions: Sequence[int], meaning: Meaning, metrics: Collection[str]) -> None:
        self._dimensions = tuple(dimensions)
        self._meaning = meaning
        self._metrics = metrics
        parts = frozenset(each for each in dimensions if each in OF_LOOKS | OF_ACTS)
        self._act = next((each for each in parts if each in OF_ACTS), None)
        self._visitor, visit = (ACT_VISITOR, ACT_VISIT) if self._act is not None else _OF_LOOKS[parts]
        self.once = tuple(
            ONE_VISITOR * (each & (self._visitor | SEVERAL) == self._visitor) + ONE_VISIT * bool(each & visit)
            for each in range(256)
        )
        self._of_several = bytes([1 if each & SEVERAL and each & self._visitor else 0 for each in range(256)])

    def add(self, sums: Sums, visits: Visits, looks: Looks, selected: Mask) -> None:
        """Add what the selected rows of a day looked at, or did."""
        rows = both(selected, visits.bits.translate(_COUNTS))
        owners = (looks.look_rows if self._act is None else looks.act_rows).each()
        columns: list[tuple[Sequence[int], Places]] = []
        for dimension in self._dimensions:
            if dimension not in OF_LOOKS | OF_ACTS:
                column = column_of_visits(dimension, visits)
                values = self._meaning.values(dimension, column.values())
                rows = only_with_value(rows, values, column)
                columns.append((list(map(values.__getitem__, column.places.each())), owners))
        mask = bytes(map(rows.__getitem__, owners))
        for place, dimension in enumerate(self._dimensions):
            if dimension in OF_LOOKS | OF_ACTS:
                column = self._column(dimension, looks)
                ids = column.values()
                mask = only_with_value(mask, ids, column)
                columns.insert(place, (ids, column.places.each()))
        if self._act is not None:
            mask = both(mask, looks.act_dimensions.translate(_equal(self._act)))
        self._add(sums, visits, looks, columns, mask)

    def _add(
        self, sums: Sums, visits: Visits, looks: Looks, columns: Sequence[tuple[Sequence[int], Places]], mask: Mask
    ) -> None:
        keys = keys_of(columns, mask)
        bits, rows = (looks.look_bits, looks.look_rows) if self._act is None else (looks.act_bits, looks.act_rows)
        numbers = looks.views if self._act is None else looks.times
        counted = (compress(bits, mask), compress(numbers.each(), mask))
        if self._act is None:
            sums.counted.update(zip(*keys, *counted, repeat(0)))
        else:
            sums.counted.update(zip(*keys, counted[0], repeat(0), counted[1]))
        if self._act is None and "engaged" in self._metrics:
            keyed = zip(*keys_of(columns, mask), strict=True)
            add_each(sums.engaged_ms, keyed, compress(looks.engaged_ms.each(), mask))
        self._add_several(sums, visits, rows, columns, both(mask, bits.translate(self._of_several)))

    def _add_several(
        self,
        sums: Sums,
        visits: Visits,
        rows: Numbers,
        columns: Sequence[tuple[Sequence[int], Places]],
        mask: Mask,
    ) -> None:
        """Count visitors who have several rows, each once."""
        owners, several = rows.each(), dict(visits.again())
        people: set[tuple[Values, int]] = {
            (key_at(columns, place), several[owners[place]]) for place in compress(range(len(mask)), mask)
        }
        for key, _ in people:
            sums.extra[key] += ONE_VISITOR

    def _column(self, dimension: int, looks: Looks) -> Column:
        if self._act is not None:
            return looks.act_value
        return looks.page if dimension == _PAGE else looks.host


def _equal(dimension: int) -> bytes:
    return bytes([1 if each == dimension else 0 for each in range(256)])
