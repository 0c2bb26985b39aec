"""What the questions of one pass make of one day, each thing once."""

from collections.abc import Callable
from itertools import compress

from visitor_tracker.reports.extracts.columns import Measured, Rows
from visitor_tracker.reports.extracts.masks import Mask, both, is_any
from visitor_tracker.reports.extracts.picking import Picking

Again = tuple[list[int], list[int]]  # rows, and their visitors


class Shared:
    """Of one day. Masks stand for themselves: questions of the same filter make the same ones."""

    def __init__(self) -> None:
        self._pickings: dict[Mask, Picking] = {}
        self._having: dict[tuple[Mask, int], Mask] = {}
        self._again: dict[Mask, Again] = {}
        self._measured: dict[tuple[Mask, ...], Measured] = {}

    def picking(self, mask: Mask) -> Picking:
        found = self._pickings.get(mask)
        if found is None:
            found = self._pickings[mask] = Picking(mask)
        return found

    def having(self, rows: Rows, selected: Mask, bits: int) -> Mask:
        """Return those of the selected rows that have one of these bits."""
        found = self._having.get((selected, bits))
        if found is None:
            found = self._having[selected, bits] = both(selected, rows.measured.having(bits))
        return found

    def again(self, rows: Rows, mask: Mask) -> Again:
        """Return those of these rows of which the visitor has several."""
        found = self._again.get(mask)
        if found is None:
            every = rows.again_rows.each()
            meant = bytes(map(mask.__getitem__, every))
            some = is_any(meant)
            found = self._again[mask] = (
                list(compress(every, meant)) if some else [],
                list(compress(rows.again_visitors.each(), meant)) if some else [],
            )
        return found

    def measured(self, masks: tuple[Mask, ...], make: Callable[[], Measured]) -> Measured:
        """Return what rows add, which depends on these masks alone."""
        found = self._measured.get(masks)
        if found is None:
            found = self._measured[masks] = make()
        return found
