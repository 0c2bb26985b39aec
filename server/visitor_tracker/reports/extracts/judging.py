"""What the tests of a filter say of a day: each value is judged once, each row by the place of its value."""

from collections.abc import Callable, Sequence

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.columns import Column
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.masks import Mask, both, either, every, gathered
from visitor_tracker.reports.filters import OF_VISITS
from visitor_tracker.reports.plans import EventTest, Group, Plan, Test
from visitor_tracker.store.reports import ReportTable


class Judging:
    """The tests of one question, over all of its days."""

    def __init__(self, table: ReportTable, site_id: int, plan: Plan) -> None:
        self._table = table
        self._site_id = site_id
        self._plan = plan
        self._verdicts: dict[Test, dict[int, bool]] = {test: {} for test in plan.tests}
        self.dimensions = frozenset(test.dimension for test in plan.tests)

    @property
    def of_parts(self) -> bool:
        """Say whether the filter names looks or actions."""
        return not self.dimensions <= OF_VISITS

    def mask(self, day: Day) -> Mask:
        """Return which rows a filter of visits selects."""
        return evaluated(self._plan.root, lambda test: self.of_visits(test, day), day.rows.count)

    def of_visits(self, test: Test, day: Day) -> Mask:
        """Return of which rows a test of visits holds."""
        column = day.column(test.dimension)
        return gathered(bytes(self.verdicts(test, column.values())), column)

    def verdicts(self, test: Test, ids: Sequence[int]) -> list[bool]:
        """Return what a test says of each of these values."""
        exact = test.exact(ids)
        if exact is not None:
            return exact
        known = self._verdicts[test]
        try:
            return list(map(known.__getitem__, ids))
        except KeyError:
            fresh = [each for each in ids if each not in known]
        if unknown := test.unknown(fresh):
            test.learn(self._table.texts(self._site_id, sorted(unknown)), unknown)
        known.update((each, test.holds(each)) for each in fresh)
        return list(map(known.__getitem__, ids))

    def vectors(self, tests: Sequence[Test], column: Column) -> list[tuple[bool, ...]]:
        """Return what all of these tests say of each value of a column."""
        ids = column.values()
        if not tests:
            return [()] * len(ids)
        return list(zip(*[self.verdicts(test, ids) for test in tests], strict=True))


def evaluated(node: Test | EventTest | Group, of: Callable[[Test], Mask], count: int) -> Mask:
    """Return for which rows a plan's tree holds, where `of` says for which a test does."""
    if isinstance(node, Group):
        masks = [evaluated(part, of, count) for part in node.parts]
        if not masks:  # no filter
            return every(count) if node.needs_all else bytes(count)
        found = masks[0]
        for mask in masks[1:]:
            found = both(found, mask) if node.needs_all else either(found, mask)
        return found
    if isinstance(node, EventTest):
        raise TypeError("extracts know no events")
    return of(node)


PAGE, HOST = int(Dimension.PAGE), int(Dimension.HOST)
