"""Which rows of an extract a filter selects: each id is judged once, each row by the place of its id."""

from collections.abc import Sequence

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.columns import Column, Visits
from visitor_tracker.reports.extracts.meaning import OF_SOURCES, Meaning
from visitor_tracker.reports.filters import Filter
from visitor_tracker.reports.plans import EventTest, Group, Test, plan_of
from visitor_tracker.store.reports import ReportTable

_ENTRY, _EXIT = int(Dimension.ENTRY), int(Dimension.EXIT)

Mask = bytes  # a byte for each row: 1 or 0


def gathered(flags: bytes, column: Column) -> Mask:
    """Return for each row the flag at the place of its id."""
    if column.places.code == "B":
        return column.places.body.translate(flags.ljust(256, b"\0"))
    return bytes(map(flags.__getitem__, column.places.each()))


def both(one: Mask, other: Mask) -> Mask:
    """Return where both are."""
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def either(one: Mask, other: Mask) -> Mask:
    """Return where one of them is."""
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


class Judging:
    """The filter of one question, over all of its days."""

    def __init__(self, table: ReportTable, filters: Filter | None, meaning: Meaning) -> None:
        self._table = table
        self._meaning = meaning
        self._plan = plan_of(filters)
        self._verdicts: dict[Test, dict[int, bool]] = {test: {} for test in self._plan.tests}

    def mask(self, visits: Visits) -> Mask:
        """Return which rows are selected."""
        return self._of(self._plan.root, visits)

    def _of(self, node: Test | EventTest | Group, visits: Visits) -> Mask:
        if isinstance(node, Group):
            masks = [self._of(part, visits) for part in node.parts]
            if not masks:  # no filter
                return (b"\1" if node.needs_all else b"\0") * visits.rows
            found = masks[0]
            for mask in masks[1:]:
                found = both(found, mask) if node.needs_all else either(found, mask)
            return found
        if isinstance(node, EventTest):
            raise TypeError("extracts know no events")
        column = self._column(node.dimension, visits)
        return gathered(self._flags(node, column.values()), column)

    def _column(self, dimension: int, visits: Visits) -> Column:
        if dimension == _ENTRY:
            return visits.entry
        if dimension == _EXIT:
            return visits.exit
        return visits.source if dimension in OF_SOURCES else visits.context

    def _flags(self, test: Test, ids: Sequence[int]) -> bytes:
        verdicts = self._verdicts[test]
        try:
            return bytes(map(verdicts.__getitem__, ids))
        except KeyError:
            fresh = [each for each in ids if each not in verdicts]
        values = self._meaning.values(test.dimension, fresh)
        if unknown := test.unknown(values):
            test.learn(self._table.texts(sorted(unknown)), unknown)
        verdicts.update((each, test.holds(value)) for each, value in zip(fresh, values, strict=True))
        return bytes(map(verdicts.__getitem__, ids))
