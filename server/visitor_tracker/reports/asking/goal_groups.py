"""Conversions of a goal by the rows of a query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.gains import Gain
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.buckets import Buckets, buckets_of
from visitor_tracker.reports.reached import Reached, Reaching
from visitor_tracker.reports.selection import Part, Selected, Whole
from visitor_tracker.reports.tally import Tally
from visitor_tracker.store.insight import Goal
from visitor_tracker.store.reports import ReportTable

_NO_ACTS: frozenset[int] = frozenset()  # of which the events would be counted


class _Converted:
    """One row: how often the goal was reached and by whom, and everybody who was there."""

    __slots__ = ("among", "conversions", "visitors")

    def __init__(self) -> None:
        self.conversions = 0
        self.visitors: set[bytes] = set()
        self.among: set[bytes] = set()

    def with_gain(self, gain: Gain) -> Gain:
        """Return a gain with these numbers; only visitors count who did anything in the same time."""
        converted, among = len(self.visitors & self.among), len(self.among)
        return msgspec.structs.replace(gain, conversions=self.conversions, converted=converted, among=among)


class _GoalGroups:
    """Adds up visits and what reached the goal; of one pass."""

    def __init__(self, ask: Ask, buckets: Buckets) -> None:
        self.total = _Converted()
        self.found: defaultdict[Key, _Converted] = defaultdict(_Converted)
        self._tally = Tally(buckets, (), _NO_ACTS)
        self._dimensions = [int(each) for each in ask.dimensions if isinstance(each, Dimension)]
        self._by_time = ask.by_time
        self._buckets = buckets

    def add(self, whole: Whole, reached: Sequence[Sequence[Reached]]) -> None:
        values = tuple([whole.value(dimension) for dimension in self._dimensions])
        if whole.is_visit:
            parts = tuple(Part(visitor, own.looked, own.acted) for visitor, own in whole.sessions)
            selected = Selected(whole, parts, (whole.head.day, whole.head.hour))
            for place, sums in self._tally.portions(selected).items():
                for row in self._rows(values, place):
                    row.among |= sums.visitors
        for each in reached[0]:
            here = self._buckets.place(each.hour if self._buckets.by_hours else each.day)
            if here is None:
                continue
            for row in self._rows(values, here):
                row.conversions += each.times
                if each.visitor is not None:
                    row.visitors.add(each.visitor)

    def _rows(self, values: Key, place: int) -> list[_Converted]:
        if not all(values):
            return [self.total]
        return [self.total, self.found[(*values, place) if self._by_time else values]]


def with_conversions(
    table: ReportTable, ask: Ask, goal: Goal, gain: Gain, gains: Mapping[Key, Gain]
) -> tuple[Gain, dict[Key, Gain]]:
    """Return gains, in all and by row, with the conversions of a goal; raises QueryError."""
    groups = _GoalGroups(ask, buckets_of(ask.question))
    Reaching(table, ask.question, [goal]).run(groups.add)
    rows = {key: found.with_gain(gains.get(key, Gain())) for key, found in groups.found.items()}
    return groups.total.with_gain(gain), {**gains, **rows}
