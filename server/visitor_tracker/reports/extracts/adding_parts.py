"""Add up what selected visits looked at and did: by page, host or action, and one dimension of visits at most."""

from collections.abc import Collection, Sequence
from itertools import compress

from visitor_tracker.measures import ENGAGED
from visitor_tracker.reports.extracts.adding import values_of
from visitor_tracker.reports.extracts.choosing import Choosing, Chosen
from visitor_tracker.reports.extracts.columns import (
    ACT_VISIT,
    ACT_VISITOR,
    BOTH_VISIT,
    BOTH_VISITOR,
    COUNTS,
    HOST_VISIT,
    HOST_VISITOR,
    OF_SEVERAL,
    PAGE_VISIT,
    PAGE_VISITOR,
    SEVERAL,
    Acts,
    Again,
    Column,
    Looks,
    Measure,
    Measured,
    Numbers,
    measured_of,
    numbers_of,
)
from visitor_tracker.reports.extracts.counting import Coding, Sums, keyed
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.judging import HOST, PAGE
from visitor_tracker.reports.extracts.lanes import VISIT, VISITOR
from visitor_tracker.reports.extracts.masks import (
    Mask,
    both,
    equal_to,
    is_any,
    of_looks,
    of_owners,
    only_with_value,
    places_of,
    without,
)
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS

_OF_LOOKS = {
    frozenset({PAGE}): (PAGE_VISITOR, PAGE_VISIT),
    frozenset({HOST}): (HOST_VISITOR, HOST_VISIT),
    frozenset({PAGE, HOST}): (BOTH_VISITOR, BOTH_VISIT),
}


class PartAdding:
    """Sums of looks or of actions of one sort."""

    def __init__(self, dimensions: Sequence[int], metrics: Collection[str]) -> None:
        self.coding = Coding(len(dimensions))
        self._dimensions = tuple(dimensions)
        self._parts = frozenset(each for each in dimensions if each in OF_LOOKS | OF_ACTS)
        self.act = next((each for each in self._parts if each in OF_ACTS), None)
        self._visitor, self._visit = (ACT_VISITOR, ACT_VISIT) if self.act is not None else _OF_LOOKS[self._parts]
        self._has_times = self.act is None and "engaged" in metrics

    def add(self, sums: Sums, day: Day, selected: Mask) -> None:
        """Add what the rows looked at, or did, that a filter of visits selects."""
        rows = day.shared.having(day.rows, selected, COUNTS)
        if self.act is None and day.looks is not None:
            looks = day.looks
            self._add_looks(sums, day, looks, of_looks(rows, looks), looks.measured, looks.again)
        elif self.act is not None and day.acts is not None:
            self._add_acts(sums, day, day.acts, of_owners(rows, day.acts.rows))

    def add_chosen(self, sums: Sums, day: Day, chosen: Chosen, choosing: Choosing) -> None:
        """Add what a filter of looks and actions selects."""
        if self.act is None and day.looks is not None:
            looks = of_looks(chosen.rows, day.looks) if chosen.looks is None else chosen.looks
            looks = without(looks, day.looks.measured.having(OF_SEVERAL))
            measured, again = day.looks.measured, day.looks.again
            if (self._parts == {PAGE} and choosing.hosts_differ) or (self._parts == {HOST} and choosing.pages_differ):
                measured, again = self._marked_again(day, day.looks, looks)
            self._add_looks(sums, day, day.looks, looks, measured, again)
        elif self.act is not None and day.acts is not None:
            acts = of_owners(chosen.rows, day.acts.rows) if chosen.acts is None else chosen.acts
            self._add_acts(sums, day, day.acts, without(acts, day.acts.measured.having(OF_SEVERAL)))

    def _add_looks(  # noqa: PLR0913
        self, sums: Sums, day: Day, looks: Looks, mask: Mask, measured: Measured, again: Again
    ) -> None:
        columns = [
            looks.page if each == PAGE else looks.host if each == HOST else looks.spread(day.column(each))
            for each in self._dimensions
        ]
        engaged_ms = day.look_times.engaged_ms if self._has_times and day.look_times is not None else None
        self._add(sums, day, columns, measured, again, mask, engaged_ms)

    def _add_acts(self, sums: Sums, day: Day, acts: Acts, mask: Mask) -> None:
        mask = both(mask, acts.dimensions.translate(equal_to(self.act or 0)))
        columns = [acts.value if each == self.act else acts.spread(day.column(each)) for each in self._dimensions]
        self._add(sums, day, columns, acts.measured, acts.again, mask, None)

    def _add(  # noqa: PLR0913
        self,
        sums: Sums,
        day: Day,
        columns: Sequence[Column],
        measured: Measured,
        again: Again,
        mask: Mask,
        engaged_ms: Numbers | None,
    ) -> None:
        for column in columns:
            mask = only_with_value(mask, column.values(), column)
        if not is_any(mask):
            return
        picking = day.shared.picking(mask)
        own = Measured(tuple(map(self._measure, measured.measures)), measured.places)
        words = keyed(self.coding, columns, own, picking)
        sums.count(words)
        if engaged_ms is not None:
            sums.add_times(words, ENGAGED, picking.numbers(engaged_ms))
        self._meet(sums, columns, measured, again, mask)

    def _meet(self, sums: Sums, columns: Sequence[Column], measured: Measured, again: Again, mask: Mask) -> None:
        """Note the visitors who have several rows."""
        every = again.places.each()
        meant = bytes(map(mask.__getitem__, every))
        if not is_any(meant):
            return
        measures, own = measured.measures, measured.places.each()
        found = [
            (place, visitor)
            for place, visitor in zip(compress(every, meant), compress(again.visitors.each(), meant), strict=True)
            if measures[own[place]][0] & self._visitor
        ]
        people = (visitor for _, visitor in found)
        sums.meet_all(zip(values_of(columns, [place for place, _ in found]), people, strict=True))

    def _measure(self, measure: Measure) -> Measure:
        """Return what a look, or an act, counts for these dimensions."""
        bits, views, events = measure
        is_alone = bits & self._visitor and not bits & SEVERAL
        return VISITOR * bool(is_alone) | VISIT * bool(bits & self._visit), views, events

    def _marked_again(self, day: Day, looks: Looks, mask: Mask) -> tuple[Measured, Again]:
        """Return the measures of looks, as the first of each row and value among the selected ones counts for it.

        Where looks at one value may be selected or not, the first one of all does not tell.
        """
        several = dict(day.rows.again())
        alone = day.rows.measured.having(VISITOR)
        places = (looks.page if self._parts == {PAGE} else looks.host).places.each()
        seen: set[tuple[int, int]] = set()
        found: list[Measure] = [(0, 0, 0)] * len(mask)
        again: list[int] = []
        owners, measures, own = looks.owners(), looks.measured.measures, looks.measured.places.each()
        for look in places_of(mask):
            row, views = owners[look], measures[own[look]][1]
            bits = 0
            if views and (alone[row] or row in several) and (row, places[look]) not in seen:
                seen.add((row, places[look]))
                bits = self._visitor | self._visit
                if row in several:
                    bits |= SEVERAL
                    again.append(look)
            found[look] = (bits, views, 0)
        return measured_of(found), Again(numbers_of(again), numbers_of(several[owners[look]] for look in again))
